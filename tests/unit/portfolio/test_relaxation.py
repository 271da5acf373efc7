from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.portfolio import Constraints, FactorRisk, optimize
from crowdalpha.portfolio.relaxation import relax, relaxed_names
from tests.fixtures.portfolios import random_problem

RISK = FactorRisk(np.zeros((2, 1)), np.zeros((1, 1)), np.full(2, 0.1))
FROZEN = np.array([True, False])


def test_only_the_turnover_grows_where_that_is_enough() -> None:
    prepared = replace(random_problem(1), turnover_limit=0.01).optimizer().prepared

    found = relax(prepared)

    assert relaxed_names(prepared, found) == ("turnover",)
    assert found.turnover == pytest.approx(0.09, rel=2e-3)


def test_a_band_that_a_frozen_position_breaks_is_left_out() -> None:
    # The first asset must stay at its limit of 0.1; the frozen one alone exposes the book by 0.5.
    constraints = Constraints(banded=np.ones((2, 1)), band=0.2, position_limit=0.1, tradable=FROZEN)

    solution = optimize([0.0, 0.0], RISK, constraints, np.array([0.0, 0.5]))

    assert solution.relaxed == ("band",)
    assert solution.weights[1] == 0.5


def test_trade_limits_give_way_to_a_hedge() -> None:
    constraints = Constraints(neutral=np.ones((2, 1)), trade_limit=0.1, tradable=FROZEN)

    solution = optimize([0.0, 0.0], RISK, constraints, np.array([0.0, 0.5]))

    np.testing.assert_allclose(solution.weights, [-0.5, 0.5], atol=1e-12)
    assert solution.relaxed == ("trade",)


def test_the_net_limit_grows_to_what_is_frozen() -> None:
    constraints = Constraints(net_limit=0.1, position_limit=0.01, tradable=FROZEN)

    solution = optimize([0.0, 0.0], RISK, constraints, np.array([0.0, 0.5]))

    assert solution.relaxed[-1] == "net"
    assert solution.weights[1] == 0.5
