"""One day of a book, from one close to the next.

A target that was decided at the close of day t is traded at the close of day t+1. In one step:
1. positions in names that have been delisted are closed at their last price, times one plus the delisting return;
2. the positions held overnight earn the day's returns; a name without a return did not trade and stays flat;
3. the borrow fee on yesterday's shorts and the interest on yesterday's cash leave or enter the cash;
4. the target is traded at the close, by as much as the day's volume allows; names that did not trade are left alone,
   and names that nobody lends are not sold short;
5. trading costs leave the cash, and everything is restated as a fraction of what is left.
Returns are total returns, so that splits are no-ops and shorts pay dividends. What could not be traded is counted.
"""

from dataclasses import dataclass, field

import numpy as np

from crowdalpha.portfolio.checks import BankruptBookError, at_least, per_asset
from crowdalpha.portfolio.costs import CostModel
from crowdalpha.scoring.arrays import BoolArray, FloatArray
from crowdalpha.scoring.checks import NonFiniteError, RangeError

__all__ = ["Book", "DayResult", "Execution", "open_book", "step_day"]


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
    delisting_return : float or ndarray of shape (n_assets,), default=0
        Return from the last price to what is paid for a delisted share, one for all or one an asset.
        Performance-related delistings lost about 30 % on NYSE/AMEX [1]_ and 55 % on Nasdaq [2]_; a cash merger loses
        nothing.
    patience_days : int, default=0
        Days after the first on which a name whose market was shut may still be traded to its target, so that a
        holiday of one country does not leave half a hedge. Used by `backtest`, not by a single step.

    References
    ----------
    .. [1] T. Shumway, "The delisting bias in CRSP data", Journal of Finance 52 (1997).
    .. [2] T. Shumway, V. Warther, "The delisting bias in CRSP's Nasdaq data", Journal of Finance 54 (1999).
    """

    costs: CostModel = field(default_factory=CostModel)
    max_participation: float = np.inf
    delisting_return: float | FloatArray = 0.0
    patience_days: int = 0

    def __post_init__(self) -> None:
        """Refuse what no market does."""
        at_least(self.max_participation, 0.0, "max_participation")
        at_least(float(np.min(self.delisting_return)), -1.0, "delisting_return")
        at_least(self.patience_days, 0, "patience_days")

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
        Change of value, costs included: the sum of `earned` less all costs.
    gross, net : float
        Sum of absolute and of signed weights after the close.
    turnover : float
        Sum of absolute trades as a fraction of the value before their cost; forced closes included.
    untraded : float
        Sum of absolute trades that the target asked for and the day did not allow, in the unit of `turnover`.
    earned : ndarray of shape (n_assets,), dtype=float64
        What each position held overnight earned, before all costs; delistings included.
    linear_cost, impact_cost : float
        Spread and commission, and market impact, of the day's trades; forced closes pay the linear part.
    borrow_cost, financing_cost : float
        Fee on shorts, and interest, negative where it was earned, of the night.
    """

    book: Book
    daily_return: float
    gross: float
    net: float
    turnover: float
    untraded: float
    earned: FloatArray
    linear_cost: float
    impact_cost: float
    borrow_cost: float
    financing_cost: float

    @property
    def trade_cost(self) -> float:
        """What trading cost."""
        return self.linear_cost + self.impact_cost

    @property
    def holding_cost(self) -> float:
        """What holding cost, interest on cash included."""
        return self.borrow_cost + self.financing_cost


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
    days: float = 1.0,
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
    days : float, default=1
        Trading days for which fees and interest accrue; more over a weekend where calendar days count.
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
    earned = kept * np.where(traded, change, 0.0) + closed * rules.delisting_return
    closing = rules.costs.linear * float(np.abs(closed).sum())
    borrow = float(rules.costs.holding_cost(kept, days=days).sum())
    financing = rules.costs.financing_cost(kept, days=days)
    growth = _solvent(1.0 + float(earned.sum()) - borrow - financing - closing)

    held = kept * np.where(traded, 1.0 + change, 1.0) / growth
    nav = book.value * growth
    done = _Trades(np.zeros(n_assets), 0.0, 0.0, 0.0)
    if target_weights is not None:
        wanted = _no_infinity(target_weights, "target_weights", n_assets) - held
        sigma, value = _market(rules, volatility, adv, n_assets)
        done = _trade(held, wanted, traded, sigma=sigma, value=value, nav=nav, rules=rules)
    left = _solvent(1.0 - done.cost)
    weights = (held + done.trades) / left
    return DayResult(
        book=Book(nav * left, weights),
        daily_return=growth * left - 1.0,
        gross=float(np.abs(weights).sum()),
        net=float(weights.sum()),
        turnover=float(np.abs(done.trades).sum() + np.abs(closed).sum() / growth),
        untraded=done.untraded,
        earned=earned,
        linear_cost=done.linear_cost * growth + closing,
        impact_cost=(done.cost - done.linear_cost) * growth,
        borrow_cost=borrow,
        financing_cost=financing,
    )


@dataclass(frozen=True)
class _Trades:
    """What was traded at a close, and its costs, fractions of the value before them."""

    trades: FloatArray
    untraded: float
    cost: float
    linear_cost: float


def _trade(
    held: FloatArray,
    wanted: FloatArray,
    traded: BoolArray,
    *,
    sigma: FloatArray,
    value: FloatArray,
    nav: float,
    rules: Execution,
) -> _Trades:
    """Trade what is wanted, NaN for nothing, as far as lenders, volume and open markets allow."""
    asked = np.where(np.isnan(wanted), 0.0, wanted)
    allowed = np.where(rules.costs.lendable(len(held)), asked, np.maximum(asked, -np.maximum(held, 0.0)))
    trades = _executable(allowed, traded & ~np.isnan(sigma) & (value > 0), value=value / nav, rules=rules)
    cost = float(rules.costs.trade_cost(trades, volatility=sigma, adv=value, nav=nav).sum())
    # Without impact the two are the same sum, taken in another order.
    linear = rules.costs.linear * float(np.abs(trades).sum()) if rules.costs.impact > 0 else cost
    return _Trades(trades, float(np.abs(asked - trades).sum()), cost, linear)


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
