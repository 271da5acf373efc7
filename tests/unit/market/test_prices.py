from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crowdalpha.market.checks import PanelShapeError, UniverseFileError
from crowdalpha.market.prices import read_panel
from tests.fixtures.panels import panel_of, random_panel


def frame(**columns: object) -> pl.DataFrame:
    return pl.DataFrame({"date": ["2024-01-02", "2024-01-03"], "ticker": ["A", "A"], "close": [10.0, 12.0]} | columns)


def test_total_return_price_is_close_times_factor_and_value_is_raw() -> None:
    panel = read_panel(frame(open=[9.0, 11.0], volume=[100, 50], adj_factor=[0.5, 1.0]))

    assert panel.close.ravel().tolist() == [5.0, 12.0]
    assert panel.open.ravel().tolist() == [4.5, 11.0]
    assert panel.dollar_volume.ravel().tolist() == [1000.0, 600.0]


def test_missing_days_are_nan_and_counted() -> None:
    days = ["2024-01-02", "2024-01-04", "2024-01-02", "2024-01-03", "2024-01-04"]
    panel = read_panel(pl.DataFrame({"date": days, "ticker": list("AABBB"), "close": [1.0, 2.0, 3.0, 4.0, 5.0]}))

    np.testing.assert_array_equal(panel.close, [[1.0, 3.0], [np.nan, 4.0], [2.0, 5.0]])
    assert panel.checks.count("days_missing") == 1


def test_without_country_and_universe_there_is_one_of_each() -> None:
    panel = read_panel(frame())

    assert panel.country.tolist() == ["XX"]
    assert panel.sector.tolist() == ["Unknown"]
    assert panel.checks.count("sector_unknown") == 1


def test_sector_is_joined_on_country_and_ticker() -> None:
    universe = pl.DataFrame({"country": ["GB", "US"], "ticker": ["A", "A"], "sector": ["Energy", "Utilities"]})
    panel = read_panel(frame(country="US"), universe)

    assert panel.sector.tolist() == ["Utilities"]
    assert panel.checks.count("universe_unused") == 1


def test_country_is_taken_from_the_universe_where_prices_have_none() -> None:
    panel = read_panel(frame(), pl.DataFrame({"country": ["GB"], "ticker": ["A"], "sector": ["Energy"]}))

    assert (panel.country.tolist(), panel.sector.tolist()) == (["GB"], ["Energy"])


def test_universe_without_countries_joins_on_ticker() -> None:
    panel = read_panel(frame(country="US"), pl.DataFrame({"ticker": ["A"], "sector": ["Energy"]}))

    assert (panel.country.tolist(), panel.sector.tolist()) == (["US"], ["Energy"])


def test_a_ticker_of_two_countries_needs_prices_with_a_country() -> None:
    with pytest.raises(UniverseFileError, match="more than one country"):
        read_panel(frame(), pl.DataFrame({"country": ["GB", "US"], "ticker": ["A", "A"]}))


def test_one_code_in_two_countries_is_two_assets() -> None:
    panel = read_panel(frame(date="2024-01-02", country=["US", "GB"]))

    assert panel.tickers == ("GB:A", "US:A")
    assert panel.country.tolist() == ["GB", "US"]


def test_securities_of_one_ticker_share_its_sector() -> None:
    universe = pl.DataFrame({"ticker": ["A"], "sector": ["Energy"]})
    panel = read_panel(frame(security=["A", "A.1"]), universe)

    assert panel.tickers == ("A", "A.1")
    assert panel.sector.tolist() == ["Energy", "Energy"]


def test_mixed_currencies_are_noted() -> None:
    panel = read_panel(frame(ticker=["A", "B"], currency=["USD", "INR"]))

    assert panel.checks.count("currency_mixed") == 2


def test_order_of_rows_changes_nothing_but_the_note() -> None:
    files = random_panel(n_assets=5, n_days=30, missing=0.1)
    sorted_panel = read_panel(files.prices, files.universe)
    shuffled = read_panel(files.prices.sample(fraction=1.0, shuffle=True, seed=1), files.universe)

    np.testing.assert_array_equal(shuffled.close, sorted_panel.close)
    assert shuffled.checks.count("rows_unsorted") > 0
    assert sorted_panel.checks.count("rows_unsorted") == 0


def test_rows_read_and_kept_are_counted() -> None:
    checks = read_panel(frame(close=[0.0, 12.0])).checks

    assert (checks.rows_read, checks.rows_kept) == (2, 1)


@pytest.mark.parametrize("field", ["close", "volume", "country", "sector"])
def test_panel_refuses_arrays_that_do_not_fit(field: str) -> None:
    panel = panel_of(np.ones((3, 2)))

    with pytest.raises(PanelShapeError, match=field):
        replace(panel, **{field: getattr(panel, field)[:1]})


def test_panel_refuses_days_and_tickers_out_of_order() -> None:
    panel = panel_of(np.ones((3, 2)))

    with pytest.raises(PanelShapeError, match="dates"):
        replace(panel, dates=panel.dates[::-1])
    with pytest.raises(PanelShapeError, match="tickers"):
        replace(panel, tickers=("B", "A"))


@pytest.mark.shared_data
def test_real_prices_without_volume_are_read(shared_data: Callable[[str], Path]) -> None:
    panel = read_panel(shared_data("prices_gb.parquet"), shared_data("universe.parquet"))

    assert panel.close.shape == (4807, 64)
    assert set(panel.country) == {"GB"}
    assert panel.checks.count("column_empty") == 4
    assert panel.checks.count("sector_unknown") == 2
