import numpy as np
import pytest

from crowdalpha.market import Market, build_market, read_panel
from crowdalpha.market.factors import STYLES, standardize_members, usable_styles
from tests.fixtures.panels import panel_of, random_panel


@pytest.fixture(scope="module")
def market() -> Market:
    files = random_panel(n_assets=48, n_days=300, seed=2, countries=("GB", "US"), missing=0.01)
    return build_market(read_panel(files.prices, files.universe), min_eras=1)


def test_factors_are_market_countries_sectors_styles(market: Market) -> None:
    assert market.factor_names[:3] == ("market", "country:GB", "country:US")
    assert market.factor_names[3:7] == tuple(
        f"sector:{name}" for name in ("Energy", "Financials", "Health Care", "Utilities")
    )
    assert market.factor_names[7:] == tuple(f"style:{style.name}" for style in STYLES)


def test_dummies_of_countries_and_sectors_each_sum_to_the_market(market: Market) -> None:
    for kind in ("country", "sector"):
        total = market.factor_exposures[:, :, market.factor_columns(kind)].sum(axis=2)
        np.testing.assert_array_equal(total[market.universe], 1.0)


def test_exposures_are_known_inside_the_universe_only(market: Market) -> None:
    np.testing.assert_array_equal(np.isfinite(market.factor_exposures).all(axis=2), market.universe)
    np.testing.assert_array_equal(np.isnan(market.factor_exposures).all(axis=2), ~market.universe)


def test_styles_are_z_scores_of_the_universe(market: Market) -> None:
    era = market.factor_exposures[0][market.universe[0]][:, market.factor_columns("style")]

    np.testing.assert_allclose(era.mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(era.std(axis=0), 1.0, atol=1e-12)


def test_liquidity_does_not_repeat_size(market: Market) -> None:
    size, liquidity = (market.factor_names.index(f"style:{name}") for name in ("size", "liquidity"))
    era = market.factor_exposures[-1][market.universe[-1]]

    assert abs(np.corrcoef(era[:, size], era[:, liquidity])[0, 1]) < 0.5


def test_a_z_score_over_three_is_cut_before_the_second_scoring() -> None:
    raw = np.append(np.tile([-1.0, 1.0], 50), 50.0)[None]
    first = (raw - raw.mean()) / raw.std()
    cut = np.clip(first, -3, 3)

    np.testing.assert_allclose(
        standardize_members(raw, np.ones_like(raw, dtype=bool)), (cut - cut.mean()) / cut.std(), rtol=1e-12
    )


def test_a_missing_style_is_the_mean_and_an_equal_one_is_zero() -> None:
    member = np.ones((2, 3), dtype=bool)
    raw = np.array([[0.1, 0.1, 0.1], [np.nan, np.nan, np.nan]])

    np.testing.assert_array_equal(standardize_members(raw, member), np.zeros((2, 3)))


def test_without_volume_size_and_liquidity_are_left_out() -> None:
    names = [style.name for style in usable_styles(panel_of(np.ones((3, 2))))]

    assert names == ["momentum", "reversal", "volatility", "beta"]


def test_missing_styles_are_counted() -> None:
    files = random_panel(n_assets=40, n_days=300)
    flat = files.prices.with_columns(close=files.prices["close"].mean(), open=None, high=None, low=None)
    panel = read_panel(flat, files.universe)
    market = build_market(panel, min_eras=1)

    # volatility and beta of prices that never move: two styles of 40 assets in each era
    assert market.checks.count("style_missing") == 2 * 40 * market.n_eras
