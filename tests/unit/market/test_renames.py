import polars as pl
import pytest

from crowdalpha.market.renames import note_renamed_tickers
from tests.fixtures.panels import business_days

DAYS = business_days(130)


def life(code: str, first: int, last: int, close: float) -> pl.DataFrame:
    return pl.DataFrame({"date": DAYS[first:last]}).with_columns(
        country=pl.lit("US"), code=pl.lit(code), close=pl.lit(close)
    )


def test_a_ticker_that_goes_on_under_another_name_is_told() -> None:
    rows = pl.concat([life("FB", 0, 60, 100.0), life("META", 60, 130, 105.0), life("KO", 0, 130, 60.0)])
    finding = note_renamed_tickers(rows)

    assert (finding.count, finding.example) == (1, f"FB to META after {DAYS[59]}")


@pytest.mark.parametrize(
    "other",
    [
        life("META", 60, 130, 150.0),
        life("META", 61, 130, 100.0),
        life("META", 59, 130, 100.0),
        life("META", 60, 119, 100.0),
    ],
    ids=["another price", "a day later", "a day of both", "too short"],
)
def test_what_does_not_fit_is_no_rename(other: pl.DataFrame) -> None:
    assert note_renamed_tickers(pl.concat([life("FB", 0, 60, 100.0), other, life("KO", 0, 130, 60.0)])).count == 0


def test_two_that_fit_are_none() -> None:
    rows = pl.concat([life("FB", 0, 60, 100.0), life("A", 60, 130, 100.0), life("B", 60, 130, 100.0)])

    assert note_renamed_tickers(rows).count == 0
