"""A book, day by day, from one close to the next.

A target that was decided at the close of day t is traded at the close of day t+1. In one step:
1. positions in names that have been delisted are closed at their last price, times one plus the delisting return;
2. the positions held overnight earn the day's returns; a name without a return did not trade and stays flat;
3. the borrow fee on yesterday's shorts leaves the cash;
4. the target is traded at the close, by as much as the day's volume allows; names that did not trade are left alone;
5. trading costs leave the cash, and everything is restated as a fraction of what is left.
Cash earns nothing. What could not be traded is counted, and not queued: the next target decides again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from crowdalpha.portfolio.checks import BankruptBookError, at_least, per_asset
from crowdalpha.portfolio.costs import CostModel
from crowdalpha.scoring.arrays import BoolArray, FloatArray, IndexArray
from crowdalpha.scoring.checks import NonFiniteError, RangeError, ShapeError, matrix

__all__ = [
    "Book",
    "BookHistory",
    "DayResult",
    "Execution",
    "collect",
    "last_traded_day",
    "open_book",
    "run_backtest",
    "step_day",
]


@dataclass(frozen=True)
class Book:
    """What is held after a close.

    Attributes
    ----------
    value : float
        Value of the book, in currency.
    weights : ndarray of shape (n_assets,), dtype=float64
        Positions as fractions of the value; the rest is cash.
    """

    value: float
    weights: FloatArray


@dataclass(frozen=True, kw_only=True)
class Execution:
    """How targets become trades.

    Attributes
    ----------
    costs : CostModel
        What trading and holding cost.
    max_participation : float, default=inf
        Largest share of a day's traded value that the book may be; the rest of a trade stays undone.
    delisting_return : float, default=0
        Return from the last price to what is paid for a delisted share. Performance-related delistings lost about
        30 % on NYSE/AMEX [1]_ and 55 % on Nasdaq [2]_; a cash merger loses nothing.

    References
    ----------
    .. [1] T. Shumway, "The delisting bias in CRSP data", Journal of Finance 52 (1997).
    .. [2] T. Shumway, V. Warther, "The delisting bias in CRSP's Nasdaq data", Journal of Finance 54 (1999).
    """

    costs: CostModel = field(default_factory=CostModel)
    max_participation: float = np.inf
    delisting_return: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no market does."""
        at_least(self.max_participation, 0.0, "max_participation")
        at_least(self.delisting_return, -1.0, "delisting_return")

    @property
    def needs_volume(self) -> bool:
        """Whether volatility and traded value must be known to trade."""
        return self.costs.impact > 0 or self.max_participation < np.inf


@dataclass(frozen=True)
class DayResult:
    """One day of a book; every fraction but `turnover` and `untraded` is of the value at the last close.

    Attributes
    ----------
    book : Book
        After the close.
    daily_return : float
        Change of value, costs included.
    gross, net : float
        Sum of absolute and of signed weights after the close.
    turnover : float
        Sum of absolute trades as a fraction of the value before their cost; forced closes included.
    trade_cost, holding_cost : float
        What left the cash.
    untraded : float
        Sum of absolute trades that the target asked for and the day did not allow, in the unit of `turnover`.
    """

    book: Book
    daily_return: float
    gross: float
    net: float
    turnover: float
    trade_cost: float
    holding_cost: float
    untraded: float


@dataclass(frozen=True)
class BookHistory:
    """The days of a book as arrays of shape (n_days,), fields as in `DayResult`; `weights` has one row a day."""

    value: FloatArray
    returns: FloatArray
    gross: FloatArray
    net: FloatArray
    turnover: FloatArray
    trade_cost: FloatArray
    holding_cost: FloatArray
    untraded: FloatArray
    weights: FloatArray


def open_book(value: float, *, n_assets: int) -> Book:
    """Start a book in cash.

    Parameters
    ----------
    value : float
        Starting value, in currency, above zero.
    n_assets : int
        Assets there will be.

    Returns
    -------
    Book
        All cash.

    Raises
    ------
    RangeError
        If the value is not finite and above zero.

    Notes
    -----
    NaN policy: refuse. Cost: O(n_assets).
    """
    if not 0 < value < np.inf:
        raise RangeError(f"value is {value}; a book starts with a finite value above zero")
    return Book(value, np.zeros(n_assets))


def step_day(
    book: Book,
    returns: FloatArray,
    target_weights: FloatArray | None = None,
    *,
    volatility: FloatArray | None = None,
    adv: FloatArray | None = None,
    delisted: BoolArray | None = None,
    execution: Execution | None = None,
) -> DayResult:
    """Live through one day.

    Parameters
    ----------
    book : Book
        As held at the last close.
    returns : ndarray of shape (n_assets,), dtype=float64
        Total return from the last close to this one; NaN where the asset did not trade.
    target_weights : ndarray of shape (n_assets,), dtype=float64, optional
        What was decided at the last close, traded at this one, as fractions of value; NaN leaves an asset alone,
        None trades nothing.
    volatility : ndarray of shape (n_assets,), dtype=float64, optional
        Daily volatility, for the cost of impact.
    adv : ndarray of shape (n_assets,), dtype=float64, optional
        Value traded on this day, in the currency of the book: real volume, not a forecast.
    delisted : ndarray of shape (n_assets,), dtype=bool, optional
        True for names that will never trade again and whose last day is over.
    execution : Execution, optional
        Costs and limits of trading; the defaults of `Execution` if None.

    Returns
    -------
    DayResult
        The book after the close, and how it got there.

    Raises
    ------
    ShapeError
        If lengths differ.
    NonFiniteError
        If a return or a target is infinite.
    RangeError
        If trading needs volatility and volume and they are not given.
    BankruptBookError
        If nothing is left.

    Notes
    -----
    NaN policy: omit. No return, or no volatility or volume where the costs need them: no trade. Forced closes pay
    the linear cost. Cost: O(n_assets).

    Examples
    --------
    >>> free = Execution(costs=CostModel(half_spread_bps=0, commission_bps=0, impact=0, borrow_bps_per_year=0))
    >>> first = step_day(open_book(100.0, n_assets=1), np.array([0.5]), np.array([1.0]), execution=free)
    >>> second = step_day(first.book, np.array([0.1]), execution=free)
    >>> round(first.book.value, 9), round(second.book.value, 9)
    (100.0, 110.0)
    """
    rules = execution or Execution()
    n_assets = len(book.weights)
    change = _no_infinity(returns, "returns", n_assets)
    gone = np.zeros(n_assets, dtype=np.bool_) if delisted is None else delisted
    traded = ~np.isnan(change) & ~gone
    closed = np.where(gone, book.weights, 0.0)
    kept = book.weights - closed
    closing_cost = rules.costs.linear * float(np.abs(closed).sum())
    holding_cost = float(rules.costs.holding_cost(kept).sum())
    earned = float(kept @ np.where(traded, change, 0.0)) + rules.delisting_return * float(closed.sum())
    growth = _solvent(1.0 + earned - holding_cost - closing_cost)

    held = kept * np.where(traded, 1.0 + change, 1.0) / growth
    nav = book.value * growth
    wanted, trades, trade_cost = np.zeros(n_assets), np.zeros(n_assets), 0.0
    if target_weights is not None:
        goal = _no_infinity(target_weights, "target_weights", n_assets)
        wanted = np.where(np.isnan(goal), 0.0, goal - held)
        sigma, value = _market(rules, volatility, adv, n_assets)
        trades = _executable(wanted, traded & ~np.isnan(sigma) & (value > 0), value=value / nav, rules=rules)
        trade_cost = float(rules.costs.trade_cost(trades, volatility=sigma, adv=value, nav=nav).sum())
    left = _solvent(1.0 - trade_cost)
    weights = (held + trades) / left
    return DayResult(
        book=Book(nav * left, weights),
        daily_return=growth * left - 1.0,
        gross=float(np.abs(weights).sum()),
        net=float(weights.sum()),
        turnover=float(np.abs(trades).sum() + np.abs(closed).sum() / growth),
        trade_cost=trade_cost * growth + closing_cost,
        holding_cost=holding_cost,
        untraded=float(np.abs(wanted - trades).sum()),
    )


def _solvent(left: float) -> float:
    if left <= 0:
        raise BankruptBookError("losses and costs of one day exceed the value of the book; lower its gross exposure")
    return left


def _no_infinity(values: FloatArray, name: str, n_assets: int) -> FloatArray:
    array = per_asset(values, name, n_assets=n_assets)
    if np.isinf(array).any():
        raise NonFiniteError(f"{name} is infinite at row {int(np.argmax(np.isinf(array)))}; NaN means not known")
    return array


def _market(
    rules: Execution, volatility: FloatArray | None, adv: FloatArray | None, n_assets: int
) -> tuple[FloatArray, FloatArray]:
    """Volatility and traded value, or stand-ins that change nothing where the rules do not look at them."""
    if not rules.needs_volume:
        return np.zeros(n_assets), np.full(n_assets, np.inf)
    if volatility is None or adv is None:
        raise RangeError("volatility and adv are needed to charge impact or cap participation; pass both")
    return per_asset(volatility, "volatility", n_assets=n_assets), per_asset(adv, "adv", n_assets=n_assets)


def _executable(wanted: FloatArray, possible: BoolArray, *, value: FloatArray, rules: Execution) -> FloatArray:
    """Cut trades to what the day allows; `value` is what traded, as a fraction of the book."""
    cap = np.where(possible, value, 1.0) * rules.max_participation
    return np.copysign(np.where(possible, np.minimum(np.abs(wanted), cap), 0.0), wanted)


def collect(days: Sequence[DayResult]) -> BookHistory:
    """Turn day results into arrays.

    Parameters
    ----------
    days : sequence of DayResult
        In order of time; at least one.

    Returns
    -------
    BookHistory
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
    return BookHistory(
        value=np.array([day.book.value for day in days]),
        returns=np.array([day.daily_return for day in days]),
        gross=np.array([day.gross for day in days]),
        net=np.array([day.net for day in days]),
        turnover=np.array([day.turnover for day in days]),
        trade_cost=np.array([day.trade_cost for day in days]),
        holding_cost=np.array([day.holding_cost for day in days]),
        untraded=np.array([day.untraded for day in days]),
        weights=np.stack([day.book.weights for day in days]),
    )


def last_traded_day(close: FloatArray) -> IndexArray:
    """Find the last day on which each asset has a price.

    Parameters
    ----------
    close : ndarray of shape (n_days, n_assets), dtype=float64
        Prices, NaN where not traded.

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
    last = len(known) - 1 - np.argmax(known[::-1], axis=0)
    return np.where(known.any(axis=0), last, -1)


def run_backtest(
    returns: FloatArray,
    targets: Mapping[int, FloatArray],
    *,
    volatility: FloatArray | None = None,
    adv: FloatArray | None = None,
    last_traded: IndexArray | None = None,
    value: float = 1.0,
    execution: Execution | None = None,
) -> BookHistory:
    """Trade given targets from a book in cash.

    Parameters
    ----------
    returns : ndarray of shape (n_days, n_assets), dtype=float64
        Close-to-close total returns; NaN where an asset did not trade.
    targets : mapping of int to ndarray of shape (n_assets,)
        Target weights by the day at whose close they were decided; traded at the next close.
    volatility, adv : ndarray of shape (n_days, n_assets), dtype=float64, optional
        Daily volatility and the value traded, in the currency of `value`.
    last_traded : ndarray of shape (n_assets,), dtype=intp, optional
        As `last_traded_day` gives it; None delists nobody.
    value : float, default=1
        Starting value.
    execution : Execution, optional
        Costs and limits of trading; the defaults of `Execution` if None.

    Returns
    -------
    BookHistory
        One row a day.

    Raises
    ------
    ShapeError
        If lengths differ, or there is no day.
    NonFiniteError
        If a return or a target is infinite.
    RangeError
        If trading needs volatility and volume and they are not given.
    BankruptBookError
        If nothing is left.

    Notes
    -----
    NaN policy: omit, as in `step_day`. Cost: O(n_days * n_assets).
    """
    panel = matrix(returns, "returns")
    book, days = open_book(value, n_assets=panel.shape[1]), []
    for day, change in enumerate(panel):
        result = step_day(
            book,
            change,
            targets.get(day - 1),
            volatility=None if volatility is None else volatility[day],
            adv=None if adv is None else adv[day],
            delisted=None if last_traded is None else last_traded < day,
            execution=execution,
        )
        book = result.book
        days.append(result)
    return collect(days)
