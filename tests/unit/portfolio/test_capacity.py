import numpy as np
import pytest

from crowdalpha.portfolio import Backtest, CostModel, Execution, backtest, capacity_curve
from crowdalpha.portfolio.capacity import CapacityCurve
from crowdalpha.scoring.checks import RangeError

RETURNS = np.random.default_rng(0).normal(0.0005, 0.01, (60, 2))
RULES = Execution(costs=CostModel(half_spread_bps=0, commission_bps=0, borrow_bps_per_year=0))


def churn(value: float) -> Backtest:
    targets = {day: np.array([0.5, -0.5]) * (-1) ** day for day in range(-1, 59)}
    market = np.full((60, 2), 1e6)
    return backtest(RETURNS, targets, volatility=np.full((60, 2), 0.01), adv=market, value=value, execution=RULES)


def curve(annual_return: list[float]) -> CapacityCurve:
    line = np.array(annual_return)
    return CapacityCurve(np.logspace(0, len(line) - 1, len(line)), line, line, line, line, line, line)


def test_a_book_of_four_times_the_value_pays_twice_the_impact() -> None:
    found = capacity_curve(churn, [1.0, 4.0])

    assert found.annual_cost[1] == pytest.approx(2 * found.annual_cost[0], rel=1e-3)
    assert found.annual_return[1] < found.annual_return[0]
    np.testing.assert_allclose(found.gross, 1.0, atol=0.01)


def test_capacity_is_interpolated_in_the_logarithm_of_value() -> None:
    # Half of 0.4 lies half way from 0.3 to 0.1, between a value of 10 and of 100.
    assert curve([0.4, 0.3, 0.1]).capacity == pytest.approx(10**1.5)


def test_capacity_of_what_never_halves_is_without_bound_and_of_what_never_earned_undefined() -> None:
    assert curve([0.4, 0.3]).capacity == np.inf
    assert np.isnan(curve([-0.1, -0.2]).capacity)


@pytest.mark.parametrize("values", [[0.0, 1.0], [2.0, 1.0], [1.0, 1.0]])
def test_values_ascend_from_above_zero(values: list[float]) -> None:
    with pytest.raises(RangeError, match="values"):
        capacity_curve(churn, values)
