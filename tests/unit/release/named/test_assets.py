from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.market import Market, build_market, read_panel, residual_returns
from crowdalpha.release.errors import ReleaseError
from crowdalpha.release.named import AssetNames, named_target_frame, named_universe, orthonormal_exposures
from crowdalpha.release.named.assets import sample_weights
from crowdalpha.scoring import neutralized_weights
from tests.fixtures.panels import random_panel


@pytest.fixture(scope="module")
def market() -> Market:
    files = random_panel(n_assets=50, n_days=480, countries=("US", "GB"), n_delisted=6)
    return build_market(read_panel(files.prices, files.universe), features=("momentum_60",), families=("neutral",))


def test_live_are_the_members_of_the_era_and_the_others_say_why_not(market: Market) -> None:
    era = market.n_eras - 1
    universe = named_universe(market, era=era, names=AssetNames())
    panel = market.panel
    expected = sorted(
        f"{panel.tickers[asset]} {panel.country[asset]}" for asset in np.flatnonzero(market.universe[era])
    )

    assert list(universe.live_ids) == expected
    assert set(universe.assets["status"]) <= {"live", "outside", "delisted"}
    assert universe.assets.filter(universe.assets["status"] == "delisted").height > 0


def test_weights_of_any_signal_have_no_exposure_to_any_factor(market: Market) -> None:
    era = market.n_eras - 1
    universe = named_universe(market, era=era, names=AssetNames())
    members = np.flatnonzero(market.universe[era])
    by_id = np.argsort([f"{market.panel.tickers[asset]} {market.panel.country[asset]}" for asset in members])
    signal = np.random.default_rng(0).normal(size=(len(members), 2))
    weights = neutralized_weights(signal, universe.neutralizers, universe.sample_weights)

    exposures = market.factor_exposures[era][members[by_id]].T @ weights
    assert np.abs(exposures).max() < 1e-9 * np.abs(weights).sum()


def test_what_came_after_the_day_changes_no_byte(market: Market) -> None:
    era = market.n_eras // 2
    row = int(market.era_rows[era])
    cut = {name: getattr(market.panel, name).copy() for name in ("close", "dollar_volume")}
    for values in cut.values():
        values[row + 1 :] = np.nan
    before = replace(market, panel=replace(market.panel, **cut))

    assert named_universe(before, era=era, names=AssetNames()).to_bytes() == (
        named_universe(market, era=era, names=AssetNames()).to_bytes()
    )


def test_an_asset_that_trades_more_weighs_more_within_bounds(market: Market) -> None:
    row, live = int(market.era_rows[-1]), np.flatnonzero(market.universe[-1])
    weights = sample_weights(market.panel, row, live)
    traded = np.nanmedian(market.panel.dollar_volume[row - 59 : row + 1, live], axis=0)

    assert weights.mean() == pytest.approx(1.0)
    assert weights.max() / np.median(weights) <= 4.0 + 1e-12
    assert (np.diff(weights[np.argsort(traded)]) >= 0).all()


@pytest.mark.parametrize("value", [np.nan, 0.0])
def test_without_volume_all_weigh_the_same(market: Market, value: float) -> None:
    panel = replace(market.panel, dollar_volume=np.full_like(market.panel.dollar_volume, value))

    assert set(sample_weights(panel, 400, np.arange(5))) == {1.0}


def test_collinear_factors_give_fewer_columns() -> None:
    exposures = np.random.default_rng(1).normal(size=(20, 3))
    columns = orthonormal_exposures(np.column_stack([exposures, exposures.sum(axis=1)]), np.full(20, 2.0))

    assert columns.shape == (20, 3)
    np.testing.assert_allclose(columns.T @ (2.0 * columns), np.eye(3), atol=1e-12)


def test_targets_come_under_the_ids_of_the_universe(market: Market) -> None:
    era = market.n_eras - 1
    values = residual_returns(market, era, horizon_days=2, lag_days=0)
    frame = named_target_frame(market, era=era, names=AssetNames(), values=values)

    assert tuple(frame["id"]) == named_universe(market, era=era, names=AssetNames()).live_ids
    assert set(frame["target"].drop_nulls()) <= {0.0, 0.25, 0.5, 0.75, 1.0}


def test_eras_and_values_that_are_not_there_are_refused(market: Market) -> None:
    with pytest.raises(ReleaseError, match="has no era"):
        named_universe(market, era=market.n_eras, names=AssetNames())
    with pytest.raises(ReleaseError, match="values of shape"):
        named_target_frame(market, era=0, names=AssetNames(), values=np.zeros(3))


def test_a_market_of_no_more_assets_than_factors_is_refused(market: Market) -> None:
    small = np.zeros_like(market.universe)
    small[:, :5] = True

    with pytest.raises(ReleaseError, match="nothing would be left"):
        named_universe(replace(market, universe=small), era=3, names=AssetNames())
