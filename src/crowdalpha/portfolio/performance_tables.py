"""Where the result of a backtest came from: by month, by kind of cost, by factor. The parts add up to the total."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crowdalpha.portfolio.backtest import Backtest
from crowdalpha.scoring.arrays import FloatArray, IndexArray
from crowdalpha.scoring.checks import RangeError, ShapeError, finite, vector

__all__ = [
    "CostAttribution",
    "MonthlyReturns",
    "cost_attribution",
    "drawdown",
    "factor_attribution",
    "monthly_returns",
]

MONTHS = 12
EPOCH_YEAR = 1970
"""Year from which numpy counts months."""


@dataclass(frozen=True)
class MonthlyReturns:
    """Compounded returns by calendar month and year.

    Attributes
    ----------
    years : ndarray of shape (n_years,), dtype=int64
        Years that have a day, ascending.
    months : ndarray of shape (n_years, 12), dtype=float64
        NaN for a month without a day.
    yearly : ndarray of shape (n_years,), dtype=float64
        Its months compounded.
    total : float
        All years compounded: what the book made from its start to its end.
    """

    years: npt.NDArray[np.int64]
    months: FloatArray
    yearly: FloatArray
    total: float


@dataclass(frozen=True)
class CostAttribution:
    """What became of the starting value, each part a fraction of it: `net` is `gross` less the four costs.

    Attributes
    ----------
    gross : float
        What positions earned.
    spread_and_commission, impact, borrow, financing : float
        What was paid; negative financing is interest earned.
    net : float
        Change of value from start to end.
    """

    gross: float
    spread_and_commission: float
    impact: float
    borrow: float
    financing: float
    net: float


def drawdown(returns: FloatArray) -> FloatArray:
    """Measure how far the value is below its peak, start included.

    Parameters
    ----------
    returns : ndarray of shape (n_days,), dtype=float64
        Daily returns, each above -1.

    Returns
    -------
    ndarray of shape (n_days,), dtype=float64
        At least 0 and below 1.

    Raises
    ------
    NonFiniteError
        If a return is not finite.

    Notes
    -----
    NaN policy: refuse. Cost: O(n_days).

    Examples
    --------
    >>> drawdown(np.array([0.1, -0.2, 0.3])).round(9)
    array([0. , 0.2, 0. ])
    """
    changes = vector(returns, "returns")
    finite(returns=changes)
    value = np.cumprod(1.0 + changes)
    return 1.0 - value / np.maximum(np.maximum.accumulate(value), 1.0)


def monthly_returns(returns: FloatArray, dates: npt.NDArray[np.datetime64]) -> MonthlyReturns:
    """Compound daily returns by calendar month.

    Parameters
    ----------
    returns : ndarray of shape (n_days,), dtype=float64
        Daily returns.
    dates : ndarray of shape (n_days,), dtype=datetime64[D]
        Their days, in any order.

    Returns
    -------
    MonthlyReturns
        A row a year that has a day.

    Raises
    ------
    ShapeError
        If there is not one date a return, or no day.
    NonFiniteError
        If a return is not finite.

    Notes
    -----
    NaN policy: refuse. Cost: O(n_days).

    Examples
    --------
    >>> days = np.array(["2024-01-30", "2024-01-31", "2024-02-01"], dtype="datetime64[D]")
    >>> table = monthly_returns(np.array([0.1, 0.1, -0.5]), days)
    >>> table.months[0, :3].round(9), round(table.total, 9)
    (array([ 0.21, -0.5 ,   nan]), -0.395)
    """
    changes = vector(returns, "returns")
    finite(returns=changes)
    if len(dates) != len(changes):
        raise ShapeError(f"dates has {len(dates)} values for {len(changes)} returns; align them first")
    month_of = dates.astype("datetime64[M]").astype(np.int64)
    first_year = int(month_of.min()) // MONTHS
    n_years = int(month_of.max()) // MONTHS - first_year + 1
    growth = np.ones(n_years * MONTHS)
    np.multiply.at(growth, month_of - first_year * MONTHS, 1.0 + changes)
    seen = np.zeros(n_years * MONTHS, dtype=np.bool_)
    seen[month_of - first_year * MONTHS] = True
    months, known = growth.reshape(n_years, MONTHS), seen.reshape(n_years, MONTHS)
    used = known.any(axis=1)
    return MonthlyReturns(
        years=np.flatnonzero(used) + first_year + EPOCH_YEAR,
        months=np.where(known, months - 1.0, np.nan)[used],
        yearly=months[used].prod(axis=1) - 1.0,
        total=float(months.prod()) - 1.0,
    )


def cost_attribution(result: Backtest) -> CostAttribution:
    """Add up, in currency, what positions earned and what each cost took.

    Parameters
    ----------
    result : Backtest
        A book.

    Returns
    -------
    CostAttribution
        Fractions of the starting value.

    Notes
    -----
    NaN policy: propagate. Cost: O(n_days * n_assets). A day's part in currency is its fraction times the value
    before, so that the parts add up without a rest from compounding.
    """
    before = result.value_before
    start = float(before[0])

    def paid(rate: FloatArray) -> float:
        return float(before @ rate) / start

    return CostAttribution(
        gross=paid(result.earned.sum(axis=1)),
        spread_and_commission=paid(result.linear_cost),
        impact=paid(result.impact_cost),
        borrow=paid(result.borrow_cost),
        financing=paid(result.financing_cost),
        net=float(result.value[-1]) / start - 1.0,
    )


def factor_attribution(
    result: Backtest, returns: FloatArray, exposures: FloatArray, *, era_of_day: IndexArray
) -> FloatArray:
    """Split what positions earned into factors and the rest.

    Parameters
    ----------
    result : Backtest
        A book of n_days and n_assets.
    returns : ndarray of shape (n_days, n_assets), dtype=float64
        The returns it was run on; NaN where an asset did not trade.
    exposures : ndarray of shape (n_eras, n_assets, n_factors), dtype=float64
        Exposures known at each era; a row with a NaN is not known.
    era_of_day : ndarray of shape (n_days,), dtype=intp
        Newest era known before each day; -1 for none.

    Returns
    -------
    ndarray of shape (n_days, n_factors + 1), dtype=float64
        Of each day what each factor earned and, last, the rest: specific returns, delistings and assets without
        exposures. A row adds up to `result.earned.sum(axis=1)`; fractions of the value at the last close.

    Raises
    ------
    ShapeError
        If shapes do not fit.
    RangeError
        If an era is not there.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets * n_factors**2). The return of each factor comes from a least-squares
    regression of the day's returns on the exposures; where these are collinear, as dummies of countries and sectors
    beside a market are, it is the shortest solution: sums of factors within the market, country and sector together
    mean more than each alone.

    References
    ----------
    .. [1] R. Grinold, R. Kahn, "Active Portfolio Management", 2nd ed. (1999), chapter 17.
    """
    if returns.shape != result.weights.shape or exposures.shape[1:2] != returns.shape[1:]:
        raise ShapeError(
            f"returns {returns.shape} and exposures {exposures.shape} do not fit a book of {result.weights.shape}"
        )
    if len(era_of_day) != len(returns):
        raise ShapeError(f"era_of_day has {len(era_of_day)} values for {len(returns)} days")
    if len(era_of_day) and not -1 <= era_of_day.min() <= era_of_day.max() < len(exposures):
        raise RangeError(f"era_of_day must be from -1 to {len(exposures) - 1}")
    earned, held = result.earned.sum(axis=1), result.held
    parts = np.zeros((len(returns), exposures.shape[2] + 1))
    for era in np.unique(era_of_day[era_of_day >= 0]):
        known = np.isfinite(exposures[era]).all(axis=1)
        for day in np.flatnonzero(era_of_day == era):
            used = known & np.isfinite(returns[day])
            if used.sum() > exposures.shape[2]:
                loadings = exposures[era][used]
                factor_returns = np.linalg.lstsq(loadings, returns[day][used], rcond=None)[0]
                parts[day, :-1] = (held[day][used] @ loadings) * factor_returns
    parts[:, -1] = earned - parts[:, :-1].sum(axis=1)
    return parts
