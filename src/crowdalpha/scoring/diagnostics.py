"""Diagnostics of a model's scores over eras. Scores of different eras meet here and nowhere else.

All functions take one score an era, eras in order, and skip eras without one (NaN).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crowdalpha.scoring import checks
from crowdalpha.scoring.arrays import FloatArray

__all__ = [
    "ScoreSummary",
    "annual_percentage_yield",
    "autocorrelation",
    "autocorrelation_penalty",
    "calmar_ratio",
    "compounded_drawdown",
    "hit_rate",
    "max_drawdown",
    "sharpe_ratio",
    "smart_sharpe",
    "sortino_ratio",
    "summarize",
]

WEEKS_PER_YEAR = 52
# A tournament week pays out four weeks late, so a year holds 48 of them (numerblox 1.6.1, `apy`).
STAKE_LOCK_WEEKS = 4
# Payouts of the weekly tournament were clipped at a quarter of the stake.
WEEKLY_CLIP = 0.25


@dataclass(frozen=True)
class ScoreSummary:
    """What a series of scores looks like: `std` with ddof=0, additive drawdown, eras with a score counted."""

    mean: float
    std: float
    sharpe: float
    max_drawdown: float
    n_eras: int


def summarize(scores_by_era: npt.ArrayLike) -> ScoreSummary:
    """Mean, standard deviation, Sharpe ratio and drawdown of one score an era.

    Parameters
    ----------
    scores_by_era : array-like of shape (n_eras,)
        Scores of one model, eras in order.

    Returns
    -------
    ScoreSummary
        All NaN and `n_eras=0` if no era has a score.

    Raises
    ------
    ShapeError
        If it is not one-dimensional.
    NonFiniteError
        If a score is infinite.

    Notes
    -----
    NaN policy: omit. Cost: O(n_eras). Weekly scores of overlapping targets are autocorrelated by construction,
    so their plain Sharpe ratio flatters; `smart_sharpe` corrects for one lag.

    Examples
    --------
    >>> summarize([0.01, 0.03, float("nan"), 0.02]).n_eras
    3
    """
    scores = _known(scores_by_era)
    if not len(scores):
        return ScoreSummary(np.nan, np.nan, np.nan, np.nan, 0)
    return ScoreSummary(
        mean=float(scores.mean()),
        std=_deviation(scores),
        sharpe=sharpe_ratio(scores),
        max_drawdown=max_drawdown(scores),
        n_eras=len(scores),
    )


def sharpe_ratio(scores_by_era: npt.ArrayLike, *, ddof: int = 0) -> float:
    """Mean over standard deviation, per era.

    Parameters
    ----------
    scores_by_era : array-like of shape (n_eras,)
        Scores of one model, eras in order.
    ddof : int, default=0
        Delta degrees of freedom of the standard deviation; 0 in the reference.

    Returns
    -------
    float
        Infinite, with the sign of the mean, when all scores are equal; NaN when they are all 0, or there are none.

    Raises
    ------
    ShapeError, NonFiniteError
        As `summarize`.

    Notes
    -----
    NaN policy: omit. Cost: O(n_eras).

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.sharpe_ratio`.

    Examples
    --------
    >>> sharpe_ratio([1.0, 3.0])
    2.0
    """
    scores = _known(scores_by_era)
    return _ratio(_mean(scores), _deviation(scores, ddof))


def max_drawdown(scores_by_era: npt.ArrayLike) -> float:
    """Deepest fall of the cumulative sum from its highest point so far, as a number that is not negative.

    Parameters
    ----------
    scores_by_era : array-like of shape (n_eras,)
        Scores of one model, eras in order.

    Returns
    -------
    float
        The highest point starts at the first score, so a loss in the first era is no drawdown; NaN without scores.

    Raises
    ------
    ShapeError, NonFiniteError
        As `summarize`.

    Notes
    -----
    NaN policy: omit. Cost: O(n_eras).

    References
    ----------
    .. [1] numerai/example-scripts, `numerai_metrics.py`.

    Examples
    --------
    >>> max_drawdown([1.0, -3.0, 1.0, -1.5])
    3.5
    """
    scores = _known(scores_by_era)
    if not len(scores):
        return np.nan
    totals = np.cumsum(scores)
    return float((np.maximum.accumulate(totals) - totals).max())


def compounded_drawdown(scores_by_era: npt.ArrayLike) -> float:
    """Deepest relative fall of the compounded scores, as a number that is not positive.

    Parameters
    ----------
    scores_by_era : array-like of shape (n_eras,)
        Scores of one model, eras in order, read as returns.

    Returns
    -------
    float
        As a negative share of the highest value so far, which starts after the first era; NaN without scores.

    Raises
    ------
    ShapeError, NonFiniteError
        As `summarize`.

    Notes
    -----
    NaN policy: omit. Cost: O(n_eras).

    References
    ----------
    .. [1] numerblox 1.6.1, `evaluation.max_drawdown`.

    Examples
    --------
    >>> compounded_drawdown([1.0, -0.5, 0.5])
    -0.5
    """
    scores = _known(scores_by_era)
    if not len(scores):
        return np.nan
    values = np.cumprod(1.0 + scores)
    return -float((1.0 - values / np.maximum.accumulate(values)).max())


def annual_percentage_yield(scores_by_era: npt.ArrayLike) -> float:
    """Yearly growth in percent of a stake that was paid the clipped scores and compounded.

    Parameters
    ----------
    scores_by_era : array-like of shape (n_eras,)
        Weekly scores of one model, eras in order.

    Returns
    -------
    float
        Percent; a year has 48 paid weeks. NaN without scores.

    Raises
    ------
    ShapeError, NonFiniteError
        As `summarize`.

    Notes
    -----
    NaN policy: omit. Cost: O(n_eras).

    References
    ----------
    .. [1] numerblox 1.6.1, `evaluation.apy`.

    Examples
    --------
    >>> round(annual_percentage_yield([0.0, 0.0]), 6)
    0.0
    """
    scores = _known(scores_by_era)
    if not len(scores):
        return np.nan
    growth = np.prod(1.0 + np.clip(scores, -WEEKLY_CLIP, WEEKLY_CLIP))
    return float((growth ** ((WEEKS_PER_YEAR - STAKE_LOCK_WEEKS) / len(scores)) - 1.0) * 100.0)


def calmar_ratio(scores_by_era: npt.ArrayLike) -> float:
    """Annual percentage yield over the compounded drawdown.

    Parameters
    ----------
    scores_by_era : array-like of shape (n_eras,)
        Weekly scores of one model, eras in order.

    Returns
    -------
    float
        NaN without a drawdown.

    Raises
    ------
    ShapeError, NonFiniteError
        As `summarize`.

    Notes
    -----
    NaN policy: omit. Cost: O(n_eras).

    References
    ----------
    .. [1] numerblox 1.6.1, `evaluation.calmar_ratio`.

    Examples
    --------
    >>> calmar_ratio([0.1, 0.1])
    nan
    """
    drawdown = compounded_drawdown(scores_by_era)
    return annual_percentage_yield(scores_by_era) / -drawdown if drawdown < 0 else np.nan


def autocorrelation(scores_by_era: npt.ArrayLike) -> float:
    """Correlation of each score with the one before.

    Parameters
    ----------
    scores_by_era : array-like of shape (n_eras,)
        Scores of one model, eras in order.

    Returns
    -------
    float
        In [-1, 1]; NaN with fewer than three scores or equal ones.

    Raises
    ------
    ShapeError, NonFiniteError
        As `summarize`.

    Notes
    -----
    NaN policy: omit; the eras around a gap count as neighbours. Cost: O(n_eras).

    References
    ----------
    .. [1] numerblox 1.6.1, `evaluation.autocorr1`.

    Examples
    --------
    >>> round(autocorrelation([1.0, 2.0, 1.0, 2.0]), 9)
    -1.0
    """
    scores = _known(scores_by_era)
    before, after = scores[:-1] - _mean(scores[:-1]), scores[1:] - _mean(scores[1:])
    return _ratio(float(before @ after), float(np.sqrt((before @ before) * (after @ after))))


def autocorrelation_penalty(scores_by_era: npt.ArrayLike) -> float:
    """Factor by which autocorrelation inflates the standard deviation of a sum of the scores.

    Parameters
    ----------
    scores_by_era : array-like of shape (n_eras,)
        Scores of one model, eras in order.

    Returns
    -------
    float
        1 without autocorrelation, below 1 when it is negative; NaN where the autocorrelation is.

    Raises
    ------
    ShapeError, NonFiniteError
        As `summarize`.

    Notes
    -----
    NaN policy: omit. Cost: O(n_eras).

    References
    ----------
    .. [1] numerblox 1.6.1, `evaluation.autocorr_penalty`.

    Examples
    --------
    >>> round(autocorrelation_penalty([1.0, 2.0, 1.0, 2.0]), 6)
    0.0
    """
    scores = _known(scores_by_era)
    n_eras = len(scores)
    lags = np.arange(1, n_eras)
    inflation = 1.0 + 2.0 * np.sum((n_eras - lags) / max(n_eras, 1) * autocorrelation(scores) ** lags)
    # A strongly negative autocorrelation can round below zero.
    return float(np.sqrt(np.maximum(inflation, 0.0))) if n_eras else np.nan


def smart_sharpe(scores_by_era: npt.ArrayLike) -> float:
    """Sharpe ratio whose deviation (ddof=1) is inflated by the autocorrelation.

    Parameters
    ----------
    scores_by_era : array-like of shape (n_eras,)
        Scores of one model, eras in order.

    Returns
    -------
    float
        NaN where the autocorrelation is.

    Raises
    ------
    ShapeError, NonFiniteError
        As `summarize`.

    Notes
    -----
    NaN policy: omit. Cost: O(n_eras).

    References
    ----------
    .. [1] numerblox 1.6.1, `evaluation.smart_sharpe`.

    Examples
    --------
    >>> round(smart_sharpe([1.0, 2.0, 1.0, 3.0, 2.0]), 6)
    3.082452
    """
    scores = _known(scores_by_era)
    return _ratio(_mean(scores), _deviation(scores, 1) * autocorrelation_penalty(scores))


def sortino_ratio(scores_by_era: npt.ArrayLike) -> float:
    """Mean over the root mean square of the losses.

    Parameters
    ----------
    scores_by_era : array-like of shape (n_eras,)
        Scores of one model, eras in order.

    Returns
    -------
    float
        Infinite, with the sign of the mean, when there is no loss; NaN without scores.

    Raises
    ------
    ShapeError, NonFiniteError
        As `summarize`.

    Notes
    -----
    NaN policy: omit. Cost: O(n_eras). Eras without a loss count as 0 in the mean square.

    References
    ----------
    .. [1] F. A. Sortino and L. N. Price, "Performance Measurement in a Downside Risk Framework", 1994.

    Examples
    --------
    >>> sortino_ratio([3.0, -1.0, 3.0, 3.0])
    4.0
    """
    scores = _known(scores_by_era)
    return _ratio(_mean(scores), float(np.sqrt(_mean(np.minimum(scores, 0.0) ** 2))))


def hit_rate(scores_by_era: npt.ArrayLike) -> float:
    """Share of the eras with a score above 0.

    Parameters
    ----------
    scores_by_era : array-like of shape (n_eras,)
        Scores of one model, eras in order.

    Returns
    -------
    float
        In [0, 1]; NaN without scores.

    Raises
    ------
    ShapeError, NonFiniteError
        As `summarize`.

    Notes
    -----
    NaN policy: omit. Cost: O(n_eras).

    Examples
    --------
    >>> hit_rate([0.1, -0.1, 0.2, 0.0])
    0.5
    """
    return _mean((_known(scores_by_era) > 0).astype(np.float64))


def _known(scores_by_era: npt.ArrayLike) -> FloatArray:
    scores = checks.vector_or_matrix(scores_by_era, "scores_by_era")
    if scores.ndim != 1:
        raise checks.ShapeError(f"scores_by_era has shape {scores.shape}; give one score an era, one model at a time")
    known: FloatArray = scores[~np.isnan(scores)]
    checks.finite(scores_by_era=known)
    return known


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if len(values) else np.nan


def _deviation(scores: FloatArray, ddof: int = 0) -> float:
    """Exactly 0 for equal scores, whatever their mean rounds to; NaN without enough of them."""
    if len(scores) <= ddof:
        return np.nan
    return 0.0 if scores.min() == scores.max() else float(scores.std(ddof=ddof))


def _ratio(numerator: float, denominator: float) -> float:
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.divide(numerator, denominator))
