from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.portfolio import Constraints, FactorRisk, TradeCosts, prepare_optimizer
from crowdalpha.portfolio.prepared import box
from crowdalpha.scoring.checks import RangeError, ShapeError
from tests.fixtures.portfolios import plain_problem, random_problem

PLAIN = plain_problem([0.05, -0.05])


def test_assets_are_free_frozen_or_closed() -> None:
    problem = plain_problem([0.1, np.nan, 0.1, np.nan])
    tradable = np.array([True, True, False, False])

    prepared = replace(problem, tradable=tradable, previous=np.array([0.1, 0.2, 0.3, 0.4])).optimizer().prepared

    assert prepared.free.tolist() == [True, False, False, False]
    assert prepared.fixed[1:].tolist() == [0.0, 0.3, 0.4]


def test_violation_is_the_largest_breach_of_any_limit() -> None:
    problem = replace(PLAIN, neutral=np.ones((2, 1)), position_limit=0.3, gross_limit=0.5, turnover_limit=0.45)
    prepared = problem.optimizer().prepared

    assert prepared.violation(np.array([0.25, -0.25]), prepared.limits) == pytest.approx(0.05)
    assert prepared.violation(np.array([0.2, -0.1]), prepared.limits) == pytest.approx(0.1)
    assert prepared.violation(np.array([0.1, -0.1]), prepared.limits) == 0


RISK = FactorRisk(np.zeros((2, 1)), np.zeros((1, 1)), np.full(2, 0.1))


@pytest.mark.parametrize(
    ("constraints", "error", "message"),
    [
        (Constraints(assets=("A",)), ShapeError, "1 names for 2 assets"),
        (Constraints(neutral=np.ones((2, 1)), rows=("a", "b")), ShapeError, "2 names for 1 neutral rows"),
        (Constraints(capacity=np.array([-1.0, 1]), assets=("A", "B")), RangeError, r"capacity is -1\.0 for asset A"),
        (Constraints(banded=np.ones((2, 2)), band=np.ones(3)), ShapeError, "band has shape"),
        (Constraints(banded=np.ones((2, 1)), band=-1.0), RangeError, "band is"),
        (Constraints(net_limit=-1.0), RangeError, "net_limit is"),
        (Constraints(trade_limit=-1.0), RangeError, "trade_limit is"),
        (Constraints(borrow_limit=-1.0), RangeError, "borrow_limit is"),
    ],
)
def test_limits_that_make_no_sense_are_refused_by_name(
    constraints: Constraints, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        prepare_optimizer(RISK, constraints)


def test_factors_and_their_covariance_belong_together() -> None:
    with pytest.raises(ShapeError, match="for 1 factors"):
        prepare_optimizer(replace(RISK, factor_covariance=np.eye(2)), Constraints())


def test_roots_charge_what_the_factors_cost() -> None:
    problem = random_problem(3)
    prepared = problem.optimizer().prepared

    charge = problem.risk.loadings @ problem.risk.factor_covariance @ problem.risk.loadings.T * problem.risk_aversion

    np.testing.assert_allclose(prepared.roots @ prepared.roots.T, charge, atol=1e-12)


def test_a_box_is_the_tightest_of_its_limits() -> None:
    constraints = Constraints(
        position_limit=0.5,
        capacity=np.array([0.4, 0.9]),
        borrow_limit=np.array([0.1, np.inf]),
        trade_limit=0.3,
    )
    prepared = prepare_optimizer(RISK, constraints, np.array([0.0, 0.4]), costs=TradeCosts()).prepared

    lower, upper = box(prepared, prepared.limits)

    np.testing.assert_allclose(lower, [-0.1, 0.1])
    np.testing.assert_allclose(upper, [0.3, 0.5])
