"""Statistics of each asset over a window of days.

NaN policy of all of them: omit. A window in which an asset has fewer than half of the days (and fewer than two
for a spread) gives NaN, and so does a ratio without a denominator. Columns do not touch each other: the result
of one asset does not depend, to the last bit, on which others there are.
"""

from dataclasses import dataclass

import numpy as np

from crowdalpha.market.arrays import BoolArray, FloatArray

__all__ = [
    "Regression",
    "average",
    "correlation",
    "deviation",
    "highest",
    "kurtosis",
    "lowest",
    "median",
    "ratio",
    "regression",
    "skewness",
    "total",
]

ENOUGH = 0.5


def total(values: FloatArray) -> FloatArray:
    """Sum over the days.

    Parameters
    ----------
    values : ndarray of shape (n_days, n_assets), dtype=float64
        Any unit.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=float64
        Sums of what is there.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets).

    Examples
    --------
    >>> total(np.array([[1.0, np.nan], [2.0, np.nan], [np.nan, 4.0]]))
    array([ 3., nan])
    """
    filled, seen = _seen(values)
    return _enough(filled.sum(axis=0), seen)


def average(values: FloatArray) -> FloatArray:
    """Average over the days.

    Parameters
    ----------
    values : ndarray of shape (n_days, n_assets), dtype=float64
        Any unit.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=float64
        Means of what is there.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets).
    """
    filled, seen = _seen(values)
    return _enough(_mean(filled, seen), seen)


def deviation(values: FloatArray) -> FloatArray:
    """Take the standard deviation over the days, of the days as a population.

    Parameters
    ----------
    values : ndarray of shape (n_days, n_assets), dtype=float64
        Any unit.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=float64
        Deviations, in the unit of `values`.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets).

    Examples
    --------
    >>> deviation(np.array([[1.0], [3.0]]))
    array([1.])
    """
    centred, seen = _centred(values)
    return _enough(np.sqrt(_mean(centred**2, seen)), seen)


def skewness(values: FloatArray) -> FloatArray:
    """Third standardised moment over the days.

    Parameters
    ----------
    values : ndarray of shape (n_days, n_assets), dtype=float64
        Any unit.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=float64
        Skewness, no unit; NaN for a constant.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets). The biased estimator, as `scipy.stats.skew` by default.
    """
    centred, seen = _centred(values)
    square = centred**2
    return _enough(ratio(_mean(square * centred, seen), _mean(square, seen) ** 1.5), seen)


def kurtosis(values: FloatArray) -> FloatArray:
    """Fourth standardised moment over the days, less 3.

    Parameters
    ----------
    values : ndarray of shape (n_days, n_assets), dtype=float64
        Any unit.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=float64
        Excess kurtosis, no unit; NaN for a constant.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets). The biased estimator, as `scipy.stats.kurtosis` by default.
    """
    centred, seen = _centred(values)
    square = centred**2
    return _enough(ratio(_mean(square**2, seen), _mean(square, seen) ** 2) - 3.0, seen)


def highest(values: FloatArray) -> FloatArray:
    """Highest value of the days.

    Parameters
    ----------
    values : ndarray of shape (n_days, n_assets), dtype=float64
        Any unit.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=float64
        Maxima.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets).
    """
    seen = ~np.isnan(values)
    return _enough(np.where(seen, values, -np.inf).max(axis=0), seen)


def lowest(values: FloatArray) -> FloatArray:
    """Lowest value of the days.

    Parameters
    ----------
    values : ndarray of shape (n_days, n_assets), dtype=float64
        Any unit.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=float64
        Minima.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets).
    """
    return -highest(-values)


def correlation(left: FloatArray, right: FloatArray) -> FloatArray:
    """Pearson correlation of two series of each asset, over days that have both.

    Parameters
    ----------
    left, right : ndarray of shape (n_days, n_assets) or (n_days, 1), dtype=float64
        Any units.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=float64
        Correlations; NaN where either is constant.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets).
    """
    covariance, left_variance, right_variance, seen = _moments(left, right)
    return _enough(ratio(covariance, np.sqrt(left_variance * right_variance)), seen)


@dataclass(frozen=True)
class Regression:
    """What a benchmark explains of each asset, over the days that have both.

    Parameters
    ----------
    beta : ndarray of shape (n_assets,), dtype=float64
        Slopes.
    correlation : ndarray of shape (n_assets,), dtype=float64
        Correlations with the benchmark.
    residual_deviation : ndarray of shape (n_assets,), dtype=float64
        Standard deviation of what is left, in the unit of the values.
    """

    beta: FloatArray
    correlation: FloatArray
    residual_deviation: FloatArray


def regression(values: FloatArray, benchmark: FloatArray) -> Regression:
    """Regress each asset's values on a benchmark's, with an intercept.

    Parameters
    ----------
    values : ndarray of shape (n_days, n_assets), dtype=float64
        Returns.
    benchmark : ndarray of shape (n_days, 1), dtype=float64
        Returns of the benchmark.

    Returns
    -------
    Regression
        Slopes, correlations and residual deviations.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets).
    """
    covariance, variance, benchmark_variance, seen = _moments(values, benchmark)
    unexplained = variance - ratio(covariance**2, benchmark_variance)
    return Regression(
        beta=_enough(ratio(covariance, benchmark_variance), seen),
        correlation=_enough(ratio(covariance, np.sqrt(variance * benchmark_variance)), seen),
        residual_deviation=_enough(np.sqrt(np.maximum(unexplained, 0.0)), seen),
    )


def median(values: FloatArray) -> FloatArray:
    """Take the median over the days, of whatever is there.

    Parameters
    ----------
    values : ndarray of shape (n_days, n_assets), dtype=float64
        Any unit.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=float64
        Medians; NaN for a column without values, however few it has otherwise.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * log(n_days) * n_assets), some ten times less than `np.nanmedian`.

    Examples
    --------
    >>> median(np.array([[1.0, np.nan], [4.0, np.nan], [2.0, 5.0]]))
    array([2., 5.])
    """
    ordered = np.sort(values, axis=0)
    seen = (~np.isnan(values)).sum(axis=0)
    low = np.take_along_axis(ordered, np.maximum(seen - 1, 0)[None] // 2, axis=0)
    high = np.take_along_axis(ordered, np.minimum(seen // 2, len(values) - 1)[None], axis=0)
    return np.where(seen > 0, (low[0] + high[0]) / 2.0, np.nan)


def ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Divide where the denominator is positive.

    Parameters
    ----------
    numerator, denominator : ndarray of shape (n_assets,), dtype=float64
        Any units.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=float64
        Quotients; NaN where the denominator is not above zero.

    Notes
    -----
    NaN policy: propagate. Cost: O(n_assets).

    Examples
    --------
    >>> ratio(np.array([1.0, 1.0]), np.array([2.0, 0.0]))
    array([0.5, nan])
    """
    positive = denominator > 0
    return np.where(positive, numerator / np.where(positive, denominator, 1.0), np.nan)


def _seen(values: FloatArray) -> tuple[FloatArray, BoolArray]:
    seen = ~np.isnan(values)
    return np.where(seen, values, 0.0), seen


def _mean(filled: FloatArray, seen: BoolArray) -> FloatArray:
    mean: FloatArray = filled.sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    return mean


def _centred(values: FloatArray) -> tuple[FloatArray, BoolArray]:
    filled, seen = _seen(values)
    return np.where(seen, filled - _mean(filled, seen), 0.0), seen


def _moments(left: FloatArray, right: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, BoolArray]:
    both = ~np.isnan(left) & ~np.isnan(right)
    first, _ = _centred(np.where(both, left, np.nan))
    second, _ = _centred(np.where(both, right, np.nan))
    return _mean(first * second, both), _mean(first**2, both), _mean(second**2, both), both


def _enough(values: FloatArray, seen: BoolArray) -> FloatArray:
    return np.where(seen.sum(axis=0) >= np.ceil(ENOUGH * len(seen)), values, np.nan)
