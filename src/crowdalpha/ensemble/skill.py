"""What a model's past scores say about its skill: posterior means, shrunk to the cluster and the crowd.

A mean of a few noisy eras says little. Each mean is pulled towards what models like it earned, and that towards the
whole crowd, by as many imaginary eras as the prior is worth.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.checks import RangeError, ShapeError, matrix, vector

__all__ = ["SkillPrior", "decayed_sums", "gated_skill", "shrunk_skill"]

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class SkillPrior:
    """How strongly and how slowly skill is learned.

    Attributes
    ----------
    model_eras : float
        Eras that the cluster's mean is worth beside a model's own scores.
    cluster_eras : float
        Eras that the crowd's mean is worth beside the cluster's.
    half_life : float
        Eras after which a score counts half.
    """

    model_eras: float = 30.0
    cluster_eras: float = 3.0
    half_life: float = 300.0

    def __post_init__(self) -> None:
        if self.model_eras <= 0 or self.cluster_eras <= 0 or self.half_life <= 0:
            raise RangeError(
                f"model_eras is {self.model_eras}, cluster_eras {self.cluster_eras}, half_life {self.half_life}; "
                "each must be above 0"
            )


def decayed_sums(scores: FloatArray, *, half_life: float, shares: FloatArray | None = None) -> FloatArray:
    """Count eras and add scores, old ones less.

    Parameters
    ----------
    scores : ndarray of shape (n_eras, n_models), dtype=float64
        Scores in order of eras, NaN where a model had none.
    half_life : float
        Eras after which a score counts half.
    shares : ndarray of shape (n_eras,), dtype=float64, optional
        What share of each era counts, in [0, 1], as a regime's probability; all of it by default.

    Returns
    -------
    ndarray of shape (2, n_models), dtype=float64
        Eras, and the sum of scores over them, both decayed.

    Raises
    ------
    ShapeError
        If the shapes do not fit.

    Notes
    -----
    NaN policy: omit. Cost: O(n_eras * n_models).

    Examples
    --------
    >>> decayed_sums(np.array([[0.04], [0.02]]), half_life=1.0).ravel()
    array([1.5 , 0.04])
    """
    values = matrix(scores, "scores")
    age = np.arange(len(values) - 1, -1, -1.0)
    weights = 0.5 ** (age / half_life)
    if shares is not None:
        if vector(shares, "shares").shape != age.shape:
            raise ShapeError(f"shares has {len(shares)} values for {len(values)} eras")
        weights = weights * shares
    known = ~np.isnan(values)
    return np.stack([weights @ known, weights @ np.where(known, values, 0.0)])


def shrunk_skill(sums: FloatArray, labels: Labels, *, prior: SkillPrior) -> FloatArray:
    """Estimate each model's mean score by empirical Bayes over clusters.

    Parameters
    ----------
    sums : ndarray of shape (2, n_models), dtype=float64
        Eras and sum of scores of each model, as `decayed_sums` gives them.
    labels : ndarray of shape (n_models,), dtype=int64
        Cluster of each model, from 0.
    prior : SkillPrior
        Strength of the shrinkage.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        Posterior mean score of each model, in the unit of the scores; 0 if nobody has a score.

    Raises
    ------
    ShapeError
        If there is not one label a model.

    Notes
    -----
    NaN policy: propagate. A model without scores gets its cluster's mean. Cost: O(n_models).

    References
    ----------
    .. [1] B. Efron, C. Morris, "Stein's estimation rule and its competitors: an empirical Bayes approach",
       JASA 68 (1973).

    Examples
    --------
    >>> sums = np.array([[30.0, 30.0], [0.6, 0.0]])
    >>> shrunk_skill(sums, np.array([0, 0]), prior=SkillPrior(model_eras=30, cluster_eras=3))
    array([0.015, 0.005])
    """
    eras, totals = _pair(sums, labels)
    crowd = totals.sum() / eras.sum() if eras.sum() > 0 else 0.0
    n, mean = _by_cluster(eras, totals, labels)
    cluster = (n * mean + prior.cluster_eras * crowd) / (n + prior.cluster_eras)
    skill: FloatArray = (totals + prior.model_eras * cluster[labels]) / (eras + prior.model_eras)
    return skill


def gated_skill(skill: FloatArray, sums: FloatArray, labels: Labels, *, prior: SkillPrior) -> FloatArray:
    """Estimate each model's mean score in one regime, shrunk to its skill over all of them.

    Parameters
    ----------
    skill : ndarray of shape (n_models,), dtype=float64
        Posterior mean score over all eras, from `shrunk_skill`.
    sums : ndarray of shape (2, n_models), dtype=float64
        Eras and sum of scores in the regime, each era counted by the regime's filtered probability.
    labels : ndarray of shape (n_models,), dtype=int64
        Cluster of each model, from 0.
    prior : SkillPrior
        Strength of the shrinkage: a regime seen ten times moves little.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        Posterior mean score in the regime; `skill` where the regime was never seen.

    Raises
    ------
    ShapeError
        If the shapes do not fit.

    Notes
    -----
    NaN policy: propagate. Cost: O(n_models).
    """
    eras, totals = _pair(sums, labels)
    # What a cluster did in the regime beyond what its members do anyway.
    n, beyond = _by_cluster(eras, totals - eras * skill, labels)
    moved = n * beyond / (n + prior.cluster_eras)
    gated: FloatArray = (totals + prior.model_eras * (skill + moved[labels])) / (eras + prior.model_eras)
    return gated


def _pair(sums: FloatArray, labels: Labels) -> tuple[FloatArray, FloatArray]:
    if sums.shape != (2, len(labels)):
        raise ShapeError(f"sums has shape {sums.shape} for {len(labels)} labels; give eras and sums of each model")
    return sums[0], sums[1]


def _by_cluster(eras: FloatArray, totals: FloatArray, labels: Labels) -> tuple[FloatArray, FloatArray]:
    """Give the eras that a cluster's mean rests on, models of one era being no independent news, and the mean."""
    size = np.bincount(labels)
    seen = np.bincount(labels, weights=eras)
    total = np.bincount(labels, weights=totals)
    mean = np.divide(total, seen, out=np.zeros_like(total), where=seen > 0)
    return seen / np.maximum(size, 1), mean
