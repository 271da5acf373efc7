from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.portfolio import SolverError, optimizer
from crowdalpha.portfolio.certificate import duality_gap
from crowdalpha.portfolio.interior import InteriorSolution, minimal_turnover, row_miss, solve_interior
from crowdalpha.portfolio.newton import maximize_dual
from crowdalpha.portfolio.program import Program
from tests.fixtures.portfolios import PortfolioProblem, optimize, plain_problem, random_problem


def program(problem: PortfolioProblem) -> Program:
    return problem.optimizer().program


def test_least_turnover_is_what_neutrality_asks_for() -> None:
    assert minimal_turnover(program(random_problem(1))) == pytest.approx(0.09, abs=1e-7)


def test_no_turnover_is_enough_for_limits_that_contradict_each_other() -> None:
    frozen = replace(random_problem(1), previous=np.full(12, 0.5), tradable=np.arange(12) < 2)

    assert minimal_turnover(program(frozen)) is None


def test_an_infeasible_program_says_so() -> None:
    problem = replace(random_problem(1), turnover_limit=0.0)

    found = solve_interior(program(problem), problem.alpha)

    assert not found.solved
    assert found.status != "solved"


def test_infinite_limits_are_no_limits() -> None:
    problem = replace(plain_problem([0.05, -0.02]), gross_limit=np.inf, turnover_limit=np.inf)

    found = solve_interior(program(problem), problem.alpha)

    np.testing.assert_allclose(found.weights, [0.5, -0.2], atol=1e-7)


@pytest.mark.parametrize("seed", range(6))
def test_both_solvers_agree(seed: int) -> None:
    problem = random_problem(seed)

    found = solve_interior(program(problem), problem.alpha)

    np.testing.assert_allclose(found.weights, optimize(problem).weights, atol=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_its_prices_close_the_gap(seed: int) -> None:
    problem = random_problem(seed)

    found = solve_interior(program(problem), problem.alpha)

    assert duality_gap(program(problem), problem.alpha, found.weights, found.prices) < 1e-8
    assert row_miss(program(problem), found.weights) < 1e-8


@pytest.mark.parametrize("seed", range(6))
def test_newton_polishes_its_prices_in_ten_steps(seed: int) -> None:
    problem = random_problem(seed)
    found = solve_interior(program(problem), problem.alpha)

    _, converged, steps = maximize_dual(
        program(problem), problem.alpha, start=found.prices, tolerance=1e-12, max_iterations=10
    )

    assert converged
    assert steps < 10


def test_passes_over_the_impact_never_lower_the_objective() -> None:
    problem = replace(random_problem(2), impact=0.01)
    flat = solve_interior(program(random_problem(2)), problem.alpha)

    found = solve_interior(program(problem), problem.alpha)

    loss = program(problem).loss
    assert loss(found.weights, problem.alpha) <= loss(flat.weights, problem.alpha)


def test_an_answer_without_certificate_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = InteriorSolution(np.ones(12), np.zeros(20), solved=False, status="numerics")
    monkeypatch.setattr(optimizer, "solve_interior", lambda *_: broken)
    monkeypatch.setattr(optimizer, "_by_newton", lambda *_: None)

    with pytest.raises(SolverError, match="numerics"):
        optimize(random_problem(1))


def test_the_second_solver_answers_where_newton_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = random_problem(1)
    expected = optimize(problem).weights
    monkeypatch.setattr(optimizer, "_by_newton", lambda *_: None)

    solution = optimize(problem)

    assert solution.solver == "piqp"
    assert solution.duality_gap <= 1e-9
    np.testing.assert_allclose(solution.weights, expected, atol=1e-6)
