import numpy as np
import pytest
import scipy.stats

from crowdalpha.lab.trading import START_VALUE, Trader
from crowdalpha.market import Market, MarketDataError, build_market, read_panel, signal_kept, target_correlations
from crowdalpha.market.targets import factor_basis
from crowdalpha.portfolio import open_book
from tests.fixtures.panels import random_panel

ERA = 4


@pytest.fixture(scope="module")
def market() -> Market:
    files = random_panel(n_assets=200, n_days=400, seed=6, countries=("GB", "US"))
    return build_market(read_panel(files.prices, files.universe), features=["return_5"], min_eras=1)


def test_correlations_are_means_of_rank_correlations(market: Market) -> None:
    names, found = target_correlations({name: market.targets[name][:2] for name in ("excess_20", "value_60")})
    pairs = [(market.targets["excess_20"][era], market.targets["value_60"][era]) for era in (0, 1)]
    expected = np.mean([scipy.stats.spearmanr(*pair).statistic for pair in pairs])

    assert names == ("excess_20", "value_60")
    np.testing.assert_allclose(found, [[1.0, expected], [expected, 1.0]], rtol=1e-12)


def test_no_era_with_all_targets_leaves_nothing() -> None:
    _, found = target_correlations({"a": np.full((2, 5), np.nan), "b": np.ones((2, 5))})

    assert np.isnan(found).all()


def test_tilted_families_are_not_shades_of_one(market: Market) -> None:
    tilted = ("neutral_20", "value_20", "momentum_20", "volatility_20", "capacity_20")
    _, found = target_correlations({name: market.targets[name] for name in tilted})

    assert found[np.triu_indices(5, 1)].max() < 0.9


@pytest.mark.parametrize("days", [5, 20, 60])
def test_the_raw_neutral_target_is_what_the_best_neutral_book_holds(market: Market, days: int) -> None:
    kept = signal_kept(market, f"neutral_{days}", binned=False)

    np.testing.assert_allclose(kept[np.isfinite(kept)], 1.0, rtol=1e-12)
    np.testing.assert_array_equal(np.isfinite(kept), market.era_rows + 2 + days < len(market.panel.dates))


def test_bins_of_the_payout_target_keep_most_of_the_signal_and_more_than_others(market: Market) -> None:
    kept = {name: np.nanmean(signal_kept(market, f"{name}_20")) for name in ("neutral", "sector", "excess", "capacity")}

    assert kept["neutral"] > 0.9
    assert kept["neutral"] == max(kept.values())


def test_the_optimizer_earns_most_of_what_a_perfect_forecast_of_the_payout_target_knows(market: Market) -> None:
    target, exposures = market.targets["neutral_20"][ERA], market.factor_exposures[ERA]
    known = np.isfinite(target)
    signal = np.full(len(target), np.nan)
    signal[known] = scipy.stats.norm.ppf((scipy.stats.rankdata(target[known]) - 0.5) / known.sum())
    weights = Trader(market).decide(signal, era=ERA, book=open_book(START_VALUE, n_assets=len(target))).weights[known]
    basis = factor_basis(exposures[known])
    held = weights - basis @ (basis.T @ weights)
    earned = held @ target[known] / (np.linalg.norm(held) * np.linalg.norm(target[known]))

    np.testing.assert_allclose(exposures[known].T @ weights, 0.0, atol=1e-6)
    assert earned > 0.6


def test_an_unknown_target_is_refused(market: Market) -> None:
    with pytest.raises(MarketDataError, match="no target 'nomi_20'"):
        signal_kept(market, "nomi_20")
