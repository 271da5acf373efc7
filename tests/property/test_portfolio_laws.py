"""Laws of the optimiser, the risk model, the costs and the book."""

from dataclasses import replace

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from crowdalpha.portfolio import (
    CostModel,
    Execution,
    ReferenceBook,
    backtest,
    bias_statistic,
    dropout_contribution,
    estimate_risk,
    expected_returns,
    last_traded_day,
    performance,
    prepare_contribution,
    realized_exposures,
    true_contribution,
)
from crowdalpha.scoring.arrays import FloatArray
from tests.fixtures.portfolios import PortfolioProblem, objective, optimize, random_problem

SEEDS = st.integers(0, 2**32 - 1)
# A deadline would measure what else the machine does.
LAW = settings(deadline=None)
SOLVES = settings(deadline=None, max_examples=25)
FREE = Execution(costs=CostModel(half_spread_bps=0, commission_bps=0, impact=0, borrow_bps_per_year=0))


def neutral_directions(problem: PortfolioProblem, rng: np.random.Generator, *, n: int) -> FloatArray:
    """Random directions in which no neutrality changes, many of them between a few assets only."""
    n_assets = len(problem.alpha)
    picked = rng.random((n, n_assets)) < rng.choice([0.4, 1.0], (n, 1))
    steps = rng.standard_normal((n, n_assets)) * picked
    groups = problem.neutral[:, 1:]
    sizes = picked @ groups
    means = np.divide(steps @ groups, sizes, out=np.zeros(sizes.shape), where=sizes > 0)
    return (steps - means @ groups.T) * picked


def feasible(problem: PortfolioProblem, weights: FloatArray) -> bool:
    return bool(
        np.abs(weights).max() <= problem.position_limit
        and np.abs(weights).sum() <= problem.gross_limit
        and np.abs(weights - problem.previous).sum() <= problem.turnover_limit
    )


def better_than(problem: PortfolioProblem, weights: FloatArray, rng: np.random.Generator, *, slack: float) -> int:
    """Count feasible steps, of many sizes and directions, that improve the objective by more than `slack`."""
    start = objective(problem, weights)
    sizes = 10.0 ** rng.uniform(-6, -1, 300)
    candidates = weights + sizes[:, None] * neutral_directions(problem, rng, n=300)
    return sum(feasible(problem, new) and objective(problem, new) > start + slack for new in candidates)


@SOLVES
@given(SEEDS)
def test_no_feasible_direction_improves_the_optimum(seed: int) -> None:
    problem = random_problem(seed)
    solution = optimize(problem)

    found = better_than(problem, solution.weights, np.random.default_rng(seed), slack=solution.duality_gap + 1e-12)

    assert solution.relaxed == ()
    assert found == 0


@SOLVES
@given(SEEDS, st.floats(1e-4, 0.02))
def test_no_feasible_direction_improves_the_optimum_with_impact_by_more_than_the_gap(seed: int, impact: float) -> None:
    problem = replace(random_problem(seed), impact=np.full(12, impact))
    solution = optimize(problem)

    found = better_than(problem, solution.weights, np.random.default_rng(seed), slack=solution.duality_gap + 1e-12)

    assert found == 0


def test_the_search_for_better_directions_finds_them_where_they_exist() -> None:
    problem = random_problem(0)
    wrong = optimize(replace(problem, alpha=-problem.alpha)).weights

    assert better_than(problem, wrong, np.random.default_rng(0), slack=1e-9) > 0


@SOLVES
@example(seed=4690)  # a Hessian that is singular but for rounding
@given(SEEDS)
def test_every_limit_holds_or_is_reported(seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem = replace(
        random_problem(seed),
        previous=0.2 * rng.standard_normal(12),
        tradable=rng.random(12) < 0.8,
        turnover_limit=float(rng.uniform(0, 2)),
        gross_limit=float(rng.uniform(0.1, 2)),
    )
    solution = optimize(problem)

    given_limits = (problem.turnover_limit, problem.gross_limit)
    used = (solution.turnover, float(np.abs(solution.weights).sum()))
    names = ("turnover", "gross")
    broken = {name for name, limit, value in zip(names, given_limits, used, strict=True) if value > limit + 1e-7}
    assert broken <= set(solution.relaxed)
    assert solution.max_violation <= 1e-8
    np.testing.assert_array_equal(solution.weights[~problem.tradable], problem.previous[~problem.tradable])


@SOLVES
@given(SEEDS, st.permutations(range(12)))
def test_the_order_of_assets_does_not_matter(seed: int, order: list[int]) -> None:
    problem = random_problem(seed)
    risk = problem.risk
    mixed = replace(
        problem,
        alpha=problem.alpha[order],
        previous=problem.previous[order],
        neutral=problem.neutral[order],
        trading_cost=problem.trading_cost[order],
        risk=replace(risk, loadings=risk.loadings[order], specific_variance=risk.specific_variance[order]),
    )

    np.testing.assert_allclose(optimize(mixed).weights, optimize(problem).weights[order], atol=1e-9)


@SOLVES
@given(SEEDS, st.floats(1e-3, 1e3))
def test_the_unit_of_the_objective_does_not_matter(seed: int, unit: float) -> None:
    problem = random_problem(seed)
    scaled = replace(
        problem,
        alpha=problem.alpha * unit,
        trading_cost=problem.trading_cost * unit,
        risk_aversion=problem.risk_aversion * unit,
    )

    np.testing.assert_allclose(optimize(scaled).weights, optimize(problem).weights, atol=1e-9)


@SOLVES
@given(SEEDS)
def test_turning_the_world_around_turns_the_book_around(seed: int) -> None:
    problem = random_problem(seed)
    turned = replace(problem, alpha=-problem.alpha, previous=-problem.previous)

    np.testing.assert_allclose(optimize(turned).weights, -optimize(problem).weights, atol=1e-9)


@LAW
@given(SEEDS, st.floats(0, 0.2))
def test_estimated_risk_is_a_covariance(seed: int, missing: float) -> None:
    rng = np.random.default_rng(seed)
    returns = np.where(rng.random((30, 12)) < missing, np.nan, rng.standard_normal((30, 12)))
    risk = estimate_risk(returns, np.column_stack([np.ones(12), rng.standard_normal((12, 2))]))

    assert np.linalg.eigvalsh(risk.factor_covariance).min() >= -1e-12
    assert (risk.specific_variance > 0).all()


@LAW
@given(SEEDS, st.permutations(range(12)))
def test_risk_does_not_depend_on_the_order_of_assets(seed: int, order: list[int]) -> None:
    rng = np.random.default_rng(seed)
    returns, exposures, book = rng.standard_normal((30, 12)), rng.standard_normal((12, 3)), rng.standard_normal(12)

    plain, mixed = estimate_risk(returns, exposures), estimate_risk(returns[:, order], exposures[order])

    np.testing.assert_allclose(mixed.variance(book[order]), plain.variance(book), rtol=1e-8)


@LAW
@given(SEEDS, st.floats(0.1, 10))
def test_returns_twice_as_large_are_four_times_the_variance(seed: int, size: float) -> None:
    rng = np.random.default_rng(seed)
    returns, exposures, book = rng.standard_normal((30, 12)), rng.standard_normal((12, 3)), rng.standard_normal(12)

    plain, grown = estimate_risk(returns, exposures), estimate_risk(size * returns, exposures)

    np.testing.assert_allclose(grown.variance(book), size**2 * plain.variance(book), rtol=1e-8)


@LAW
@given(arrays(np.float64, 5, elements=st.floats(1e-4, 0.1)), st.floats(0.1, 10))
def test_bias_grows_with_what_happened(predicted: FloatArray, size: float) -> None:
    assert np.isclose(bias_statistic(size * predicted, predicted), size)


@LAW
@given(st.floats(0, 0.1), st.floats(0, 0.1))
def test_two_trades_on_the_same_side_cost_more_together(first: float, second: float) -> None:
    model = CostModel()

    def cost(trade: float) -> float:
        return float(
            model.trade_cost(np.array([trade]), volatility=np.array([0.02]), adv=np.array([1e6]), nav=1e6)[0],
        )

    assert cost(first + second) >= cost(first) + cost(second) - 1e-15
    assert cost(-first) == cost(first)


@LAW
@given(arrays(np.float64, 6, elements=st.floats(-2, 2)), st.floats(0, 20))
def test_holding_costs_add_up_over_days(weights: FloatArray, days: float) -> None:
    model = CostModel()

    np.testing.assert_allclose(model.holding_cost(weights, days=days), days * model.holding_cost(weights), atol=1e-15)


@LAW
@given(arrays(np.float64, 8, elements=st.floats(-5, 5), unique=True), st.floats(0.1, 10), st.floats(-5, 5))
def test_expected_returns_ignore_scale_and_level_of_the_signal(signal: FloatArray, scale: float, level: float) -> None:
    volatility = np.linspace(0.05, 0.2, 8)
    plain = expected_returns(np.round(signal, 3) + np.arange(8), volatility=volatility, information_coefficient=0.03)
    moved = expected_returns(
        scale * (np.round(signal, 3) + np.arange(8)) + level, volatility=volatility, information_coefficient=0.03
    )

    np.testing.assert_allclose(moved, plain, atol=1e-9)


@LAW
@given(SEEDS)
def test_value_changes_by_returns_and_costs_alone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    returns = np.where(rng.random((15, 4)) < 0.1, np.nan, rng.normal(0, 0.02, (15, 4)))
    targets = {day: rng.normal(0, 0.3, 4) for day in range(0, 15, 3)}
    history = backtest(returns, targets, volatility=np.full((15, 4), 0.02), adv=np.full((15, 4), 1e6), value=1e6)

    before = np.vstack([np.zeros(4), history.weights[:-1]])
    earned = (before * np.nan_to_num(returns)).sum(axis=1)
    value_before = np.concatenate([[1e6], history.value[:-1]])
    paid = value_before * (history.trade_cost + history.holding_cost)
    np.testing.assert_allclose(history.value, value_before * (1 + earned) - paid, rtol=1e-12)


@LAW
@given(SEEDS, st.permutations(range(4)))
def test_a_book_does_not_depend_on_the_order_of_assets(seed: int, order: list[int]) -> None:
    rng = np.random.default_rng(seed)
    returns, target = rng.normal(0, 0.02, (6, 4)), rng.normal(0, 0.3, 4)

    plain = backtest(returns, {0: target}, execution=FREE)
    mixed = backtest(returns[:, order], {0: target[order]}, execution=FREE)

    np.testing.assert_allclose(mixed.value, plain.value, rtol=1e-12)
    np.testing.assert_allclose(mixed.weights, plain.weights[:, order], atol=1e-12)


@LAW
@given(SEEDS, st.integers(1, 14))
def test_deleting_the_future_changes_nothing(seed: int, length: int) -> None:
    rng = np.random.default_rng(seed)
    returns = rng.normal(0, 0.02, (15, 3))
    targets = {day: rng.normal(0, 0.3, 3) for day in range(15)}

    whole, part = (backtest(rows, targets, execution=FREE) for rows in (returns, returns[:length]))

    np.testing.assert_array_equal(whole.weights[:length], part.weights)


@LAW
@given(arrays(np.float64, st.integers(2, 20), elements=st.floats(-0.5, 0.5)))
def test_performance_stays_in_its_ranges(returns: FloatArray) -> None:
    result = performance(returns)

    assert 0 <= result.max_drawdown < 1
    assert result.annual_volatility >= 0
    assert np.isnan(result.sharpe) == (result.annual_volatility == 0)
    assert result.annual_volatility > 0 or np.ptp(returns) < 1e-9


@LAW
@given(SEEDS)
def test_exposures_add_up(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights, exposures = rng.standard_normal((2, 5, 4)), rng.standard_normal((4, 3))

    total = realized_exposures(weights.sum(axis=0), exposures)

    np.testing.assert_allclose(total, sum(realized_exposures(part, exposures) for part in weights), atol=1e-12)


@LAW
@given(arrays(np.bool_, (6, 4)))
def test_nothing_trades_after_its_last_day(traded: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> None:
    last = last_traded_day(np.where(traded, 1.0, np.nan))

    after = np.arange(6)[:, None] > last
    assert not (traded & after).any()
    assert traded[last[last >= 0], np.flatnonzero(last >= 0)].all()


def random_crowd(seed: int) -> tuple[ReferenceBook, FloatArray, FloatArray, FloatArray]:
    """Draw a small round: the book of `random_problem` from cash, six models, stakes and returns."""
    rng, problem = np.random.default_rng(seed), random_problem(seed)
    book = ReferenceBook(
        risk=problem.risk,
        volatility=np.sqrt(problem.risk.specific_variance),
        constraints=replace(problem.constraints, turnover_limit=np.inf),
        costs=problem.costs,
        settings=problem.settings,
    )
    return book, rng.standard_normal((12, 6)), np.exp(rng.standard_normal(6)), 0.08 * rng.standard_normal(12)


@SOLVES
@given(SEEDS, st.floats(0.01, 100))
def test_stakes_weigh_contributions_to_zero_in_any_unit(seed: int, unit: float) -> None:
    book, predictions, stakes, returns = random_crowd(seed)

    plain = true_contribution(predictions, stakes, returns, book=book)
    scaled = true_contribution(predictions, unit * stakes, returns, book=book)

    assert abs(stakes @ plain) <= 1e-10 * (stakes @ np.abs(plain) + 1e-12)
    np.testing.assert_allclose(scaled, plain, atol=1e-9)


@SOLVES
@given(SEEDS, st.floats(0.05, 0.95))
def test_splitting_a_model_over_two_accounts_changes_nothing(seed: int, share: float) -> None:
    book, predictions, stakes, returns = random_crowd(seed)
    split = np.append(stakes, (1 - share) * stakes[0])
    split[0] *= share

    alone = true_contribution(predictions, stakes, returns, book=book)
    both = true_contribution(np.column_stack([predictions, predictions[:, 0]]), split, returns, book=book)

    np.testing.assert_allclose(both, np.append(alone, alone[0]), atol=1e-9)


@SOLVES
@given(SEEDS)
def test_nobody_is_paid_for_exposures_that_the_book_does_not_take(seed: int) -> None:
    book, predictions, stakes, _ = random_crowd(seed)
    neutral = random_problem(seed).neutral

    days = prepare_contribution(predictions, stakes, book=book).contributions(neutral)

    np.testing.assert_allclose(days, 0.0, atol=1e-9)


@SOLVES
@given(SEEDS)
def test_only_ranks_of_a_model_count(seed: int) -> None:
    book, predictions, stakes, returns = random_crowd(seed)

    plain = true_contribution(predictions, stakes, returns, book=book)

    np.testing.assert_allclose(true_contribution(np.exp(predictions), stakes, returns, book=book), plain, atol=1e-12)


@SOLVES
@given(SEEDS, st.integers(0, 2**16))
def test_the_same_seed_drops_the_same_stakes(seed: int, drawn: int) -> None:
    book, predictions, stakes, returns = random_crowd(seed)

    first, second = (
        dropout_contribution(predictions, stakes, returns, book=book, seed=drawn, n_draws=3, share=0.9)
        for _ in range(2)
    )

    np.testing.assert_array_equal(first.mean, second.mean)
