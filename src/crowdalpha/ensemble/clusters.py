"""Groups of models that say the same: hierarchical clusters on the correlation of their predictions.

Clusters serve three ends: clones count once, what is learned about one model is shared with those like it, and the
page of a round can say how many opinions there were. They are no way to earn by themselves.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.optimize import linear_sum_assignment

from crowdalpha.ensemble.checks import stake_values
from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.checks import NonFiniteError, RangeError, ShapeError, matrix

__all__ = ["Redundancy", "cluster_correlation", "cluster_models", "match_labels", "redundancy"]

Labels = NDArray[np.int64]

WHOLE_MATRIX = 2_000
"""Models up to which the correlations of all pairs are held at once (32 MB); above it, prototypes stand for them."""
PROTOTYPES = 400
ROUNDS_OF_PROTOTYPES = 8


@dataclass(frozen=True, eq=False)
class Redundancy:
    """How much the models of each cluster repeat each other; every array has one entry a cluster, in order of label.

    Attributes
    ----------
    size : ndarray of shape (n_clusters,), dtype=int64
        Models in the cluster.
    correlation : ndarray of shape (n_clusters,), dtype=float64
        Mean correlation between two of its models; NaN for a cluster of one.
    opinions : ndarray of shape (n_clusters,), dtype=float64
        Effective number of independent models: size / (1 + (size - 1) * correlation).
    weight : ndarray of shape (n_clusters,), dtype=float64
        Share of the meta model's weight; NaN if nobody has any.
    """

    size: Labels
    correlation: FloatArray
    opinions: FloatArray
    weight: FloatArray


def cluster_correlation(
    correlation: FloatArray, *, n_clusters: int | None = None, above: float | None = None
) -> Labels:
    """Cut the average-linkage tree of a correlation matrix.

    Parameters
    ----------
    correlation : ndarray of shape (n_models, n_models), dtype=float64
        Correlation of predictions.
    n_clusters : int, optional
        How many clusters at most.
    above : float, optional
        Cut where clusters are on average this correlated, instead.

    Returns
    -------
    ndarray of shape (n_models,), dtype=int64
        Label of each model, from 0, in order of first appearance.

    Raises
    ------
    ShapeError
        If the matrix is not square.
    NonFiniteError
        If an entry is not finite.
    RangeError
        If not exactly one of `n_clusters` and `above` is given, or `n_clusters` is below 1.

    Notes
    -----
    NaN policy: refuse. The distance of two models is sqrt((1 - correlation) / 2). Cost: O(n_models**2).

    References
    ----------
    .. [1] R. Mantegna, "Hierarchical structure in financial markets", European Physical Journal B 11 (1999).

    Examples
    --------
    >>> C = np.array([[1.0, 0.9, 0.0], [0.9, 1.0, 0.1], [0.0, 0.1, 1.0]])
    >>> cluster_correlation(C, n_clusters=2)
    array([0, 0, 1])
    """
    C = matrix(correlation, "correlation")
    if C.shape[0] != C.shape[1]:
        raise ShapeError(f"correlation must be square, not {C.shape}")
    if not np.isfinite(C).all():
        raise NonFiniteError("correlation has an entry that is not finite; leave constant models out")
    if (n_clusters is None) == (above is None) or (n_clusters is not None and n_clusters < 1):
        raise RangeError(f"n_clusters is {n_clusters} and above is {above}; give one of them, n_clusters at least 1")
    if len(C) == 1:
        return np.zeros(1, dtype=np.int64)
    rows, columns = np.triu_indices(len(C), 1)
    tree = linkage(np.sqrt(np.clip(1.0 - C[rows, columns], 0.0, 2.0) / 2.0), method="average")
    if n_clusters is not None:
        return _in_order(fcluster(tree, n_clusters, criterion="maxclust"))
    nearest = 1.0 if above is None else above
    return _in_order(fcluster(tree, np.sqrt(max(1.0 - nearest, 0.0) / 2.0), criterion="distance"))


def cluster_models(signals: FloatArray, *, n_clusters: int, rng: np.random.Generator) -> Labels:
    """Cluster models by the correlation of their predictions, without all pairs where there are thousands.

    Parameters
    ----------
    signals : ndarray of shape (n_rows, n_models), dtype=float64
        Cleaned signals, one model a column; rows of several eras may be stacked.
    n_clusters : int
        How many clusters at most.
    rng : Generator
        Picks the first prototypes; not used for up to 2,000 models.

    Returns
    -------
    ndarray of shape (n_models,), dtype=int64
        Label of each model, from 0, in order of first appearance.

    Raises
    ------
    ShapeError
        If `signals` is not a matrix.
    NonFiniteError
        If a signal is not finite.
    RangeError
        If `n_clusters` is below 1.

    Notes
    -----
    NaN policy: refuse. A constant model correlates with nothing. Up to 2,000 models the tree is built on all of them.
    Above, models gather around 400 prototypes (spherical k-means) and the tree is built on those.
    Cost: O(n_rows * n_models * 400) then, and no array of n_models**2.
    """
    columns = _unit_columns(signals)
    n_models = columns.shape[1]
    if n_models <= WHOLE_MATRIX:
        return cluster_correlation(columns.T @ columns, n_clusters=n_clusters)
    centres = columns[:, np.sort(rng.choice(n_models, PROTOTYPES, replace=False))]
    nearest = np.zeros(n_models, dtype=np.int64)
    for _ in range(ROUNDS_OF_PROTOTYPES):
        nearest = np.argmax(columns.T @ centres, axis=1)
        members = np.eye(PROTOTYPES)[nearest]
        sums = columns @ members
        size = np.sqrt((sums**2).sum(axis=0))
        centres = np.where(size > 0, sums / np.where(size > 0, size, 1.0), centres)
    return _in_order(cluster_correlation(centres.T @ centres, n_clusters=n_clusters)[nearest])


def match_labels(new: Labels, old: Labels) -> Labels:
    """Name new clusters after the old ones that they share most models with.

    Parameters
    ----------
    new, old : ndarray of shape (n_models,), dtype=int64
        Labels from 0, of the same models.

    Returns
    -------
    ndarray of shape (n_models,), dtype=int64
        The new clusters under old names where they match; clusters without a match get the names that are free.

    Raises
    ------
    ShapeError
        If there is not one label a model on both sides.

    Notes
    -----
    NaN policy: refuse. Cost: O(n_models + n_clusters**3).

    References
    ----------
    .. [1] H. Kuhn, "The Hungarian method for the assignment problem", Naval Research Logistics Quarterly 2 (1955).

    Examples
    --------
    >>> match_labels(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]))
    array([1, 1, 0, 0])
    """
    if new.shape != old.shape or new.ndim != 1:
        raise ShapeError(f"new has shape {new.shape} and old {old.shape}; give one label a model")
    n_names = int(max(new.max(), old.max())) + 1
    shared = np.zeros((n_names, n_names))
    np.add.at(shared, (new, old), 1.0)
    _, names = linear_sum_assignment(-shared)
    matched: Labels = names.astype(np.int64)[new]
    return matched


def redundancy(signals: FloatArray, labels: Labels, weights: FloatArray) -> Redundancy:
    """Measure how much the models of each cluster repeat each other.

    Parameters
    ----------
    signals : ndarray of shape (n_assets, n_models), dtype=float64
        Cleaned signals of an era.
    labels : ndarray of shape (n_models,), dtype=int64
        Cluster of each model, from 0.
    weights : ndarray of shape (n_models,), dtype=float64
        Stake or weight of each model, in any one unit.

    Returns
    -------
    Redundancy
        One entry a cluster.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    NonFiniteError
        If a signal or weight is not finite.
    RangeError
        If a weight is negative.

    Notes
    -----
    NaN policy: refuse. The mean correlation comes from the length of the sum of the standardised signals, not from
    pairs: cost O(n_assets * n_models).

    Examples
    --------
    >>> g = np.array([[1.0, 1.0, 1.0], [-1.0, -1.0, -1.0], [0.0, 0.0, 0.0]])
    >>> found = redundancy(g, np.array([0, 0, 1]), np.array([1.0, 1.0, 2.0]))
    >>> found.correlation, found.opinions, found.weight
    (array([ 1., nan]), array([1., 1.]), array([0.5, 0.5]))
    """
    columns = _unit_columns(signals)
    shares = stake_values(weights, n_models=columns.shape[1])
    if labels.shape != shares.shape:
        raise ShapeError(f"labels has shape {labels.shape}; give one label to each of the {len(shares)} models")
    order = np.argsort(labels, kind="stable")
    starts = np.flatnonzero(np.diff(labels[order], prepend=-1))
    sums = np.add.reduceat(columns[:, order], starts, axis=1)
    size = np.diff(starts, append=len(order))
    alive = np.add.reduceat((columns**2).sum(axis=0)[order], starts)
    pairs = size * (size - 1)
    mean = np.where(pairs > 0, ((sums**2).sum(axis=0) - alive) / np.maximum(pairs, 1), np.nan)
    total = shares.sum()
    weight = np.add.reduceat(shares[order], starts)
    # A pair of opposites is no infinite crowd: correlation below zero counts as none.
    shared = np.clip(np.nan_to_num(mean), 0.0, 1.0)
    return Redundancy(
        size=size.astype(np.int64),
        correlation=mean,
        opinions=size / (1.0 + (size - 1) * shared),
        weight=weight / total if total > 0 else np.full(len(weight), np.nan),
    )


def _unit_columns(signals: FloatArray) -> FloatArray:
    """Centre columns and make them of length 1; a constant column becomes zero."""
    columns = matrix(signals, "signals")
    if not np.isfinite(columns).all():
        raise NonFiniteError("signals has a value that is not finite; pass predictions through clean_predictions first")
    centred = columns - columns.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    flat = length <= 1e-12 * np.abs(columns).max(axis=0) * np.sqrt(len(columns))
    return np.where(flat, 0.0, centred / np.where(flat, 1.0, length))


def _in_order(labels: NDArray[np.int32] | Labels) -> Labels:
    """Rename labels from 0 in order of first appearance."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int64)
