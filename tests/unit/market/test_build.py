import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crowdalpha.market import (
    FAMILIES,
    FEATURE_SETS,
    Family,
    Market,
    MarketDataError,
    MarketTooShortError,
    build_market,
    feature_sets,
    read_filings,
    read_panel,
    residual_returns,
)
from tests.fixtures.panels import random_panel

N_DAYS = 420


@pytest.fixture(scope="module")
def market() -> Market:
    files = random_panel(n_assets=40, n_days=N_DAYS, seed=5, n_delisted=4)
    return build_market(read_panel(files.prices, files.universe))


def test_eras_are_fridays_after_the_warm_up(market: Market) -> None:
    # 252 business days from a Monday: day 252 is a Wednesday, so the first Friday is day 254
    assert market.era_rows.tolist() == list(range(254, N_DAYS, 5))
    assert market.era_dates[0] == np.datetime64("2015-12-25")
    assert market.n_eras == 34


def test_shapes_fit_together(market: Market) -> None:
    n_features, n_factors = len(market.feature_names), len(market.factor_names)

    block = market.feature_block(30, 34)
    assert block.shape == (4, 40, n_features)
    assert block.dtype == np.float32
    assert market.factor_exposures.shape == (34, 40, n_factors)
    assert sum(map(len, market.feature_groups.values())) == n_features
    assert set(market.targets) == {f"{family}_{days}" for family in FAMILIES for days in (5, 20, 60)}


def test_features_of_members_are_there_and_of_others_are_not(market: Market) -> None:
    values = market.feature_block(0, market.n_eras)

    assert np.isnan(values[~market.universe]).all()
    assert np.isfinite(values[market.universe]).mean() > 0.99


@pytest.mark.parametrize(("first", "last"), [(-1, 2), (3, 2), (0, 35)])
def test_blocks_that_are_not_there_are_refused(market: Market, first: int, last: int) -> None:
    with pytest.raises(MarketDataError, match="eras 0 to 33"):
        market.feature_block(first, last)


def test_delisted_assets_leave_the_universe_and_keep_their_last_targets(market: Market) -> None:
    last_day = max(np.flatnonzero(~np.isnan(market.panel.close[:, -1])))
    last_era = int(np.flatnonzero(market.era_rows <= last_day)[-1])

    assert not market.universe[last_era + 1 :, -1].any()
    assert np.isfinite(market.targets["neutral_20"][last_era - 1, -1]) == market.universe[last_era - 1, -1]


def test_targets_are_known_as_far_as_the_panel_goes(market: Market) -> None:
    known = {name: np.isfinite(values).any(axis=1) for name, values in market.targets.items()}

    np.testing.assert_array_equal(known["neutral_20"], market.era_rows + 22 < N_DAYS)
    np.testing.assert_array_equal(known["sector_60"], market.era_rows + 62 < N_DAYS)


def test_target_is_the_residual_return_of_its_window(market: Market) -> None:
    row, member = market.era_rows[3], market.universe[3]
    returns = market.carried[row + 22, member] / market.carried[row + 2, member] - 1
    design = market.factor_exposures[3][member]
    fitted = design @ np.linalg.lstsq(design, returns, rcond=None)[0]

    np.testing.assert_allclose(market.targets["neutral_20"][3, member], returns - fitted, atol=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("days", [5, 20, 60])
def test_residual_returns_equal_the_targets_to_the_last_bit(market: Market, family: Family, days: int) -> None:
    ours = residual_returns(market, 7, horizon_days=days, family=family)

    np.testing.assert_array_equal(ours, market.targets[f"{family}_{days}"][7])


def test_partial_horizons_are_known_early(market: Market) -> None:
    last = market.n_eras - 1  # day 419 of 0 to 419

    assert np.isnan(residual_returns(market, last, horizon_days=1)).all()
    assert np.isfinite(residual_returns(market, last - 1, horizon_days=3)).sum() == market.universe[last - 1].sum()
    assert np.isnan(residual_returns(market, last - 1, horizon_days=4)).all()


@pytest.mark.parametrize(
    ("era", "horizon_days", "lag_days"),
    [(-1, 20, 2), (99, 20, 2), (0, 0, 2), (0, 20, -1)],
)
def test_what_is_not_there_is_refused(market: Market, era: int, horizon_days: int, lag_days: int) -> None:
    with pytest.raises(MarketDataError):
        residual_returns(market, era, horizon_days=horizon_days, lag_days=lag_days)


def test_an_unknown_family_is_refused(market: Market) -> None:
    with pytest.raises(MarketDataError, match="'style' is none of excess, country, sector, neutral"):
        residual_returns(market, 0, horizon_days=20, family="style")  # type: ignore[arg-type]  # the wrong value is the point


def test_a_short_panel_is_refused_with_what_is_needed() -> None:
    files = random_panel(n_assets=40, n_days=300)

    with pytest.raises(MarketTooShortError, match="at least 382 days of 30 assets") as caught:
        build_market(read_panel(files.prices, files.universe))
    assert (caught.value.eras_available, caught.value.eras_needed) == (10, 26)


def test_a_panel_without_an_era_is_refused() -> None:
    files = random_panel(n_assets=40, n_days=30)

    with pytest.raises(MarketTooShortError, match="the prices give 0 eras"):
        build_market(read_panel(files.prices, files.universe))


def test_a_panel_of_few_assets_is_refused() -> None:
    files = random_panel(n_assets=29, n_days=420)

    with pytest.raises(MarketTooShortError, match="at most 29 of 29 assets"):
        build_market(read_panel(files.prices, files.universe))


def test_weeks_with_too_few_assets_are_counted_and_no_eras() -> None:
    files = random_panel(n_assets=40, n_days=420, n_delisted=20)
    market = build_market(read_panel(files.prices, files.universe), min_assets=35, min_eras=1)

    assert market.universe.sum(axis=1).min() >= 35
    assert market.checks.count("era_too_few_assets") == 34 - market.n_eras > 0


def test_max_assets_limits_the_universe() -> None:
    files = random_panel(n_assets=40, n_days=300)
    market = build_market(read_panel(files.prices, files.universe), max_assets=31, min_eras=1)

    assert set(market.universe.sum(axis=1)) == {31}


def test_features_and_families_can_be_chosen() -> None:
    files = random_panel(n_assets=40, n_days=300)
    market = build_market(
        read_panel(files.prices, files.universe), features=FEATURE_SETS["small"], families=["neutral"], min_eras=1
    )
    needs_more = {"to_country_20", "earnings_to_price", "book_to_price", "return_on_assets", "growth_of_revenues"}

    assert market.feature_names == tuple(name for name in FEATURE_SETS["small"] if name not in needs_more)
    assert set(market.targets) == {"neutral_5", "neutral_20", "neutral_60"}
    assert market.checks.count("feature_unusable") == 5


def test_sets_hold_the_features_that_the_market_has(market: Market) -> None:
    sets = feature_sets(market)

    assert set(sets["small"]) < set(sets["medium"]) < set(sets["all"])
    assert sets["all"] == market.feature_names


def test_reports_bring_features_and_findings() -> None:
    files = random_panel(n_assets=40, n_days=300)
    panel = read_panel(files.prices, files.universe)
    reports = pl.DataFrame(
        {
            "ticker": ["T0001", "ELSE"],
            "available_date": [dt.date(2015, 12, 1)] * 2,
            "period_end": [dt.date(2015, 9, 30)] * 2,
            "period_focus": ["FY"] * 2,
            "cash": [10.0, 1.0],
            "assets": [40.0, 1.0],
        }
    )
    market = build_market(panel, filings=read_filings(reports, panel), min_eras=1)
    shares = market.feature_block(0, market.n_eras)[:, 1, market.feature_names.index("cash_share")]

    np.testing.assert_array_equal(shares, np.full(market.n_eras, 0.25, dtype=np.float32))
    assert market.checks.count("filing_unknown_ticker") == 1
    assert market.checks.count("feature_empty") > 0


def test_without_volume_there_is_no_capacity_target() -> None:
    files = random_panel(n_assets=40, n_days=300, volume=False)
    market = build_market(read_panel(files.prices, files.universe), features=["return_5"], min_eras=1)

    assert {name.partition("_")[0] for name in market.targets} == set(FAMILIES) - {"capacity"}


def test_value_needs_scores(market: Market) -> None:
    with pytest.raises(MarketDataError, match="no value scores"):
        residual_returns(replace(market, value_scores=None), 0, horizon_days=20, family="value")


def test_a_tilted_target_is_a_neutral_book_of_one_side(market: Market) -> None:
    member, momentum = market.universe[3], market.factor_names.index("style:momentum")
    target, exposures = market.targets["momentum_20"][3, member], market.factor_exposures[3][member]
    winners = exposures[:, momentum] > 0

    np.testing.assert_allclose(exposures.T @ target, 0.0, atol=1e-12)
    assert np.abs(target[winners]).mean() > 2 * np.abs(target[~winners]).mean()


def test_progress_ends_at_one_in_every_stage() -> None:
    files = random_panel(n_assets=40, n_days=300)
    told: dict[str, float] = {}
    build_market(read_panel(files.prices, files.universe), min_eras=1, progress=told.__setitem__)

    assert told == {"features": 1.0, "targets": 1.0}


@pytest.mark.shared_data
def test_real_prices_without_volume_make_a_market(shared_data: Callable[[str], Path]) -> None:
    prices = pl.read_parquet(shared_data("prices_gb.parquet")).filter(pl.col("date") >= pl.date(2016, 1, 1))
    market = build_market(read_panel(prices, shared_data("universe.parquet")))

    assert "style:size" not in market.factor_names
    assert market.universe.sum(axis=1).min() >= 30
