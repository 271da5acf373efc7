import datetime as dt

import pandas as pd
import polars as pl
import pytest

from crowdalpha.market.adapters.files import Blob, RawTable, read_raw
from crowdalpha.market.adapters.shapes import long_rows
from crowdalpha.market.checks import PriceFileError

FIRST, SECOND = dt.date(2024, 1, 2), dt.date(2024, 1, 3)
INDEX = pd.DatetimeIndex([FIRST, SECOND], name="Date")


def rows_of(text: str, name: str = "f.csv") -> pl.DataFrame:
    return long_rows(read_raw(Blob(name, text.encode())))


def test_wide_closes_become_long_rows_without_the_empty_cells() -> None:
    rows = rows_of("Date,LOW,AAPL\n2024-01-02,1,\n2024-01-03,2,NaN\n2024-01-04,3,9\n")

    assert rows.select("row", "ticker", "close").rows() == [
        (1, "LOW", 1.0),
        (2, "LOW", 2.0),
        (3, "LOW", 3.0),
        (3, "AAPL", 9.0),
    ]


def test_an_index_of_days_may_have_no_name() -> None:
    frame = pd.DataFrame({"A": [1.0, 2.0]}, index=pd.DatetimeIndex([FIRST, SECOND]))

    assert rows_of(frame.to_csv())["date"].to_list() == [FIRST, SECOND]


def test_a_bad_cell_of_a_wide_file_is_named_by_ticker_and_row() -> None:
    with pytest.raises(PriceFileError, match="column MSFT, row 2: 'x' is not a number"):
        rows_of("date,AAPL,MSFT\n2024-01-02,1,1\n2024-01-03,2,x\n")


def test_two_columns_of_a_ticker_are_refused() -> None:
    with pytest.raises(PriceFileError, match="second column of one ticker"):
        rows_of("date,AAPL,AAPL\n2024-01-02,1,1\n")


def test_a_file_of_one_ticker_is_named_by_its_file() -> None:
    rows = rows_of("Date,Open,High,Low,Close,Adj Close,Volume\n2024-01-02,1,2,1,2,1.8,10\n", "aapl.csv")

    assert rows.select("ticker", "close", "adj_close", "volume").rows() == [("AAPL", 2.0, 1.8, 10.0)]


def test_a_frame_of_one_ticker_has_no_name_and_is_refused() -> None:
    with pytest.raises(PriceFileError, match="column ticker: is missing"):
        long_rows(RawTable("(frame)", pl.DataFrame({"date": ["2024-01-02"], "close": [1.0]})))


@pytest.mark.parametrize("levels", [("Price", "Ticker"), ("Ticker", "Price")])
def test_frames_of_yfinance_are_read_as_pandas_writes_them(levels: tuple[str, str]) -> None:
    by_field = {("Adj Close", "A"): [1.0, 2.0], ("Close", "A"): [2.0, 2.0], ("Close", "B"): [None, 5.0]}
    frame = pd.DataFrame(by_field, index=INDEX)
    frame.columns = frame.columns.set_names(["Price", "Ticker"])
    text = frame.reorder_levels(list(levels), axis=1).to_csv()

    rows = rows_of(text).select("date", "ticker", "close", "adj_close")
    assert rows.rows() == [(FIRST, "A", 2.0, 1.0), (SECOND, "A", 2.0, 2.0), (SECOND, "B", 5.0, None)]


def test_frames_of_yfinance_are_read_from_parquet() -> None:
    cells = pl.DataFrame({"Date": [FIRST], "('Close', 'A')": [1.0], "('Dividends', 'A')": [0.5]})
    pairs = {"('Close', 'A')": ("Close", "A"), "('Dividends', 'A')": ("Dividends", "A")}

    assert long_rows(RawTable("f", cells, pairs)).row(0) == (1, FIRST, "A", 1.0, 0.5)


def test_a_frame_without_closes_is_refused() -> None:
    with pytest.raises(PriceFileError, match="needs closes"):
        rows_of("Price,Open\nTicker,A\nDate,\n2024-01-02,1\n")


STOOQ = "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n"


def test_stooq_rows_have_bare_tickers_and_a_country() -> None:
    rows = rows_of(STOOQ + "VOD.UK,D,20240102,000000,1,2,1,2,10,0\nBRK-B.US,D,20240102,000000,1,2,1,3,10,0\n")

    assert rows.select("date", "ticker", "country", "close").rows() == [
        (FIRST, "VOD", "GB", 2.0),
        (FIRST, "BRK-B", "US", 3.0),
    ]


def test_intraday_rows_of_stooq_are_refused() -> None:
    with pytest.raises(PriceFileError, match="column <PER>, row 1: '5' is no daily row"):
        rows_of(STOOQ + "VOD.UK,5,20240102,090000,1,2,1,2,10,0\n")
