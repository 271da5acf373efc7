"""A book lived through day by day: targets in, value, costs and what each position earned out.

`backtest_step` has the order in which things happen on one day.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crowdalpha.portfolio.backtest_step import Book, DayResult, Execution, open_book, step_day
from crowdalpha.portfolio.costs import TRADING_DAYS_PER_YEAR
from crowdalpha.scoring.arrays import FloatArray, IndexArray
from crowdalpha.scoring.checks import RangeError, ShapeError, matrix

__all__ = ["Backtest", "Decide", "backtest", "collect", "last_traded_day"]

DAYS_PER_YEAR = 365
"""Calendar days over which fees and interest of a year accrue, where dates are known."""

Decide = Callable[[int, Book], FloatArray | None]
"""Asked at each close for target weights, with the day and the book at that close; None keeps what is held."""


@dataclass(frozen=True)
class Backtest:
    """The days of a book.

    Attributes
    ----------
    value, returns : ndarray of shape (n_days,), dtype=float64
        Value after the close, in currency, and its change, costs included.
    gross, net, turnover, untraded : ndarray of shape (n_days,), dtype=float64
        As in `DayResult`.
    linear_cost, impact_cost, borrow_cost, financing_cost : ndarray of shape (n_days,), dtype=float64
        Fractions of the value at the last close, as in `DayResult`.
    weights, earned : ndarray of shape (n_days, n_assets), dtype=float64
        Weights after the close, and what the positions held before it earned, a fraction of the value at the last
        close.
    """

    value: FloatArray
    returns: FloatArray
    gross: FloatArray
    net: FloatArray
    turnover: FloatArray
    untraded: FloatArray
    linear_cost: FloatArray
    impact_cost: FloatArray
    borrow_cost: FloatArray
    financing_cost: FloatArray
    weights: FloatArray
    earned: FloatArray

    @property
    def trade_cost(self) -> FloatArray:
        """What trading cost, of shape (n_days,)."""
        return self.linear_cost + self.impact_cost

    @property
    def holding_cost(self) -> FloatArray:
        """What holding cost, interest on cash included, of shape (n_days,)."""
        return self.borrow_cost + self.financing_cost

    @property
    def value_before(self) -> FloatArray:
        """Value at the last close, of shape (n_days,); the first is what the book started with."""
        return self.value / (1.0 + self.returns)

    @property
    def held(self) -> FloatArray:
        """Weights at the last close, of shape (n_days, n_assets): what earned the day's returns."""
        return np.vstack([np.zeros_like(self.weights[:1]), self.weights[:-1]])


def collect(days: Sequence[DayResult]) -> Backtest:
    """Turn the days of a book that started in cash into arrays.

    Parameters
    ----------
    days : sequence of DayResult
        In order of time; at least one.

    Returns
    -------
    Backtest
        One element, or one row of weights, per day.

    Raises
    ------
    ShapeError
        If there is no day.

    Notes
    -----
    NaN policy: propagate. Cost: O(n_days * n_assets).
    """
    if not days:
        raise ShapeError("days is empty; step the book through at least one day first")
    return Backtest(
        value=np.array([day.book.value for day in days]),
        returns=np.array([day.daily_return for day in days]),
        gross=np.array([day.gross for day in days]),
        net=np.array([day.net for day in days]),
        turnover=np.array([day.turnover for day in days]),
        untraded=np.array([day.untraded for day in days]),
        linear_cost=np.array([day.linear_cost for day in days]),
        impact_cost=np.array([day.impact_cost for day in days]),
        borrow_cost=np.array([day.borrow_cost for day in days]),
        financing_cost=np.array([day.financing_cost for day in days]),
        weights=np.stack([day.book.weights for day in days]),
        earned=np.stack([day.earned for day in days]),
    )


def last_traded_day(close: FloatArray, *, grace_days: int = 0) -> IndexArray:
    """Find the last day on which each asset has a price.

    Parameters
    ----------
    close : ndarray of shape (n_days, n_assets), dtype=float64
        Prices, NaN where not traded.
    grace_days : int, default=0
        An asset whose last price is at most this many days before the end of the panel counts as still there: it may
        have paused. Without grace, cutting a panel inside a pause would close positions.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=intp
        Index of the day; -1 if it never traded. An asset is delisted on every later day of the panel.

    Raises
    ------
    ShapeError
        If `close` is not a matrix.

    Notes
    -----
    NaN policy: omit. Looks at the whole panel, so use it to close positions only, never to choose them.
    Cost: O(n_days * n_assets).

    Examples
    --------
    >>> last_traded_day(np.array([[1.0, 1.0], [2.0, np.nan]]))
    array([1, 0])
    """
    known = ~np.isnan(matrix(close, "close"))
    end = len(known) - 1
    last = end - np.argmax(known[::-1], axis=0)
    last = np.where(last >= end - grace_days, end, last)
    return np.where(known.any(axis=0), last, -1)


def backtest(
    returns: FloatArray,
    targets: Mapping[int, FloatArray] | Decide,
    *,
    volatility: FloatArray | None = None,
    adv: FloatArray | None = None,
    last_traded: IndexArray | None = None,
    dates: npt.NDArray[np.datetime64] | None = None,
    value: float = 1.0,
    execution: Execution | None = None,
) -> Backtest:
    """Trade targets from a book in cash.

    Parameters
    ----------
    returns : ndarray of shape (n_days, n_assets), dtype=float64
        Close-to-close total returns; NaN where an asset did not trade.
    targets : mapping of int to ndarray of shape (n_assets,), or callable
        Target weights by the day at whose close they were decided, -1 for the close before the first row; traded at
        the next close. A callable is asked at each of these closes but the last.
    volatility, adv : ndarray of shape (n_days, n_assets), dtype=float64, optional
        Daily volatility, and the value traded, in the currency of `value`.
    last_traded : ndarray of shape (n_assets,), dtype=intp, optional
        As `last_traded_day` gives it; None delists nobody.
    dates : ndarray of shape (n_days,), dtype=datetime64[D], optional
        Fees and interest accrue by calendar day where dates are given, else by one trading day a row.
    value : float, default=1
        Starting value.
    execution : Execution, optional
        Costs and limits of trading; the defaults of `Execution` if None.

    Returns
    -------
    Backtest
        One row a day.

    Raises
    ------
    ShapeError
        If lengths differ, or there is no day.
    NonFiniteError
        If a return or a target is infinite.
    RangeError
        If trading needs volatility and volume and they are not given, or dates do not ascend.
    BankruptBookError
        If nothing is left.

    Notes
    -----
    NaN policy: omit, as in `step_day`. Cost: O(n_days * n_assets). No chance is involved: the same arguments give
    the same book to the last bit.

    Examples
    --------
    >>> from crowdalpha.portfolio.costs import CostModel
    >>> free = Execution(costs=CostModel(half_spread_bps=0, commission_bps=0, impact=0))
    >>> backtest(np.array([[0.5], [0.5], [0.1]]), {0: np.array([1.0])}, execution=free).value.round(9)
    array([1. , 1. , 1.1])
    """
    panel = matrix(returns, "returns")
    rules, accrual = execution or Execution(), _accrual(dates, len(panel))
    decide: Decide = targets if callable(targets) else lambda day, _: targets.get(day)
    book, days = open_book(value, n_assets=panel.shape[1]), list[DayResult]()
    waiting, patience = np.full(panel.shape[1], np.nan), 0
    for day, change in enumerate(panel):
        target = decide(day - 1, book)
        if target is not None:
            waiting, patience = np.array(target, dtype=np.float64), rules.patience_days
        result = step_day(
            book,
            change,
            waiting if target is not None or not np.isnan(waiting).all() else None,
            volatility=None if volatility is None else volatility[day],
            adv=None if adv is None else adv[day],
            delisted=None if last_traded is None else last_traded < day,
            days=accrual[day],
            execution=rules,
        )
        waiting = np.where(np.isnan(change) & (patience > 0), waiting, np.nan)
        patience -= 1
        book = result.book
        days.append(result)
    return collect(days)


def _accrual(dates: npt.NDArray[np.datetime64] | None, n_days: int) -> FloatArray:
    """Trading days' worth of fees on each row; none before the first date."""
    if dates is None:
        return np.ones(n_days)
    if len(dates) != n_days:
        raise ShapeError(f"dates has {len(dates)} values for {n_days} days; align it with returns first")
    gaps = np.diff(dates.astype("datetime64[D]")).astype(np.float64)
    if (gaps <= 0).any():
        raise RangeError(f"dates does not ascend at row {int(np.argmax(gaps <= 0)) + 1}; sort it, each day once")
    return np.concatenate([[0.0], gaps * (TRADING_DAYS_PER_YEAR / DAYS_PER_YEAR)])
