from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.portfolio import FactorRisk, expected_returns
from crowdalpha.scoring.checks import NonFiniteError, RangeError, ShapeError
from tests.fixtures.portfolios import PortfolioProblem, optimize, plain_problem

PLAIN = plain_problem([0.05, -0.05])


@pytest.mark.parametrize(
    ("problem", "error", "message"),
    [
        (replace(PLAIN, previous=np.zeros(3)), ShapeError, "previous has 3 values for 2 assets"),
        (replace(PLAIN, previous=np.array([np.nan, 0])), NonFiniteError, "previous has a NaN"),
        (replace(PLAIN, alpha=np.array([np.inf, 0])), NonFiniteError, "alpha is infinite at row 0"),
        (replace(PLAIN, neutral=np.ones((3, 1))), ShapeError, "neutral has 3 rows for 2 assets"),
        (replace(PLAIN, tradable=np.ones(1, dtype=np.bool_)), ShapeError, "tradable must hold one bool"),
        (replace(PLAIN, trading_cost=np.array([-1.0, 0])), RangeError, "linear is -1"),
        (replace(PLAIN, impact=np.array([0.0, -1.0])), RangeError, "impact is -1"),
        (replace(PLAIN, impact=np.array([0.0, np.inf])), NonFiniteError, "impact is not finite for asset 1"),
        (replace(PLAIN, position_limit=-0.1), RangeError, "position_limit"),
        (replace(PLAIN, gross_limit=np.nan), RangeError, "gross_limit is nan"),
        (replace(PLAIN, turnover_limit=-1.0), RangeError, "turnover_limit"),
        (replace(PLAIN, risk_aversion=-1.0), RangeError, "risk_aversion"),
    ],
)
def test_what_makes_no_problem_is_refused_by_name(
    problem: PortfolioProblem, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        optimize(problem)


def test_expected_returns_are_skill_times_volatility_times_score() -> None:
    result = expected_returns(
        np.array([2.0, np.nan, 0.0, 4.0]), volatility=np.array([0.1, 0.1, 0.2, 0.2]), information_coefficient=0.05
    )

    root = 1.5**0.5
    np.testing.assert_allclose(result, [0.0, np.nan, -0.01 * root, 0.01 * root], atol=1e-15)


def test_a_constant_signal_expects_nothing() -> None:
    result = expected_returns(np.ones(3), volatility=np.ones(3), information_coefficient=0.05)

    np.testing.assert_array_equal(result, np.zeros(3))


def test_skill_is_a_correlation() -> None:
    with pytest.raises(RangeError, match="information_coefficient is 2"):
        expected_returns(np.ones(3), volatility=np.ones(3), information_coefficient=2.0)


def test_risk_is_part_of_the_problem() -> None:
    doubled = replace(PLAIN, risk=FactorRisk(np.zeros((2, 1)), np.zeros((1, 1)), np.full(2, 0.2)))

    np.testing.assert_allclose(optimize(doubled).weights, optimize(PLAIN).weights / 2, atol=1e-8)
