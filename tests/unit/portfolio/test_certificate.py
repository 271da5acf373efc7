import numpy as np
import pytest

from crowdalpha.portfolio.certificate import duality_gap
from tests.fixtures.portfolios import objective, optimize, plain_problem, random_problem


@pytest.mark.parametrize("seed", range(4))
def test_any_prices_bound_what_is_left_to_gain(seed: int) -> None:
    problem = random_problem(seed)
    best, program, rng = optimize(problem), problem.optimizer().program, np.random.default_rng(seed)
    worse = 0.5 * best.weights
    prices = np.abs(rng.normal(0, 0.003, program.rows.shape[1] + 2))

    gap = duality_gap(program, problem.alpha, worse, prices)

    assert gap >= best.objective - objective(problem, worse) - 1e-15


def test_without_rows_the_gap_of_a_worse_book_is_what_it_loses() -> None:
    problem = plain_problem([0.05, -0.02])
    program = problem.optimizer().program

    # Half the best book keeps three quarters of the best objective, (0.05^2 + 0.02^2) / (2 * 0.1).
    gap = duality_gap(program, problem.alpha, np.array([0.25, -0.1]), program.prices_of(None))

    assert gap == pytest.approx(0.0145 / 4, rel=1e-12)
