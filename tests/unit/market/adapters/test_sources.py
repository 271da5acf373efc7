from pathlib import Path

import polars as pl
import pytest

from crowdalpha.market.adapters.sources import PriceSource, load_rows
from crowdalpha.market.checks import PriceFileError

DAY = "2024-01-02"


@pytest.mark.parametrize(
    ("text", "path", "country", "currency"),
    [
        ("a.csv", "a.csv", None, None),
        ("a.csv@gb", "a.csv", "GB", None),
        ("a.csv@GB:GBX", "a.csv", "GB", "GBX"),
        ("a@home.csv", "a@home.csv", None, None),
        ("a.csv@GB:", "a.csv", "GB", None),
        ("@GB", "@GB", None, None),
    ],
)
def test_codes_after_the_last_at_are_of_the_market(
    text: str, path: str, country: str | None, currency: str | None
) -> None:
    assert PriceSource.parse(text) == PriceSource(Path(path), country, currency)


def test_sources_are_stacked_and_keep_their_rows_and_names(tmp_path: Path) -> None:
    (tmp_path / "uk.csv").write_text(f"date,ticker,close\n{DAY},VOD,70\n")
    us = pl.DataFrame({"date": [DAY], "ticker": ["A"], "close": [10.0], "country": ["US"], "adj_factor": [0.5]})

    rows = load_rows([PriceSource(tmp_path / "uk.csv", "GB", "GBX"), PriceSource(us)]).rows
    assert rows.select("source", "row", "ticker", "country", "currency", "adj_factor").rows() == [
        ("uk.csv", 1, "VOD", "GB", "GBX", 1.0),
        ("(frame)", 1, "A", "US", None, 0.5),
    ]


def test_a_country_given_fills_only_the_empty_cells() -> None:
    frame = pl.DataFrame({"date": DAY, "ticker": ["A", "B"], "close": 1.0, "country": ["US", None]})

    assert load_rows([PriceSource(frame, "GB")]).rows["country"].to_list() == ["US", "GB"]


def test_the_factor_is_that_of_the_adjusted_close() -> None:
    frame = pl.DataFrame({"Date": [DAY], "Symbol": ["A"], "Close": [10.0], "Adj Close": [8.0]})

    assert load_rows([PriceSource(frame)]).rows["adj_factor"].to_list() == [0.8]


def test_empty_files_of_a_folder_are_left_out_and_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"date,close\n{DAY},1\n")
    (tmp_path / "b.csv").write_text("")
    (tmp_path / "c.csv").write_text("date,close\n")

    loaded = load_rows([PriceSource(tmp_path)])
    assert loaded.empty_files == ("b.csv", "c.csv")
    assert loaded.rows["ticker"].to_list() == ["A"]


def test_a_source_without_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("")

    with pytest.raises(PriceFileError, match="has no rows"):
        load_rows([PriceSource(tmp_path)])
    with pytest.raises(PriceFileError, match="name at least one"):
        load_rows([])
