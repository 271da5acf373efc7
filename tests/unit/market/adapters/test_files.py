from pathlib import Path

import polars as pl
import pytest

from crowdalpha.market.adapters.files import Blob, read_raw
from crowdalpha.market.checks import PriceFileError, RatesFileError


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_separators_are_told_from_the_header(mark: str) -> None:
    content = f"date{mark}close\n2024-01-02{mark}1.5\n".encode()

    assert read_raw(Blob("f.csv", content)).cells.rows() == [("2024-01-02", "1.5")]


def test_a_byte_order_mark_is_no_part_of_a_name() -> None:
    assert read_raw(Blob("f.csv", b"\xef\xbb\xbfdate,close\n1,2\n")).cells.columns == ["date", "close"]


def test_two_rows_of_names_become_pairs_with_the_field_first() -> None:
    by_field = b"Price,Close,Open\nTicker,A,A\nDate,,\n2024-01-02,1,2\n"
    by_ticker = b"Ticker,A,A\nPrice,Close,Open\nDate,,\n2024-01-02,1,2\n"

    for content in (by_field, by_ticker):
        raw = read_raw(Blob("f.csv", content))
        assert raw.pairs is not None
        assert list(raw.pairs.values()) == [("Close", "A"), ("Open", "A")]
        assert raw.cells.rows() == [("2024-01-02", "1", "2")]


def test_names_of_pairs_in_parquet_are_taken_apart(tmp_path: Path) -> None:
    frame = pl.DataFrame({"Date": ["2024-01-02"], "('Close', 'A')": [1.0], "('not a pair": [2.0]})
    frame.write_parquet(tmp_path / "f")

    assert read_raw(tmp_path / "f").pairs == {"('Close', 'A')": ("Close", "A")}


def test_more_cells_than_names_are_refused() -> None:
    with pytest.raises(PriceFileError, match="neither Parquet nor CSV"):
        read_raw(Blob("f.csv", b"Price,Close\nTicker,A\nDate,\n2024-01-02,1,2\n"))


def test_the_error_is_that_of_the_kind_of_file(tmp_path: Path) -> None:
    with pytest.raises(RatesFileError, match=r"rates file .*absent"):
        read_raw(tmp_path / "absent", error=RatesFileError)
