from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.portfolio.newton import dual_point, maximize_dual
from tests.fixtures.portfolios import plain_problem, random_problem


@pytest.mark.parametrize("seed", range(4))
def test_the_gradient_is_the_slope_of_the_dual(seed: int) -> None:
    problem = replace(random_problem(seed), impact=0.004)
    program, rng = problem.optimizer().program, np.random.default_rng(seed)
    prices = np.abs(rng.normal(0, 0.005, program.rows.shape[1] + 2))
    away, step = rng.standard_normal(len(prices)), 1e-6

    slope = dual_point(program, problem.alpha, prices).gradient @ away

    ends = [dual_point(program, problem.alpha, prices + side * step * away).value for side in (1, -1)]
    assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(slope, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("seed", range(4))
def test_no_prices_beat_the_found_ones(seed: int) -> None:
    problem = random_problem(seed)
    program, rng = problem.optimizer().program, np.random.default_rng(seed)

    point, converged, _ = maximize_dual(program, problem.alpha, tolerance=1e-12, max_iterations=50)

    others = point.prices + 10.0 ** rng.uniform(-6, -1, (200, 1)) * rng.standard_normal((200, len(point.prices)))
    others[:, -2:] = np.abs(others[:, -2:])
    assert converged
    assert max(dual_point(program, problem.alpha, other).value for other in others) <= point.value + 1e-15


def test_rows_that_no_book_meets_end_the_search_at_once() -> None:
    problem = replace(random_problem(1), turnover_limit=0.0)

    program = problem.optimizer().program

    point, converged, steps = maximize_dual(program, problem.alpha, tolerance=1e-12, max_iterations=100)

    assert not converged
    assert steps < 100
    assert point.value > program.largest_charge + np.abs(problem.alpha) @ program.reach


def test_a_solved_start_takes_no_step() -> None:
    problem = plain_problem([0.05, -0.02])
    program = problem.optimizer().program
    point, _, _ = maximize_dual(program, problem.alpha, tolerance=1e-12, max_iterations=50)

    _, converged, steps = maximize_dual(program, problem.alpha, start=point.prices, tolerance=1e-12, max_iterations=50)

    assert converged
    assert steps == 0
