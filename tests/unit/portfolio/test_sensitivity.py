from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.portfolio import SolverError
from crowdalpha.portfolio.sensitivity import sensitivity
from crowdalpha.scoring.checks import RangeError
from tests.fixtures.portfolios import plain_problem, random_problem


def test_without_limits_it_is_the_inverse_of_the_risk() -> None:
    problem = replace(random_problem(0), neutral=np.zeros((12, 0)), trading_cost=np.zeros(12), position_limit=99.0)
    problem = replace(problem, gross_limit=np.inf, turnover_limit=np.inf, risk_aversion=20.0)
    risk, returns = problem.risk, np.random.default_rng(0).standard_normal(12)
    covariance = risk.loadings @ risk.factor_covariance @ risk.loadings.T + np.diag(risk.specific_variance)

    gradient = sensitivity(problem.optimizer(), problem.alpha).adjoint(returns)

    np.testing.assert_allclose(gradient, np.linalg.solve(20 * covariance, returns), rtol=1e-9)


def test_under_a_gross_limit_only_held_names_move_against_each_other() -> None:
    # With h = 0.1 the book is (0.15, 0, 0, -0.05); its derivative on the two held names is (I - s s'/2) / h.
    problem = replace(plain_problem([0.05, 0.03, -0.02, -0.04]), gross_limit=0.2)

    gradient = sensitivity(problem.optimizer(), problem.alpha).adjoint(np.array([1.0, 2.0, 3.0, 4.0]))

    np.testing.assert_allclose(gradient, [25.0, 0.0, 0.0, 25.0], atol=1e-9)


def test_impact_takes_its_part_of_the_slope() -> None:
    problem = replace(plain_problem([0.04]), impact=0.02)

    gradient = sensitivity(problem.optimizer(), problem.alpha).adjoint(np.ones(1))

    assert gradient == pytest.approx([1 / 0.13], rel=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_it_is_the_difference_of_two_books(seed: int) -> None:
    problem = replace(random_problem(seed), impact=0.004)
    optimizer, rng = problem.optimizer(), np.random.default_rng(seed)
    returns, away, step = rng.standard_normal(12), 0.004 * rng.standard_normal(12), 1e-5

    gradient = sensitivity(optimizer, problem.alpha).adjoint(returns)

    ends = [returns @ optimizer.solve(problem.alpha + side * step * away).weights for side in (1, -1)]
    assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(gradient @ away, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_it_is_symmetric_and_neutral(seed: int) -> None:
    problem = random_problem(seed)
    jacobian = sensitivity(problem.optimizer(), problem.alpha).adjoint(np.eye(12))

    np.testing.assert_allclose(jacobian, jacobian.T, atol=1e-9)
    np.testing.assert_allclose(problem.neutral.T @ jacobian, 0.0, atol=1e-9)
    assert np.linalg.eigvalsh(jacobian).min() >= -1e-9


def test_relaxed_books_are_not_differentiated() -> None:
    problem = replace(random_problem(1), turnover_limit=0.0)

    with pytest.raises(SolverError, match="not differentiated"):
        sensitivity(problem.optimizer(), problem.alpha)


def test_an_asset_without_curvature_is_named() -> None:
    problem = replace(plain_problem([0.1, 0.1], curvature=0.0), position_limit=0.1)

    with pytest.raises(RangeError, match="asset 0 has neither specific risk nor ridge"):
        sensitivity(problem.optimizer(), problem.alpha)
