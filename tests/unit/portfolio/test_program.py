from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.portfolio import SolverError, optimize, optimizer
from crowdalpha.portfolio.problem import prepare
from crowdalpha.portfolio.program import ProgramSolution, minimal_turnover, solve
from tests.fixtures.portfolios import plain_problem, random_problem


def test_least_turnover_is_what_neutrality_asks_for() -> None:
    prepared = prepare(random_problem(1))

    assert minimal_turnover(prepared, prepared.limits) == pytest.approx(0.09, abs=1e-7)


def test_no_turnover_is_enough_for_limits_that_contradict_each_other() -> None:
    prepared = prepare(replace(random_problem(1), previous=np.full(12, 0.5), tradable=np.arange(12) < 2))

    assert minimal_turnover(prepared, prepared.limits) is None


def test_an_infeasible_program_says_so() -> None:
    prepared = prepare(replace(random_problem(1), turnover_limit=0.0))

    found = solve(prepared, prepared.limits)

    assert not found.solved
    assert found.status != "solved"


def test_infinite_limits_are_no_limits() -> None:
    problem = replace(plain_problem([0.05, -0.02]), gross_limit=np.inf, turnover_limit=np.inf)

    np.testing.assert_allclose(optimize(problem).weights, [0.5, -0.2], atol=1e-7)


def test_passes_over_the_impact_never_lower_the_objective() -> None:
    prepared = prepare(replace(random_problem(2), impact=np.full(12, 0.01)))
    flat = solve(prepare(random_problem(2)), prepared.limits)

    assert prepared.objective(solve(prepared, prepared.limits).weights) >= prepared.objective(flat.weights)


def test_an_answer_without_certificate_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = ProgramSolution(np.ones(12), solved=False, status="numerics", duality_gap=np.nan, iterations=1)
    monkeypatch.setattr(optimizer, "solve", lambda *_: broken)

    with pytest.raises(SolverError, match="numerics"):
        optimize(random_problem(1))
