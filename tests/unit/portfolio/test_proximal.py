from dataclasses import replace

import numpy as np

from crowdalpha.portfolio import OptimizerSettings
from crowdalpha.portfolio.proximal import solve_newton
from tests.fixtures.portfolios import plain_problem


def test_a_linear_program_is_solved_and_certified() -> None:
    # Two of three names at their limits use up the gross limit: the best two.
    problem = replace(plain_problem([0.05, -0.04, 0.01], curvature=0.0), position_limit=0.3, gross_limit=0.6)

    found = solve_newton(problem.optimizer().program, problem.alpha, start=None, settings=OptimizerSettings())

    assert found.is_flat
    assert abs(found.gap) <= 1e-9
    np.testing.assert_allclose(found.point.weights, [0.3, -0.3, 0.0], atol=1e-7)
