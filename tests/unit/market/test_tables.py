import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from crowdalpha.market.checks import PriceFileError, RatesFileError, UniverseFileError
from crowdalpha.market.tables import read_price_table, read_rates_table, read_universe_table

GOOD = "date,ticker,close\n2024-01-02,A,10\n2024-01-03,A,11\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "p.csv"
    path.write_text(text)
    return path


def test_csv_and_parquet_give_the_same_table(tmp_path: Path) -> None:
    frame = pl.DataFrame({"date": [dt.date(2024, 1, 2), dt.date(2024, 1, 3)], "ticker": "A", "close": [10.0, 11.0]})
    frame.write_parquet(tmp_path / "no_suffix_needed")

    sources = (write(tmp_path, GOOD), tmp_path / "no_suffix_needed", frame)
    from_csv, from_parquet, from_frame = (read_price_table(source).drop("source") for source in sources)
    assert from_csv.equals(from_parquet)
    assert from_csv.equals(from_frame)


def test_optional_columns_are_null_and_the_factor_is_one(tmp_path: Path) -> None:
    table = read_price_table(write(tmp_path, GOOD))

    assert table["adj_factor"].to_list() == [1.0, 1.0]
    assert table["volume"].null_count() == 2
    assert table["row"].to_list() == [1, 2]


def test_security_identifies_the_asset() -> None:
    table = read_price_table(pl.DataFrame({"date": ["2024-01-02"], "ticker": ["A"], "security": ["A.1"], "close": [1]}))

    assert (table["code"][0], table["ticker"][0]) == ("A.1", "A")


def test_time_of_day_is_ignored() -> None:
    stamps = pl.DataFrame({"date": ["2024-01-02T00:00:00", "2024-01-03 16:00"], "ticker": "A", "close": 1.0})

    assert read_price_table(stamps)["date"].to_list() == [dt.date(2024, 1, 2), dt.date(2024, 1, 3)]


def test_datetime_column_becomes_dates() -> None:
    stamps = pl.DataFrame({"date": [dt.datetime(2024, 1, 2, 16, tzinfo=dt.UTC)], "ticker": "A", "close": 1.0})

    assert read_price_table(stamps)["date"].to_list() == [dt.date(2024, 1, 2)]


def test_text_that_spells_nan_or_infinity_is_a_number_here(tmp_path: Path) -> None:
    table = read_price_table(write(tmp_path, "date,ticker,close\n2024-01-02,A,NaN\n2024-01-03,A,inf\n"))

    assert table["close"].is_nan().to_list() == [True, False]
    assert table["close"].is_infinite().to_list() == [False, True]


@pytest.mark.parametrize(
    ("text", "column", "row", "says"),
    [
        ("ticker,close\nA,1\n", "date", None, "is missing"),
        ("date,ticker,open\n2024-01-02,A,1\n", "close", None, "is missing"),
        ("date,ticker,close\n2024-01-02,A,1\n2024-13-01,A,1\n", "date", 2, "'2024-13-01' is not a date"),
        ("date,ticker,close\n2024-01-02,A,1\n,A,1\n", "date", 2, "is not a date"),
        ("date,ticker,close\n2024-01-02,A,1\n2024-01-03,A,n/a\n", "close", 2, "'n/a' is not a number"),
        ("date,ticker,close,volume\n2024-01-02,A,1,\n2024-01-03,A,1,many\n", "volume", 2, "'many' is not a number"),
        ("date,ticker,close\n2024-01-02,A,1\n2024-01-03, ,1\n", "ticker", 2, "is empty"),
    ],
)
def test_bad_cells_are_refused_with_column_and_row(
    tmp_path: Path, text: str, column: str, row: int | None, says: str
) -> None:
    with pytest.raises(PriceFileError, match=says) as caught:
        read_price_table(write(tmp_path, text))

    assert (caught.value.source, caught.value.column, caught.value.row) == ("p.csv", column, row)


@pytest.mark.parametrize("column", ["date", "close", "ticker"])
def test_columns_of_an_impossible_type_are_refused(column: str) -> None:
    frame = pl.DataFrame({"date": ["2024-01-02"], "ticker": ["A"], "close": [1.0]})

    with pytest.raises(PriceFileError, match="holds List") as caught:
        read_price_table(frame.with_columns(pl.concat_list(pl.lit(1)).alias(column)))
    assert caught.value.column == column


@pytest.mark.parametrize("content", [b"", b"PAR1 and then nothing", b"date,ticker,close\n1,2,3,4\n", b"\xff\xfe\x00"])
def test_unreadable_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken"
    path.write_bytes(content)

    with pytest.raises(PriceFileError, match="price file broken"):
        read_price_table(path)


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PriceFileError, match="cannot be opened"):
        read_price_table(tmp_path / "absent.csv")
    with pytest.raises(UniverseFileError, match="cannot be opened"):
        read_universe_table(tmp_path)


def test_file_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PriceFileError, match="has no rows"):
        read_price_table(write(tmp_path, "date,ticker,close\n"))


def test_universe_blanks_are_null() -> None:
    table = read_universe_table(pl.DataFrame({"ticker": ["A", "B"], "sector": [" Energy ", ""]}))

    assert table["sector"].to_list() == ["Energy", None]
    assert table["country"].to_list() == [None, None]


def test_universe_refuses_a_second_row_of_a_company() -> None:
    twice = pl.DataFrame({"country": ["US", "GB", "US"], "ticker": ["A", "A", "A"]})

    with pytest.raises(UniverseFileError, match="stands twice") as caught:
        read_universe_table(twice)
    assert caught.value.row == 3


def rates(**columns: object) -> pl.DataFrame:
    return pl.DataFrame({"date": ["2024-01-02", "2024-01-03"], "currency": "USD", "per_eur": [1.1, 1.2]} | columns)


def test_rates_say_what_they_are_per() -> None:
    frame, unit = read_rates_table(rates())

    assert (unit, frame["per_unit"].to_list()) == ("EUR", [1.1, 1.2])


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (rates(per_eur=[1.1, 0.0]), "column per_eur, row 2: is no rate above zero"),
        (rates(per_eur=[1.1, None]), "column per_eur, row 2: is no rate above zero"),
        (rates(date="2024-01-02"), "column currency, row 2: stands twice"),
        (rates(date=["2024-01-02", "x"]), "rates file .*column date, row 2: 'x' is not a date"),
        (rates().drop("per_eur"), "column per_XXX: is missing"),
        (rates().drop("currency"), "column currency: is missing"),
    ],
)
def test_bad_rates_are_refused_with_column_and_row(bad: pl.DataFrame, says: str) -> None:
    with pytest.raises(RatesFileError, match=says):
        read_rates_table(bad)
