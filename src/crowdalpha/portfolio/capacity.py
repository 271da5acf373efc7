"""How much money a book can carry: its results at several sizes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from crowdalpha.portfolio.backtest import Backtest
from crowdalpha.portfolio.costs import TRADING_DAYS_PER_YEAR
from crowdalpha.portfolio.performance import performance
from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.checks import RangeError, finite, vector

__all__ = ["CapacityCurve", "capacity_curve"]


@dataclass(frozen=True)
class CapacityCurve:
    """Results after costs by starting value; arrays of shape (n_values,).

    Attributes
    ----------
    values : ndarray
        Starting values, ascending, in currency.
    annual_return, annual_volatility, sharpe : ndarray
        As in `Performance`.
    gross, turnover : ndarray
        Mean of the days.
    annual_cost : ndarray
        Costs of trading and holding, a fraction of value a year.
    """

    values: FloatArray
    annual_return: FloatArray
    annual_volatility: FloatArray
    sharpe: FloatArray
    gross: FloatArray
    turnover: FloatArray
    annual_cost: FloatArray

    @property
    def capacity(self) -> float:
        """Value at which the return is half of that of the smallest book.

        Interpolated in the logarithm of value; infinite if no book that was tried is so large, NaN if the smallest
        one earns nothing.
        """
        half = self.annual_return[0] / 2.0
        if not half > 0:
            return float("nan")
        below = np.flatnonzero(self.annual_return <= half)
        if not len(below):
            return float("inf")
        after = int(below[0])
        upper, lower = self.annual_return[after - 1], self.annual_return[after]
        share = (upper - half) / (upper - lower)
        small, large = np.log(self.values[after - 1]), np.log(self.values[after])
        return float(np.exp(small + share * (large - small)))


def capacity_curve(run: Callable[[float], Backtest], values: Sequence[float] | FloatArray) -> CapacityCurve:
    """Run a book at several starting values.

    Parameters
    ----------
    run : callable
        Runs the same backtest from a starting value. Where it decides for that value anew, the curve is that of a
        manager who knows the size of the book; where it trades fixed weights, of one who does not.
    values : sequence of float
        Starting values, in currency, ascending.

    Returns
    -------
    CapacityCurve
        One element a value.

    Raises
    ------
    ShapeError
        If there is no value.
    RangeError
        If values are not above zero and ascending.

    Notes
    -----
    NaN policy: refuse. Cost: one backtest a value.
    """
    sizes = vector(np.asarray(values, dtype=np.float64), "values")
    finite(values=sizes)
    if sizes[0] <= 0 or (np.diff(sizes) <= 0).any():
        raise RangeError(f"values is {sizes.tolist()}; name values above zero and ascending")
    results = [run(float(size)) for size in sizes]
    summaries = [performance(result.returns) for result in results]
    costs = [float((result.trade_cost + result.holding_cost).mean()) * TRADING_DAYS_PER_YEAR for result in results]
    return CapacityCurve(
        values=sizes,
        annual_return=np.array([each.annual_return for each in summaries]),
        annual_volatility=np.array([each.annual_volatility for each in summaries]),
        sharpe=np.array([each.sharpe for each in summaries]),
        gross=np.array([result.gross.mean() for result in results]),
        turnover=np.array([result.turnover.mean() for result in results]),
        annual_cost=np.array(costs),
    )
