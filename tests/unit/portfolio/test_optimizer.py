from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linprog

from crowdalpha import portfolio
from crowdalpha.portfolio import Constraints, FactorRisk, SolverError, TradeCosts
from crowdalpha.scoring.checks import NonFiniteError, RangeError
from tests.fixtures.portfolios import (
    PortfolioProblem,
    objective,
    optimize,
    plain_problem,
    random_problem,
    reference_weights,
)

RISK = FactorRisk(np.zeros((2, 1)), np.zeros((1, 1)), np.full(2, 0.1))


def with_one_frozen(weight: float, *, group_mates: bool) -> PortfolioProblem:
    """Freeze asset 0 at `weight`; without group mates, nothing else in its group may be held."""
    problem = random_problem(1)
    previous, tradable, alpha = np.zeros(12), np.ones(12, dtype=np.bool_), problem.alpha.copy()
    previous[0], tradable[0] = weight, False
    alpha[3::3] = alpha[3::3] if group_mates else np.nan
    return replace(problem, previous=previous, tradable=tradable, alpha=alpha, turnover_limit=10.0)


def test_without_limits_it_inverts_the_risk() -> None:
    problem = replace(random_problem(0), neutral=np.zeros((12, 0)), trading_cost=np.zeros(12), position_limit=99.0)
    risk = problem.risk
    covariance = risk.loadings @ risk.factor_covariance @ risk.loadings.T + np.diag(risk.specific_variance)

    solution = optimize(replace(problem, gross_limit=99.0, turnover_limit=99.0, risk_aversion=20.0))

    np.testing.assert_allclose(solution.weights, np.linalg.solve(20 * covariance, problem.alpha), atol=1e-8)


def test_with_neutrality_alone_it_solves_the_kkt_system() -> None:
    problem = replace(random_problem(0), trading_cost=np.zeros(12), position_limit=99.0, risk_aversion=20.0)
    risk, rows = problem.risk, problem.neutral[:, 1:].T
    hessian = 20 * (risk.loadings @ risk.factor_covariance @ risk.loadings.T + np.diag(risk.specific_variance))
    kkt = np.block([[hessian, rows.T], [rows, np.zeros((3, 3))]])
    expected = np.linalg.solve(kkt, np.concatenate([problem.alpha, np.zeros(3)]))[:12]

    solution = optimize(replace(problem, gross_limit=99.0, turnover_limit=99.0))

    np.testing.assert_allclose(solution.weights, expected, atol=1e-8)


def test_a_linear_cost_is_a_soft_threshold() -> None:
    problem = replace(plain_problem([0.05, 0.012, 0.01, -0.03]), trading_cost=np.full(4, 0.013))

    solution = optimize(problem)

    np.testing.assert_allclose(solution.weights, [0.37, 0.0, 0.0, -0.17], atol=1e-7)
    assert solution.cost == pytest.approx(0.013 * 0.54, abs=1e-8)


def test_a_position_worth_less_than_its_cost_is_kept() -> None:
    problem = replace(plain_problem([0.05]), trading_cost=np.array([0.02]), previous=np.array([0.4]))

    assert optimize(problem).weights == pytest.approx([0.4], abs=1e-8)


def test_the_three_halves_cost_has_its_known_optimum() -> None:
    # h w + 1.5 b sqrt(w) = alpha with h = 0.1, b = 0.02, alpha = 0.04 at w = 0.25.
    solution = optimize(replace(plain_problem([0.04]), impact=np.array([0.02])))

    assert solution.weights == pytest.approx([0.25], abs=1e-12)
    assert solution.cost == pytest.approx(0.02 * 0.25**1.5, rel=1e-12)


def test_a_gross_limit_lifts_the_best_names_only() -> None:
    # The multiplier is 0.035: each weight is (|alpha| - 0.035)+ / 0.1.
    solution = optimize(replace(plain_problem([0.05, 0.03, -0.02, -0.04]), gross_limit=0.2))

    np.testing.assert_allclose(solution.weights, [0.15, 0.0, 0.0, -0.05], atol=1e-7)


def test_a_turnover_limit_stops_half_way() -> None:
    solution = optimize(replace(plain_problem([0.05, -0.05]), turnover_limit=0.3, previous=np.array([0.2, -0.2])))

    np.testing.assert_allclose(solution.weights, [0.35, -0.35], atol=1e-7)
    assert solution.relaxed == ()


def test_position_limits_may_differ_by_asset() -> None:
    solution = optimize(replace(plain_problem([0.5, 0.5]), position_limit=np.array([0.1, 0.3])))

    np.testing.assert_allclose(solution.weights, [0.1, 0.3], atol=1e-8)


def test_without_risk_it_agrees_with_a_simplex_method() -> None:
    problem = replace(random_problem(4), risk_aversion=0.0)
    n, before = 12, problem.previous
    cost = np.concatenate([-problem.alpha, problem.alpha, problem.trading_cost, problem.trading_cost])
    eye, rows = np.eye(n), problem.neutral.T
    reference = linprog(
        cost,
        A_eq=np.block([[rows, -rows, np.zeros((4, 2 * n))], [eye, -eye, -eye, eye]]),
        b_eq=np.concatenate([np.zeros(4), before]),
        A_ub=np.repeat(np.eye(2), 2 * n, axis=1),
        b_ub=[problem.gross_limit, problem.turnover_limit],
        bounds=[(0, 0.1)] * (2 * n) + [(0, None)] * (2 * n),
    )

    assert optimize(problem).objective == pytest.approx(-float(reference.fun or 0.0), abs=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_it_agrees_with_another_solver_in_another_form(seed: int) -> None:
    problem = random_problem(seed)
    solution, reference = optimize(problem), reference_weights(problem)

    np.testing.assert_allclose(solution.weights, reference, atol=1e-6)
    assert solution.objective == pytest.approx(objective(problem, reference), abs=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_with_impact_the_gap_bounds_what_another_solver_finds(seed: int) -> None:
    problem = replace(random_problem(seed), impact=np.full(12, 0.004))
    solution = optimize(problem)
    best = objective(problem, reference_weights(problem))

    assert solution.objective == pytest.approx(best, abs=1e-8)
    # The other solver misses its rows by about 1e-10.
    assert best <= solution.objective + solution.duality_gap + 1e-10
    assert solution.duality_gap < 1e-12


def test_the_answer_measures_itself() -> None:
    problem = random_problem(3)
    solution = optimize(problem)
    size = np.abs(solution.weights - problem.previous)

    assert solution.objective == pytest.approx(objective(problem, solution.weights), abs=1e-15)
    assert solution.turnover == pytest.approx(size.sum())
    assert solution.cost == pytest.approx(problem.trading_cost @ size)
    assert solution.expected_alpha == pytest.approx(problem.alpha @ solution.weights)
    assert solution.risk == pytest.approx(problem.risk.variance(solution.weights) ** 0.5)


def test_every_limit_holds_and_neutrality_is_exact() -> None:
    problem = random_problem(5)
    solution = optimize(problem)

    assert solution.status == "solved"
    assert solution.max_violation < 1e-10
    assert np.abs(problem.neutral.T @ solution.weights).max() < 1e-12
    assert np.abs(solution.weights).max() <= 0.1 + 1e-10


def test_a_redundant_row_changes_nothing() -> None:
    problem = random_problem(2)

    fewer = optimize(replace(problem, neutral=problem.neutral[:, 1:]))

    np.testing.assert_allclose(optimize(problem).weights, fewer.weights, atol=1e-7)


def test_an_asset_without_alpha_is_closed() -> None:
    problem = random_problem(2)
    alpha = np.where(np.arange(12) == 0, np.nan, problem.alpha)

    solution = optimize(replace(problem, alpha=alpha))

    assert problem.previous[0] != 0
    assert solution.weights[0] == 0


def test_what_is_unknown_about_a_closed_asset_does_not_matter() -> None:
    problem = random_problem(2)
    gap = np.arange(12) == 0
    alpha = np.where(gap, np.nan, problem.alpha)
    risk = replace(problem.risk, loadings=np.where(gap[:, None], np.nan, problem.risk.loadings))

    known, unknown = optimize(replace(problem, alpha=alpha)), optimize(replace(problem, alpha=alpha, risk=risk))

    np.testing.assert_array_equal(known.weights, unknown.weights)


def test_what_is_unknown_about_a_free_asset_is_refused_by_name() -> None:
    problem = random_problem(2)
    risk = replace(problem.risk, specific_variance=np.where(np.arange(12) == 7, np.nan, 0.01))

    with pytest.raises(NonFiniteError, match="specific is not finite for asset 7"):
        optimize(replace(problem, risk=risk))


def test_a_frozen_asset_keeps_its_weight_and_is_hedged() -> None:
    problem = with_one_frozen(0.05, group_mates=True)

    solution = optimize(problem)

    assert solution.weights[0] == 0.05
    assert solution.relaxed == ()
    assert np.abs(problem.neutral.T @ solution.weights).max() < 1e-12


def test_too_little_turnover_is_relaxed_to_what_is_needed_and_named() -> None:
    # Three positions of 0.03 are unmatched in their groups: 0.09 must be traded.
    problem = replace(random_problem(1), turnover_limit=0.01)

    solution = optimize(problem)

    assert solution.relaxed == ("turnover",)
    assert solution.limits.turnover == pytest.approx(0.09, rel=2e-3)
    assert 0.09 - 1e-9 <= solution.turnover <= solution.limits.turnover + 1e-9
    assert np.abs(problem.neutral.T @ solution.weights).max() < 1e-12


def test_position_limits_are_doubled_only_as_often_as_needed() -> None:
    # Three mates with a limit of 0.1 cannot hedge 0.5; with 0.2 they can.
    problem = replace(with_one_frozen(0.5, group_mates=True), gross_limit=2.0)

    solution = optimize(problem)

    assert solution.relaxed == ("position",)
    np.testing.assert_allclose(solution.limits.position, 0.2)
    assert np.abs(problem.neutral.T @ solution.weights).max() < 1e-12


def test_turnover_is_relaxed_along_with_positions_where_both_are_short() -> None:
    problem = replace(with_one_frozen(0.5, group_mates=True), gross_limit=2.0, turnover_limit=0.1)

    solution = optimize(problem)

    assert solution.relaxed == ("turnover", "position")
    assert solution.max_violation < 1e-10


def test_a_frozen_asset_that_nothing_can_hedge_leaves_the_neutrality() -> None:
    problem = with_one_frozen(0.05, group_mates=False)

    solution = optimize(problem)

    free = np.where(np.arange(12) == 0, 0.0, solution.weights)
    assert solution.relaxed == ("neutrality",)
    assert np.abs(problem.neutral.T @ free).max() < 1e-12
    assert solution.max_violation < 1e-10


def test_frozen_positions_beyond_the_gross_limit_lift_it_to_what_they_hold() -> None:
    problem = random_problem(1)
    frozen = replace(problem, previous=np.full(12, 0.2), tradable=np.arange(12) < 2, turnover_limit=0.1)

    solution = optimize(frozen)

    np.testing.assert_allclose(solution.weights, [0, 0] + [0.2] * 10, atol=1e-8)
    assert solution.relaxed == ("turnover", "neutrality", "gross")


def test_with_nothing_to_decide_everything_is_closed() -> None:
    problem = random_problem(1)

    solution = optimize(replace(problem, alpha=np.full(12, np.nan)))

    assert solution.status == "nothing_to_decide"
    assert not solution.weights.any()


def test_the_best_answer_to_nothing_expected_is_cash_and_says_so() -> None:
    solution = optimize(replace(plain_problem([0.0, 0.0]), previous=np.array([0.1, -0.1])))

    assert not solution.weights.any()
    assert solution.status == "no_alpha"


def test_a_book_that_is_not_worth_its_cost_says_so() -> None:
    solution = optimize(replace(plain_problem([0.01, -0.02]), trading_cost=np.full(2, 0.05)))

    assert not solution.weights.any()
    assert solution.status == "all_cash"


def test_the_same_expectation_of_all_assets_is_nothing_to_a_neutral_book() -> None:
    problem = replace(random_problem(1), alpha=np.full(12, 0.01), previous=np.zeros(12))

    assert optimize(problem).status == "no_alpha"


def test_an_asset_alone_in_its_sector_is_held_at_zero_and_named() -> None:
    sectors = np.array([[1.0, 0], [1, 0], [0, 1]])
    problem = replace(plain_problem([0.1, 0.2, 0.3]), neutral=sectors)

    solution = optimize(problem)

    np.testing.assert_allclose(solution.weights, [-0.5, 0.5, 0.0], atol=1e-12)
    assert solution.forced == ("2",)


def test_fewer_assets_than_rows_leave_cash() -> None:
    solution = optimize(replace(plain_problem([0.1, 0.2]), neutral=np.random.default_rng(0).standard_normal((2, 5))))

    np.testing.assert_allclose(solution.weights, 0.0, atol=1e-12)


def test_bands_and_the_net_limit_hold_at_their_ends() -> None:
    # h w = alpha - price: a band of 0.3 on the first asset, a net limit of 0.4 over all.
    solution = portfolio.optimize(
        [0.05, 0.03],
        RISK,
        Constraints(banded=np.array([[1.0], [0.0]]), band=0.3, net_limit=0.4),
    )

    np.testing.assert_allclose(solution.weights, [0.3, 0.1], atol=1e-12)
    np.testing.assert_allclose(solution.duals.banded, [0.0, 0.02], atol=1e-12)


def test_shorts_are_limited_by_what_can_be_borrowed() -> None:
    solution = portfolio.optimize([-0.05, -0.05], RISK, Constraints(borrow_limit=np.array([0.0, 0.2])))

    np.testing.assert_array_equal(solution.weights, [0.0, -0.2])


def test_a_borrow_fee_is_a_threshold_for_shorts_alone() -> None:
    solution = portfolio.optimize([-0.05, 0.05], RISK, Constraints(), costs=TradeCosts(borrow=0.02))

    np.testing.assert_allclose(solution.weights, [-0.3, 0.5], atol=1e-12)


def test_an_asset_without_volume_is_frozen() -> None:
    solution = portfolio.optimize(
        [0.05, 0.05], RISK, Constraints(capacity=np.array([np.nan, 0.2])), np.array([0.1, 0.0])
    )

    np.testing.assert_array_equal(solution.weights, [0.1, 0.2])


def test_trades_are_limited_one_by_one() -> None:
    solution = portfolio.optimize([0.05, 0.05], RISK, Constraints(trade_limit=0.1), np.array([0.1, 0.6]))

    np.testing.assert_allclose(solution.weights, [0.2, 0.5], atol=1e-12)
    assert solution.relaxed == ()


def test_a_position_outside_its_limit_comes_back_whatever_its_trade_limit() -> None:
    constraints = Constraints(trade_limit=0.1, position_limit=0.3)

    solution = portfolio.optimize([0.05, 0.05], RISK, constraints, np.array([0.9, 0.0]))

    np.testing.assert_allclose(solution.weights, [0.3, 0.1], atol=1e-12)
    assert solution.relaxed == ("trade",)


def test_an_asset_without_risk_or_bound_is_refused_by_name() -> None:
    risk = FactorRisk(np.zeros((2, 1)), np.zeros((1, 1)), np.array([0.1, 0.0]))

    with pytest.raises(RangeError, match="asset ZZ has no specific risk"):
        portfolio.optimize([0.1, 0.1], risk, Constraints(assets=("AA", "ZZ")))


def test_a_singular_covariance_is_solved_and_certified() -> None:
    risk = FactorRisk(np.array([[1.0], [1.0], [0.0]]), np.array([[0.1]]), np.zeros(3))
    alpha = [0.05, 0.04, 0.01]

    solution = portfolio.optimize(alpha, risk, Constraints(position_limit=0.3, gross_limit=0.5))

    # The first asset pays 0.1 w and the third nothing: 0.04 + 0.01 a unit of gross, the third's whole worth.
    assert solution.duality_gap <= 1e-9
    np.testing.assert_allclose(solution.weights, [0.3, 0.0, 0.2], atol=1e-7)


def test_what_is_no_covariance_is_refused() -> None:
    risk = FactorRisk(np.ones((2, 1)), np.array([[-0.1]]), np.full(2, 0.1))

    with pytest.raises(RangeError, match=r"eigenvalue of -0\.1"):
        portfolio.optimize([0.1, 0.1], risk, Constraints())


def test_limits_that_nothing_relaxes_are_named_when_they_clash() -> None:
    names = Constraints(neutral=np.ones((2, 1)), lower=0.1, rows=("dollar",), position_limit=1.0)

    with pytest.raises(SolverError, match="neutral row dollar"):
        portfolio.optimize([0.1, 0.2], RISK, names)


def test_bounds_that_contradict_each_other_name_the_asset() -> None:
    with pytest.raises(RangeError, match=r"asset BB must be at least 0\.2 and at most 0\.1"):
        portfolio.optimize([0.1, 0.2], RISK, Constraints(lower=np.array([-1, 0.2]), upper=0.1, assets=("AA", "BB")))


@pytest.mark.parametrize(("lower", "upper"), [(0.3, 1.0), (-1.0, -0.3)])
def test_a_bound_beyond_the_position_limit_names_the_asset(lower: float, upper: float) -> None:
    limits = Constraints(lower=lower, upper=upper, position_limit=0.2, assets=("AA", "BB"))

    with pytest.raises(RangeError, match=r"asset AA must lie between .* by position_limit or capacity, is 0\.2"):
        portfolio.optimize([0.1, 0.2], RISK, limits)


def test_a_warm_start_gives_the_same_book_in_fewer_steps() -> None:
    problem = random_problem(6)
    optimizer = problem.optimizer()
    first = optimizer.solve(problem.alpha)

    near = optimizer.solve(problem.alpha * 1.01, start=first.duals)
    cold = optimizer.solve(problem.alpha * 1.01)

    assert near.iterations < cold.iterations
    np.testing.assert_allclose(near.weights, cold.weights, atol=1e-11)


def test_duals_are_what_a_limit_is_worth() -> None:
    problem = random_problem(4)
    solution = optimize(problem)
    step = 1e-6

    wider = optimize(replace(problem, gross_limit=problem.gross_limit + step))

    assert solution.duals.gross > 0
    assert (wider.objective - solution.objective) / step == pytest.approx(solution.duals.gross, rel=1e-4)


def test_the_same_problem_gets_the_same_bits() -> None:
    np.testing.assert_array_equal(optimize(random_problem(8)).weights, optimize(random_problem(8)).weights)


def test_five_hundred_assets_with_forty_factors_are_solved_and_neutral() -> None:
    rng = np.random.default_rng(0)
    sectors = np.eye(11)[rng.integers(0, 11, 500)]
    loadings = np.column_stack([np.ones(500), sectors, rng.standard_normal((500, 28))])
    problem = PortfolioProblem(
        alpha=0.003 * rng.standard_normal(500),
        risk=FactorRisk(loadings, np.diag(rng.uniform(1e-4, 1e-3, 40)), rng.uniform(0.004, 0.01, 500)),
        neutral=loadings[:, :12],
        previous=np.zeros(500),
        position_limit=0.02,
        gross_limit=2.0,
        turnover_limit=1.0,
        trading_cost=np.full(500, 4e-4),
        risk_aversion=20.0,
        tradable=np.ones(500, dtype=np.bool_),
    )

    solution = optimize(problem)

    assert solution.relaxed == ()
    assert solution.duality_gap < 1e-9
    assert solution.max_violation < 1e-10
    assert solution.turnover == pytest.approx(1.0, abs=1e-8)
