"""Laws of the book: parts add up to totals, and nothing is read from the future."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdalpha.portfolio import (
    Backtest,
    CostModel,
    Execution,
    backtest,
    cost_attribution,
    drawdown,
    factor_attribution,
    hierarchical_risk_parity,
    monthly_returns,
    nested_clusters,
    performance,
    summarize_backtest,
)
from crowdalpha.scoring.arrays import FloatArray

SEEDS = st.integers(0, 2**32 - 1)
LAW = settings(deadline=None, max_examples=50)
N_DAYS, N_ASSETS, N_FACTORS = 40, 6, 3
DATES = np.arange("2023-11-20", "2024-12-31", 10, dtype="datetime64[D]")[:N_DAYS]


def drawn(seed: int) -> tuple[Backtest, FloatArray, np.random.Generator]:
    """A book with every cost, gaps in prices, a delisting, an asset that nobody lends, and volumes that run out."""
    rng = np.random.default_rng(seed)
    returns = np.where(rng.random((N_DAYS, N_ASSETS)) < 0.1, np.nan, rng.normal(0, 0.02, (N_DAYS, N_ASSETS)))
    returns[N_DAYS // 2 :, 0] = np.nan
    costs = CostModel(
        borrow_bps_per_year=np.array([40.0, 40.0, 300.0, np.inf, 0.0, 40.0]),
        cash_bps_per_year=300,
        financing_spread_bps_per_year=50,
    )
    rules = Execution(costs=costs, max_participation=0.2, delisting_return=-0.3, patience_days=2)
    result = backtest(
        returns,
        {day: rng.normal(0, 0.2, N_ASSETS) for day in range(-1, N_DAYS, 3)},
        volatility=rng.uniform(0.01, 0.03, returns.shape),
        adv=rng.choice([0.0, 1e5, 1e7], returns.shape),
        last_traded=np.array([N_DAYS // 2 - 1, *[N_DAYS - 1] * (N_ASSETS - 1)]),
        dates=DATES,
        value=1e6,
        execution=rules,
    )
    return result, returns, rng


@LAW
@given(SEEDS)
def test_every_day_the_value_changes_by_what_was_earned_less_each_cost(seed: int) -> None:
    result, _, _ = drawn(seed)

    costs = result.linear_cost + result.impact_cost + result.borrow_cost + result.financing_cost
    np.testing.assert_allclose(result.returns, result.earned.sum(axis=1) - costs, atol=1e-14)
    np.testing.assert_allclose(
        np.diff(result.value, prepend=1e6), result.value_before * result.returns, rtol=1e-9, atol=1e-6
    )


@LAW
@given(SEEDS)
def test_costs_by_kind_add_up_to_the_change_of_value(seed: int) -> None:
    result, _, _ = drawn(seed)

    parts = cost_attribution(result)

    total = parts.gross - parts.spread_and_commission - parts.impact - parts.borrow - parts.financing
    np.testing.assert_allclose(total, parts.net, atol=1e-13)
    np.testing.assert_allclose(parts.net, result.value[-1] / 1e6 - 1, atol=1e-13)


@LAW
@given(SEEDS)
def test_factors_and_the_rest_add_up_to_what_was_earned(seed: int) -> None:
    result, returns, rng = drawn(seed)
    exposures = np.where(rng.random((4, N_ASSETS, 1)) < 0.2, np.nan, rng.normal(0, 1, (4, N_ASSETS, N_FACTORS)))
    eras = np.repeat(np.arange(-1, 3), N_DAYS // 4)

    parts = factor_attribution(result, returns, exposures, era_of_day=eras)
    report = summarize_backtest(result, DATES, factor_parts=parts, factor_names=["a", "b", "a"], exposures={})

    np.testing.assert_allclose(parts.sum(axis=1), result.earned.sum(axis=1), atol=1e-14)
    np.testing.assert_allclose(sum(report.factors.values()), report.costs.gross, atol=1e-13)
    assert list(report.factors) == ["a", "b", "specific"]


@LAW
@given(SEEDS)
def test_months_compound_to_years_and_years_to_the_whole(seed: int) -> None:
    result, _, _ = drawn(seed)

    table = monthly_returns(result.returns, DATES)

    np.testing.assert_allclose(np.nanprod(1 + table.months, axis=1), 1 + table.yearly, rtol=1e-12)
    np.testing.assert_allclose(np.prod(1 + table.yearly), 1 + table.total, rtol=1e-12)
    np.testing.assert_allclose(1 + table.total, result.value[-1] / 1e6, rtol=1e-12)


@LAW
@given(SEEDS)
def test_nobody_shorts_what_nobody_lends(seed: int) -> None:
    result, _, _ = drawn(seed)

    assert (result.weights[:, 3] >= 0).all()
    assert (result.weights[:, 5] < 0).any() or (result.weights[:, 4] < 0).any()


@LAW
@given(SEEDS)
def test_the_same_arguments_give_the_same_book_to_the_last_bit(seed: int) -> None:
    (first, _, _), (second, _, _) = drawn(seed), drawn(seed)

    assert first.value.tobytes() == second.value.tobytes()
    assert first.weights.tobytes() == second.weights.tobytes()


@LAW
@given(SEEDS)
def test_the_deepest_drawdown_is_that_of_the_performance(seed: int) -> None:
    result, _, _ = drawn(seed)

    assert performance(result.returns).max_drawdown == drawdown(result.returns).max()


@LAW
@given(SEEDS, st.integers(2, 12))
def test_trees_give_weights_that_add_up_and_do_not_depend_on_units(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((n, 3 * n))
    covariance = root @ root.T

    for allocate in (hierarchical_risk_parity, nested_clusters):
        weights = allocate(covariance)
        assert (weights >= 0).all()
        np.testing.assert_allclose(weights.sum(), 1.0)
        np.testing.assert_allclose(allocate(covariance * 1e-4), weights, atol=1e-9)
