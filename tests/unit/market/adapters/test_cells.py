import datetime as dt

import polars as pl
import pytest

from crowdalpha.market.adapters.cells import as_dates, as_floats, as_text
from crowdalpha.market.checks import PriceFileError, UniverseFileError

DAY = dt.date(2024, 1, 2)


@pytest.mark.parametrize(
    "cells",
    [
        ["2024-01-02"],
        ["20240102"],
        [" 2024-01-02T09:30:00 "],
        [20240102],
        [DAY],
        [dt.datetime(2024, 1, 2, 9, tzinfo=dt.UTC)],
    ],
)
def test_days_are_read_in_each_form(cells: list[object]) -> None:
    assert as_dates(pl.Series(cells), "f", "date").to_list() == [DAY]


def test_a_column_may_mix_forms_of_days() -> None:
    assert as_dates(pl.Series(["2024-01-02", "20240102"]), "f", "date").to_list() == [DAY, DAY]


def test_a_bad_day_is_named() -> None:
    with pytest.raises(PriceFileError, match="file f, column <DATE>, row 2: '02/01/2024' is not a date"):
        as_dates(pl.Series(["20240102", "02/01/2024"]), "f", "<DATE>")


def test_numbers_are_read_and_empty_cells_are_null() -> None:
    assert as_floats(pl.Series([" 1.5", "", "1e3"]), "f", "close").to_list() == [1.5, None, 1000.0]


def test_a_decimal_comma_is_no_number() -> None:
    with pytest.raises(PriceFileError, match="column close, row 1: '1,5' is not a number"):
        as_floats(pl.Series(["1,5"]), "f", "close")


def test_text_is_stripped_and_refused_where_needed() -> None:
    raw = pl.Series([" a ", " "])

    assert as_text(raw, "f", "x").to_list() == ["a", None]
    with pytest.raises(UniverseFileError, match="universe file f, column x, row 2"):
        as_text(raw, "f", "x", error=UniverseFileError, required=True)
