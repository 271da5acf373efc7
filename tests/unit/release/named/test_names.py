from datetime import date

import numpy as np
import polars as pl
import pytest

from crowdalpha.market import PricePanel, read_panel
from crowdalpha.release.named import AssetNames, NamedUniverseError
from tests.fixtures.panels import random_panel

FILES = random_panel(n_assets=4, n_days=40, countries=("US", "GB"))
PANEL = read_panel(FILES.prices, FILES.universe)
DAY = np.datetime64("2015-02-02")


def renames(*rows: tuple[str, str, date]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["former", "ticker", "date"], orient="row")


def named(panel: PricePanel, table: pl.DataFrame, day: str) -> tuple[str, list[str]]:
    row = AssetNames(renames=table).on(panel, np.datetime64(day)).row(0, named=True)
    return row["numerai_ticker"], row["former_tickers"]


def test_a_share_is_its_ticker_and_country_and_a_coin_its_ticker() -> None:
    shares = AssetNames().on(PANEL, DAY)

    assert shares["numerai_ticker"].to_list() == ["T0000 US", "T0001 GB", "T0002 US", "T0003 GB"]
    assert AssetNames(key="symbol").on(PANEL, DAY)["symbol"].to_list() == list(PANEL.tickers)


@pytest.mark.parametrize(
    ("day", "name", "former"),
    [
        ("2015-01-09", "OLDEST US", []),
        ("2015-01-10", "OLD US", ["OLDEST"]),
        ("2015-01-19", "OLD US", ["OLDEST"]),
        ("2015-01-20", "T0000 US", ["OLD", "OLDEST"]),
    ],
)
def test_the_name_of_the_day_is_in_force_and_those_before_are_remembered(
    day: str, name: str, former: list[str]
) -> None:
    table = renames(("OLD", "T0000", date(2015, 1, 20)), ("OLDEST", "OLD", date(2015, 1, 10)))

    assert named(PANEL, table, day) == (name, former)


def test_identifiers_are_joined_by_ticker_and_country() -> None:
    given = pl.DataFrame({"ticker": ["T0001", "T0000"], "country": ["GB", "GB"], "sedol": ["0263494", "B0SWJX3"]})

    assert AssetNames(identifiers=given).on(PANEL, DAY)["sedol"].to_list() == [None, "0263494", None, None]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"key": "name"}, "numerai_ticker or symbol"),
        ({"identifiers": pl.DataFrame({"sedol": ["1"]})}, "'ticker': is missing"),
        ({"renames": pl.DataFrame({"former": ["A"], "ticker": ["B"]})}, "'date': is missing"),
        ({"renames": renames(("A", "B", date(2015, 1, 1)), ("C", "B", date(2015, 1, 2)))}, "got its name twice"),
    ],
)
def test_tables_that_do_not_fit_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(NamedUniverseError, match=message):
        AssetNames(**fields)  # type: ignore[arg-type] # fields of several types in one mapping


def test_renames_in_a_circle_are_refused() -> None:
    circle = renames(("T0001", "T0000", date(2015, 1, 20)), ("T0000", "T0001", date(2015, 1, 10)))

    with pytest.raises(NamedUniverseError, match="comes back"):
        named(PANEL, circle, "2015-02-02")


def test_an_identifier_table_names_each_ticker_once() -> None:
    with pytest.raises(NamedUniverseError, match="row 2: 'T0000' is there twice"):
        AssetNames(identifiers=pl.DataFrame({"ticker": ["T0000", "T0000"]})).on(PANEL, DAY)
