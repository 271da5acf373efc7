"""How much a submission changes from one round to the next. Lower is steadier; none of these is a score."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

import numpy as np
import numpy.typing as npt

from crowdalpha.scoring import checks, ranking
from crowdalpha.scoring.align import align_pair
from crowdalpha.scoring.arrays import FloatArray, IdArray
from crowdalpha.scoring.correlation import spearman
from crowdalpha.scoring.neutralization import neutral_signals
from crowdalpha.scoring.weights import neutralized_weights

__all__ = [
    "SubmittedEra",
    "churn",
    "max_churn_and_turnover",
    "mean_neutral_churn",
    "neutral_churn",
    "neutral_churn_penalty",
    "top_bottom_churn",
    "turnover",
]

# Neutral churn up to which a payout is kept whole, and how fast it falls beyond (numerai-tools 0.7.2).
CHURN_THRESHOLD = 0.1
CHURN_SLOPE = 10.0
LARGEST_CHURN = 2.0
# What counts where no earlier submission can be compared: everything has changed.
NO_COMPARISON = 1.0
# Rank of an id that a submission left out.
MISSING_RANK = 0.5


@dataclass(frozen=True, eq=False)
class SubmittedEra:
    """A submission on its whole universe: ids, values (NaN where not submitted), neutralizers, sample weights."""

    ids: IdArray
    values: FloatArray
    neutralizers: FloatArray
    sample_weights: FloatArray

    def cleaned(self) -> FloatArray:
        """Rank what was submitted; what was not gets the middle rank."""
        return np.nan_to_num(ranking.tie_kept_rank(self.values), nan=MISSING_RANK)


def churn(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """One minus the rank correlation of two submissions.

    Parameters
    ----------
    first, second : array-like of shape (n_assets,)
        Predictions for the same assets, in the same order, at two times.

    Returns
    -------
    float
        In [0, 2].

    Raises
    ------
    ConstantError
        If a side is constant.
    ShapeError, NonFiniteError
        If the rows differ, there are none, or a value is not finite.

    Notes
    -----
    NaN policy: refuse. Cost: two sorts.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `signals.churn`.

    Examples
    --------
    >>> round(churn([1.0, 2.0, 3.0], [3.0, 2.0, 1.0]), 9)
    2.0
    """
    one, other = _pair(first, second)
    for name, side in (("first", one), ("second", other)):
        if side.min() == side.max():
            raise checks.ConstantError(f"{name} is constant, so it has no churn; give predictions that vary")
    return float(1.0 - spearman(one[:, None], other)[0])


def top_bottom_churn(
    first_ids: npt.ArrayLike, first: npt.ArrayLike, second_ids: npt.ArrayLike, second: npt.ArrayLike, *, size: int
) -> float:
    """Share of the highest and lowest assets that are no longer among them.

    Parameters
    ----------
    first_ids, second_ids : array-like of shape (n,)
        Ids of either side in ascending order; they may differ, and no least overlap is asked for.
    first, second : array-like of shape (n,)
        Predictions of either side.
    size : int
        Assets at either end.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    RangeError
        If `size` is not positive or does not fit.
    ShapeError, NonFiniteError
        If ids and values differ in rows, or a value is NaN.

    Notes
    -----
    NaN policy: refuse. Cost: two sorts.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `signals.churn` with `top_bottom`.

    Examples
    --------
    >>> top_bottom_churn(["a", "b", "c"], [1.0, 2.0, 3.0], ["a", "b", "c"], [1.0, 3.0, 2.0], size=1)
    0.5
    """
    checks.in_range(size, 1, np.inf, "size")
    (one_top, one_bottom), (other_top, other_bottom) = (
        _extremes(first_ids, first, size),
        _extremes(second_ids, second, size),
    )
    stayed = len(np.intersect1d(one_top, other_top)) + len(np.intersect1d(one_bottom, other_bottom))
    return 1.0 - stayed / (2 * size)


def turnover(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Half the sum of the absolute changes of portfolio weights.

    Parameters
    ----------
    first, second : array-like of shape (n_assets,)
        Weights of the same assets, in the same order, at two times.

    Returns
    -------
    float
        In the unit of the weights; in [0, 1] for weights of gross 1.

    Raises
    ------
    ShapeError, NonFiniteError
        If the rows differ, there are none, or a value is not finite.

    Notes
    -----
    NaN policy: refuse. Cost: O(n_assets). Ids of one side only are dropped when the sides are aligned, as the
    published code does; its docstring says that they count as 0.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `signals.turnover`.

    Examples
    --------
    >>> turnover([0.5, -0.5], [0.25, -0.75])
    0.25
    """
    one, other = _pair(first, second)
    return float(np.abs(one - other).sum() / 2.0)


def neutral_churn(first: SubmittedEra, second: SubmittedEra) -> float:
    """Churn of two submissions after each was neutralized to the neutralizers of its own era.

    Parameters
    ----------
    first, second : SubmittedEra
        Submissions; assets without a value are left out before ranking.

    Returns
    -------
    float
        In [0, 2].

    Raises
    ------
    OverlapError
        If less than 80 % of either side is in common, or has a value.
    ConstantError
        If a side is constant after neutralization.

    Notes
    -----
    NaN policy: omit. Cost: one factorisation a side.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `signals.neutral_churn`.
    """
    return _churn_of(_neutral(first, first.values), _neutral(second, second.values))


def neutral_churn_penalty(
    churned: float, *, threshold: float = CHURN_THRESHOLD, scaling_factor: float = CHURN_SLOPE
) -> float:
    """Share of a positive payout that is kept at a given neutral churn; burns are not changed.

    Parameters
    ----------
    churned : float in [0, 2]
        Mean neutral churn against the recent submissions.
    threshold : float in [0, 2], default=0.1
        Churn up to which everything is kept.
    scaling_factor : float above 0, default=10
        How fast the share falls beyond it.

    Returns
    -------
    float
        min(1, 2 / (1 + exp(scaling_factor * (churned - threshold)))), in (0, 1].

    Raises
    ------
    RangeError
        If an argument lies outside its range or is not finite.

    Notes
    -----
    NaN policy: refuse. Cost: O(1).

    References
    ----------
    .. [1] numerai-tools 0.7.2, `signals.neutral_churn_penalty`; an earlier build had a factor of 20.

    Examples
    --------
    >>> round(neutral_churn_penalty(0.15), 5)
    0.75508
    """
    checks.in_range(churned, 0.0, LARGEST_CHURN, "churned")
    checks.in_range(threshold, 0.0, LARGEST_CHURN, "threshold")
    checks.in_range(scaling_factor, np.nextafter(0.0, 1.0), np.finfo(np.float64).max, "scaling_factor")
    # The exponent is not positive, so it cannot overflow.
    decay = exp(-scaling_factor * max(churned - threshold, 0.0))
    return 2.0 * decay / (1.0 + decay)


def max_churn_and_turnover(current: SubmittedEra, previous: Sequence[SubmittedEra]) -> tuple[float, float]:
    """Largest churn and largest turnover of a submission against earlier ones.

    Parameters
    ----------
    current : SubmittedEra
        The submission to judge.
    previous : sequence of SubmittedEra
        Earlier submissions; those with too little overlap are passed over.

    Returns
    -------
    tuple of float
        Largest churn, largest turnover of the normalized weights; (1, 1) when none can be compared.

    Raises
    ------
    ConstantError
        If a submission is constant.

    Notes
    -----
    NaN policy: missing values get the middle rank. Cost: two sorts and two products with the neutralizers a submission.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `signals.calculate_max_churn_and_turnover`.
    """
    pairs = []
    for earlier in previous:
        try:
            rows, earlier_rows = align_pair(current.ids, earlier.ids)
        except checks.OverlapError:
            continue
        churned = churn(current.cleaned()[rows], earlier.cleaned()[earlier_rows])
        pairs.append((churned, turnover(_held(current)[rows], _held(earlier)[earlier_rows])))
    if not pairs:
        return NO_COMPARISON, NO_COMPARISON
    return max(churned for churned, _ in pairs), max(turned for _, turned in pairs)


def mean_neutral_churn(current: SubmittedEra, previous: Sequence[SubmittedEra]) -> float:
    """Mean neutral churn of a submission against earlier ones.

    Parameters
    ----------
    current : SubmittedEra
        The submission to judge.
    previous : sequence of SubmittedEra
        Earlier submissions; those with too little overlap, or that are constant, are passed over.

    Returns
    -------
    float
        In [0, 2]; 1 when none can be compared.

    Raises
    ------
    ConstantError
        If the current submission is constant after neutralization.

    Notes
    -----
    NaN policy: missing values get the middle rank. Cost: one factorisation a submission.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `signals.calculate_mean_neutral_churn`.
    """
    own = _neutral(current, current.cleaned())
    churned = []
    for earlier in previous:
        try:
            churned.append(_churn_of(own, _neutral(earlier, earlier.cleaned())))
        except (checks.OverlapError, checks.ConstantError):
            continue
    return float(np.mean(churned)) if churned else NO_COMPARISON


def _pair(first: npt.ArrayLike, second: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    one, other = checks.vector(first, "first"), checks.vector(second, "second")
    checks.same_rows(first=one, second=other)
    checks.finite(first=one, second=other)
    return one, other


def _extremes(ids: npt.ArrayLike, values: npt.ArrayLike, size: int) -> tuple[IdArray, IdArray]:
    named = np.asarray(ids)
    top, bottom = ranking.top_bottom_rows(values, size=size)
    if named.shape != np.shape(values):
        raise checks.ShapeError(f"there are {named.size} ids for {np.size(values)} values; give one a value")
    return named[top], named[bottom]


def _neutral(era: SubmittedEra, values: FloatArray) -> tuple[IdArray, FloatArray]:
    """Ids and neutralized signal of the assets that have a value and neutralizers."""
    rows, _ = align_pair(era.ids, era.ids, first=values, second=era.neutralizers)
    signal = neutral_signals(values[rows, None], era.neutralizers[rows])[:, 0]
    if np.isnan(signal[0]):
        raise checks.ConstantError("nothing is left of the submission after neutralization, so it has no churn")
    return era.ids[rows], signal


def _churn_of(one: tuple[IdArray, FloatArray], other: tuple[IdArray, FloatArray]) -> float:
    rows, other_rows = align_pair(one[0], other[0])
    return churn(one[1][rows], other[1][other_rows])


def _held(era: SubmittedEra) -> FloatArray:
    """Hold the normalized neutral weights of a submission."""
    return neutralized_weights(era.cleaned()[:, None], era.neutralizers, era.sample_weights, normalized=True)[:, 0]
