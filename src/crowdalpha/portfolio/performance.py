"""What a run of daily returns amounts to, and what the book was exposed to while it lasted."""

from dataclasses import dataclass

import numpy as np

from crowdalpha.portfolio.costs import TRADING_DAYS_PER_YEAR
from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.checks import RangeError, ShapeError, finite, matrix, vector

__all__ = ["Performance", "performance", "realized_exposures"]


@dataclass(frozen=True)
class Performance:
    """Annualised results of a book; the names say what higher means, except `max_drawdown`, better when lower."""

    annual_return: float
    annual_volatility: float
    sharpe: float
    max_drawdown: float


def performance(daily_returns: FloatArray) -> Performance:
    """Summarise daily returns.

    Parameters
    ----------
    daily_returns : ndarray of shape (n_days,), dtype=float64
        Returns after costs, each above -1.

    Returns
    -------
    Performance
        `annual_return` is the mean times 252 (not compounded), `annual_volatility` the standard deviation (ddof 0)
        times the root of 252, `sharpe` their ratio without a risk-free rate (NaN if nothing varied), `max_drawdown`
        the largest fall of compounded value from its peak, start included, as a fraction in [0, 1).

    Raises
    ------
    ShapeError
        If there is no day.
    NonFiniteError
        If a return is not finite.
    RangeError
        If a return is -1 or below: the book would be gone.

    Notes
    -----
    NaN policy: refuse. Cost: O(n_days).

    Examples
    --------
    >>> result = performance(np.array([0.1, -0.2, 0.3]))
    >>> round(result.max_drawdown, 9), round(result.annual_return, 9)
    (0.2, 16.8)
    """
    returns = vector(daily_returns, "daily_returns")
    finite(daily_returns=returns)
    if (returns <= -1).any():
        raise RangeError(f"daily_returns is {returns.min()} at row {int(returns.argmin())}; a book cannot lose more")
    mean, deviation = float(returns.mean()), float(returns.std())
    varied = returns.min() < returns.max() and deviation > 0
    value = np.concatenate([[1.0], np.cumprod(1.0 + returns)])
    drawdown = 1.0 - value / np.maximum.accumulate(value)
    return Performance(
        annual_return=mean * TRADING_DAYS_PER_YEAR,
        annual_volatility=deviation * TRADING_DAYS_PER_YEAR**0.5 if varied else 0.0,
        sharpe=mean / deviation * TRADING_DAYS_PER_YEAR**0.5 if varied else float("nan"),
        max_drawdown=float(drawdown.max()),
    )


def realized_exposures(weights: FloatArray, exposures: FloatArray) -> FloatArray:
    """Measure what a book was exposed to.

    Parameters
    ----------
    weights : ndarray of shape (n_days, n_assets), dtype=float64
        Fractions of book value.
    exposures : ndarray of shape (n_assets, n_factors) or (n_days, n_assets, n_factors), dtype=float64
        Exposures, the same for every day or one matrix a day; NaN where unknown.

    Returns
    -------
    ndarray of shape (n_days, n_factors), dtype=float64
        Sum of weight times exposure: book value per unit of factor.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    NonFiniteError
        If a weight is not finite.

    Notes
    -----
    NaN policy: omit (an unknown exposure adds nothing). Cost: O(n_days * n_assets * n_factors).

    Examples
    --------
    >>> realized_exposures(np.array([[0.5, -0.25]]), np.array([[1.0, 2.0], [1.0, 0.0]]))
    array([[0.25, 1.  ]])
    """
    held = matrix(weights, "weights")
    finite(weights=held)
    known = np.where(np.isnan(exposures), 0.0, exposures)
    if known.shape[:-1] not in {held.shape, held.shape[1:]}:
        raise ShapeError(
            f"exposures has shape {known.shape}; weights of shape {held.shape} need (.., n_assets, n_factors)"
        )
    if known.ndim == 2:  # noqa: PLR2004  # one matrix for all days
        return held @ known
    per_day: FloatArray = np.einsum("ti,tik->tk", held, known)
    return per_day
