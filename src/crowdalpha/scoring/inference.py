"""How sure one can be of a mean or a Sharpe ratio over eras: bootstrap intervals, probabilistic and deflated Sharpe.

Targets of neighbouring eras overlap, so their scores are not independent. The bootstrap draws blocks of eras; the
Sharpe probabilities count only as many eras as do not overlap.
"""

from dataclasses import dataclass
from math import ceil, sqrt
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import scipy  # loads its parts when they are first used, which keeps our import short

from crowdalpha.scoring import checks
from crowdalpha.scoring._series import constant, packed, series_columns
from crowdalpha.scoring.arrays import BoolArray, FloatArray, IndexArray

__all__ = [
    "BootstrapStatistic",
    "Interval",
    "SharpeEstimate",
    "block_length",
    "bootstrap_interval",
    "deflated_sharpe",
    "estimate_sharpe",
    "expected_largest_sharpe",
    "probabilistic_sharpe",
]

BootstrapStatistic = Literal["mean", "std", "sharpe", "sortino", "hit_rate"]

# An autocorrelation counts where it is above this many standard errors of white noise (Politis and White 2004).
NOTABLE_ERRORS = 2.0
# It is the last one that does if the next five do not: enough for any series shorter than 10**25 eras.
RUN_OF_LAGS = 5
# A variance below this share of the mean square is rounding.
ROUNDING = 1e-24


@dataclass(frozen=True, eq=False)
class Interval:
    """A statistic of scores and its bootstrap interval.

    `estimate`, `low` and `high` have shape (n_models,), or () for one series: `float(interval.low)`. `level` is the
    share that the interval is meant to cover, `block` the mean number of eras that were drawn together.
    """

    estimate: FloatArray
    low: FloatArray
    high: FloatArray
    level: float
    block: float


@dataclass(frozen=True, eq=False)
class SharpeEstimate:
    """A Sharpe ratio an era, and what its error depends on; shapes (n_models,), or () for one series.

    `n_eras` is the number of scores that do not overlap, perhaps a fraction; `kurtosis` is 3 for a normal distribution.
    """

    sharpe: FloatArray
    skewness: FloatArray
    kurtosis: FloatArray
    n_eras: FloatArray


def bootstrap_interval(
    scores_by_era: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    statistic: BootstrapStatistic = "mean",
    level: float = 0.95,
    block: float | None = None,
    draws: int = 2_000,
) -> Interval:
    """Percentile interval of a statistic, by the stationary bootstrap over eras.

    Parameters
    ----------
    scores_by_era : array-like of shape (n_eras,) or (n_eras, n_models)
        Scores, eras in order. Models are drawn together.
    rng : Generator
        Where the draws come from.
    statistic : {"mean", "std", "sharpe", "sortino", "hit_rate"}, default="mean"
        As the functions of those names define them.
    level : float in (0, 1), default=0.95
        Share of repetitions in which the interval is meant to hold the truth.
    block : float of at least 1, optional
        Mean number of neighbouring eras that are drawn together; the number of eras that a target spans is a good
        choice, 1 takes eras as independent. Default: the longest `block_length` of the models, so the interval of a
        model can depend on those beside it.
    draws : int, default=2000
        Number of resampled histories.

    Returns
    -------
    Interval
        NaN for a model without scores.

    Raises
    ------
    ShapeError
        If there are no eras.
    NonFiniteError
        If a score is infinite.
    RangeError
        If an option lies outside its range.

    Notes
    -----
    NaN policy: omit; a missing era is drawn and then not counted. Blocks have geometric lengths and run on from the
    last era to the first. Percentile intervals are a little too narrow when the eras hold few blocks.
    Cost: O(draws * n_eras) for the draws, and one matrix product of (draws, n_eras) with (n_eras, n_models) or two.

    References
    ----------
    .. [1] D. N. Politis and J. P. Romano, "The Stationary Bootstrap", JASA 89, 1994.

    Examples
    --------
    >>> found = bootstrap_interval([0.01, 0.03, 0.02, 0.04], rng=np.random.default_rng(0), block=1)
    >>> found.estimate.round(3), bool(found.low < found.estimate < found.high)
    (np.float64(0.025), True)
    """
    scores, shape = series_columns(scores_by_era)
    _check_options(statistic, level, draws)
    n_eras = len(scores)
    if block is None:
        lengths = block_length(scores)
        block = float(lengths.max()) if lengths.size else 1.0
    checks.in_range(block, 1.0, float("inf"), "block")
    counts = _drawn_counts(n_eras, draws=draws, block=min(block, float(n_eras)), rng=rng)
    everything = np.ones((1, n_eras))
    sampled = np.sort(_statistic(counts, scores, statistic), axis=0)  # NaN, where no drawn era has a score, goes last
    known = (~np.isnan(sampled)).sum(axis=0)
    tail = (1.0 - level) / 2.0
    return Interval(
        estimate=_statistic(everything, scores, statistic)[0].reshape(shape),
        low=_order_statistic(sampled, known, tail).reshape(shape),
        high=_order_statistic(sampled, known, 1.0 - tail).reshape(shape),
        level=level,
        block=block,
    )


def block_length(scores_by_era: npt.ArrayLike) -> FloatArray:
    """Mean block length of the stationary bootstrap that suits the autocorrelation of the scores.

    Parameters
    ----------
    scores_by_era : array-like of shape (n_eras,) or (n_eras, n_models)
        Scores, eras in order.

    Returns
    -------
    ndarray of shape () or (n_models,), dtype=float64
        At least 1; 1 for equal or too few scores.

    Raises
    ------
    ShapeError
        If there are no eras.
    NonFiniteError
        If a score is infinite.

    Notes
    -----
    NaN policy: omit; the eras around a gap count as neighbours. Cost: O(n_models * n_eras log n_eras).
    The rule estimates the spectrum at zero with a flat-top window that is twice as long as the lags whose
    autocorrelation is notable.

    References
    ----------
    .. [1] D. N. Politis and H. White, "Automatic Block-Length Selection for the Dependent Bootstrap", Econometric
       Reviews 23, 2004, with the correction of A. Patton, D. N. Politis and H. White, ibid. 28, 2009.

    Examples
    --------
    >>> block_length([0.1, 0.1, 0.1])
    array(1.)
    """
    scores, shape = series_columns(scores_by_era)
    return _politis_white(*packed(scores)).reshape(shape)


def estimate_sharpe(scores_by_era: npt.ArrayLike, *, overlap: float = 1.0) -> SharpeEstimate:
    """Sharpe ratio an era, skewness, kurtosis and the number of eras that do not overlap.

    Parameters
    ----------
    scores_by_era : array-like of shape (n_eras,) or (n_eras, n_models)
        Scores, eras in order.
    overlap : float of at least 1, default=1.0
        Eras that a target spans: 4 for targets of 20 days in weekly eras. The number of scores is divided by it.

    Returns
    -------
    SharpeEstimate
        All with ddof=0; NaN, and no eras, for a model without scores.

    Raises
    ------
    ShapeError
        If there are no eras.
    NonFiniteError
        If a score is infinite.
    RangeError
        If `overlap` is below 1.

    Notes
    -----
    NaN policy: omit. Cost: O(n_eras * n_models). Dividing by the overlap is right for a score that is the mean of
    `overlap` independent weeks, and careful where the predictions change from era to era.

    Examples
    --------
    >>> found = estimate_sharpe([0.0, 2.0, 0.0, 2.0], overlap=2)
    >>> float(found.sharpe), float(found.skewness), float(found.kurtosis), float(found.n_eras)
    (1.0, 0.0, 1.0, 2.0)
    """
    scores, shape = series_columns(scores_by_era)
    checks.in_range(overlap, 1.0, float("inf"), "overlap")
    known = ~np.isnan(scores)
    counts = known.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(known, scores, 0.0).sum(axis=0) / counts
        centred = np.where(known & ~constant(scores, known), scores - mean, 0.0)
        second, third, fourth = ((centred**order).sum(axis=0) / counts for order in (2, 3, 4))
        parts = (mean / np.sqrt(second), third / second**1.5, fourth / second**2, counts / overlap)
    sharpe, skewness, kurtosis, n_eras = (part.reshape(shape) for part in parts)
    return SharpeEstimate(sharpe=sharpe, skewness=skewness, kurtosis=kurtosis, n_eras=n_eras)


def probabilistic_sharpe(estimate: SharpeEstimate, *, threshold: npt.ArrayLike = 0.0) -> FloatArray:
    """Probability that the true Sharpe ratio is above a threshold, given the one that was measured.

    Parameters
    ----------
    estimate : SharpeEstimate
        What was measured, from `estimate_sharpe`.
    threshold : array-like of shape () or (n_models,), default=0.0
        Sharpe ratio an era, not a year.

    Returns
    -------
    ndarray of the shape of `estimate.sharpe`, dtype=float64
        In [0, 1]; NaN where the Sharpe ratio is not finite or fewer than two eras count.

    Notes
    -----
    NaN policy: propagate. Cost: O(n_models). Asymptotic: scores are taken as independent and their third and fourth
    moments as known.

    References
    ----------
    .. [1] D. H. Bailey and M. Lopez de Prado, "The Sharpe Ratio Efficient Frontier", Journal of Risk 15, 2012.

    Examples
    --------
    >>> normal = SharpeEstimate(*(np.array(value) for value in (0.2, 0.0, 3.0, 101.0)))
    >>> probabilistic_sharpe(normal).round(4)
    np.float64(0.9762)
    """
    sharpe = np.asarray(estimate.sharpe, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        variance = 1.0 - estimate.skewness * sharpe + (estimate.kurtosis - 1.0) / 4.0 * sharpe**2
        errors = (sharpe - np.asarray(threshold)) * np.sqrt((estimate.n_eras - 1.0) / variance)
    defined = np.isfinite(sharpe) & (np.asarray(estimate.n_eras) > 1.0)
    probability: FloatArray = np.where(defined, scipy.special.ndtr(errors), np.nan)[()]
    return probability


def expected_largest_sharpe(n_tried: int, *, variance: float) -> float:
    """Largest Sharpe ratio to expect of models that know nothing.

    Parameters
    ----------
    n_tried : int
        Number of independent models that were tried, at least 1.
    variance : float
        Variance of their Sharpe ratios an era; 1 / n_eras if they know nothing and eras do not overlap.

    Returns
    -------
    float
        0 for one model.

    Raises
    ------
    RangeError
        If `n_tried` is below 1 or the variance negative.

    Notes
    -----
    NaN policy: refuse. Cost: O(1). Copies of one model count once: fewer independent models than were tried make the
    answer too large.

    References
    ----------
    .. [1] D. H. Bailey and M. Lopez de Prado, "The Deflated Sharpe Ratio", Journal of Portfolio Management 40, 2014,
       equation 1.

    Examples
    --------
    >>> round(expected_largest_sharpe(100, variance=0.5 / 250), 4)
    0.1132
    """
    checks.in_range(n_tried, 1, float("inf"), "n_tried")
    checks.in_range(variance, 0.0, float("inf"), "variance")
    if n_tried == 1:
        return 0.0
    first, second = scipy.special.ndtri([1.0 - 1.0 / n_tried, 1.0 - 1.0 / (n_tried * np.e)])
    return float(sqrt(variance) * ((1.0 - np.euler_gamma) * first + np.euler_gamma * second))


def deflated_sharpe(estimate: SharpeEstimate, *, n_tried: int, variance: float) -> FloatArray:
    """Probability that a Sharpe ratio is more than the luck of having tried many models.

    Parameters
    ----------
    estimate : SharpeEstimate
        Of the model that was chosen, from `estimate_sharpe`.
    n_tried, variance : int, float
        Independent models that were tried to get to it, and the variance of their Sharpe ratios an era.

    Returns
    -------
    ndarray of the shape of `estimate.sharpe`, dtype=float64
        In [0, 1]: `probabilistic_sharpe` above `expected_largest_sharpe`.

    Raises
    ------
    RangeError
        As `expected_largest_sharpe`.

    Notes
    -----
    NaN policy: propagate. Cost: O(n_models).

    References
    ----------
    .. [1] D. H. Bailey and M. Lopez de Prado, "The Deflated Sharpe Ratio", Journal of Portfolio Management 40, 2014.

    Examples
    --------
    >>> chosen = SharpeEstimate(*(np.array(value) for value in (2.5 / 250**0.5, -3.0, 10.0, 1250.0)))
    >>> deflated_sharpe(chosen, n_tried=100, variance=0.5 / 250).round(4)
    np.float64(0.9004)
    """
    return probabilistic_sharpe(estimate, threshold=expected_largest_sharpe(n_tried, variance=variance))


def _check_options(statistic: str, level: float, draws: int) -> None:
    if statistic not in get_args(BootstrapStatistic):
        raise checks.RangeError(
            f"statistic is '{statistic}'; it must be one of {', '.join(get_args(BootstrapStatistic))}"
        )
    if not 0.0 < level < 1.0:
        raise checks.RangeError(f"level is {level}; it must lie between 0 and 1")
    checks.in_range(draws, 1, float("inf"), "draws")


def _drawn_counts(n_eras: int, *, draws: int, block: float, rng: np.random.Generator) -> FloatArray:
    """Count how often each era is in each resampled history: shape (draws, n_eras)."""
    places = np.arange(n_eras)
    starts = rng.integers(n_eras, size=(draws, n_eras))
    begins = rng.random((draws, n_eras)) < 1.0 / block
    begins[:, 0] = True
    block_begin = np.maximum.accumulate(np.where(begins, places, 0), axis=1)
    drawn = (np.take_along_axis(starts, block_begin, axis=1) + places - block_begin) % n_eras
    drawn += n_eras * np.arange(draws)[:, None]
    return np.bincount(drawn.ravel(), minlength=draws * n_eras).reshape(draws, n_eras).astype(np.float64)


def _statistic(counts: FloatArray, scores: FloatArray, statistic: BootstrapStatistic) -> FloatArray:
    """Compute a statistic of every model in every history, from sums alone: shape (n_draws, n_models)."""
    known = ~np.isnan(scores)
    filled = np.where(known, scores, 0.0)
    n_known = counts @ known.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        if statistic == "hit_rate":
            rate: FloatArray = (counts @ (filled > 0).astype(np.float64)) / n_known
            return rate
        mean: FloatArray = (counts @ filled) / n_known
        if statistic == "mean":
            return mean
        if statistic == "sortino":
            losses: FloatArray = (counts @ np.minimum(filled, 0.0) ** 2) / n_known
            return mean / np.sqrt(losses)
        std = _sampled_std(counts, filled, known, n_known)
        return std if statistic == "std" else mean / std


def _sampled_std(counts: FloatArray, filled: FloatArray, known: BoolArray, n_known: FloatArray) -> FloatArray:
    """Take standard deviations from sums about the mean of the column, which keeps digits; 0 for equal scores."""
    centred = np.where(known, filled - filled.sum(axis=0) / known.sum(axis=0), 0.0)
    mean = (counts @ centred) / n_known
    square = (counts @ centred**2) / n_known
    size = square + (filled**2).sum(axis=0) / known.sum(axis=0)
    variance = square - mean**2
    return np.sqrt(np.where(variance > ROUNDING * size, variance, np.where(n_known > 0, 0.0, np.nan)))


def _order_statistic(ordered: FloatArray, known: IndexArray, share: float) -> FloatArray:
    """Give the number of each column that a share of the known ones do not exceed; NaN without any."""
    place = np.clip(np.ceil(share * known).astype(np.intp) - 1, 0, len(ordered) - 1)
    found: FloatArray = np.take_along_axis(ordered, place[None, :], axis=0)[0]
    return found


def _politis_white(known_scores: FloatArray, counts: IndexArray) -> FloatArray:
    n_eras, n_models = known_scores.shape
    lags = np.arange(n_eras)[:, None]
    known, size = lags < counts, np.maximum(counts, 1)
    centred = np.where(known & ~constant(known_scores, known), known_scores - known_scores.sum(axis=0) / size, 0.0)
    width = 1 << (2 * n_eras).bit_length()
    covariance = np.fft.irfft(np.abs(np.fft.rfft(centred, width, axis=0)) ** 2, width, axis=0)[:n_eras] / size
    window = _window(covariance, size)
    # flat up to half of the window, then down to 0; both signs of a lag count
    weight = np.clip(2.0 * (1.0 - lags / window), 0.0, 1.0) * np.where(lags > 0, 2.0, 1.0)
    slope, level = (weight * lags * covariance).sum(axis=0), (weight * covariance).sum(axis=0)
    ratio = np.divide(slope, level, out=np.zeros(n_models), where=level > 0.0)
    longest = np.ceil(np.minimum(3.0 * np.sqrt(size), size / 3.0))
    length: FloatArray = np.clip(np.cbrt(ratio**2 * size), 1.0, longest)
    return length


def _window(covariance: FloatArray, size: IndexArray) -> IndexArray:
    """Twice the first lag after which a run of autocorrelations is not notable; at least 2."""
    n_eras, n_models = covariance.shape
    longest = ceil(sqrt(n_eras)) + RUN_OF_LAGS
    correlation = np.zeros((longest + RUN_OF_LAGS + 1, n_models))
    kept = covariance[: len(correlation)]
    np.divide(kept, covariance[0], out=correlation[: len(kept)], where=covariance[0] > 0.0)
    notable = np.abs(correlation) > NOTABLE_ERRORS * np.sqrt(np.log10(size) / size)
    quiet = np.lib.stride_tricks.sliding_window_view(~notable[2:], RUN_OF_LAGS, axis=0).all(axis=2)
    last_notable = len(notable) - 1 - np.argmax(notable[::-1], axis=0)
    lag = np.where(quiet.any(axis=0), 1 + np.argmax(quiet, axis=0), last_notable)
    window: IndexArray = np.clip(2 * lag, 2, longest)
    return window
