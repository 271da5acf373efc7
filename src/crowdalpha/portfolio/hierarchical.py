"""Long-only allocation along a tree of clusters: for models and clusters of models, not for the traded book.

Neither can hold neutrality, limits or turnover; see `optimize` for that.
"""

import numpy as np
from scipy.cluster.hierarchy import fcluster, leaves_list, linkage
from scipy.linalg import solve_triangular
from scipy.optimize import nnls
from scipy.spatial.distance import squareform

from crowdalpha.scoring.arrays import FloatArray, IndexArray
from crowdalpha.scoring.checks import RangeError, ShapeError, finite, matrix

__all__ = ["correlation_clusters", "hierarchical_risk_parity", "minimum_variance", "nested_clusters"]


def hierarchical_risk_parity(covariance: FloatArray) -> FloatArray:
    """Split the weight down a tree of the assets, at each fork by the inverse variance of the two halves.

    Parameters
    ----------
    covariance : ndarray of shape (n, n), dtype=float64
        Symmetric, with variances above zero; may be singular: nothing is inverted.

    Returns
    -------
    ndarray of shape (n,), dtype=float64
        Weights above zero that add up to 1.

    Raises
    ------
    ShapeError
        If the matrix is not square.
    NonFiniteError
        If an element is not finite.
    RangeError
        If a variance is not above zero.

    Notes
    -----
    NaN policy: refuse. Cost: O(n**2). Single linkage on `sqrt((1 - r) / 2)`, as in the paper; lists of leaves are cut
    in the middle, whatever the tree says.

    References
    ----------
    .. [1] M. Lopez de Prado, "Building diversified portfolios that outperform out of sample", Journal of Portfolio
       Management 42 (2016).

    Examples
    --------
    >>> hierarchical_risk_parity(np.diag([1.0, 4.0])).round(6)
    array([0.8, 0.2])
    """
    square = _checked(covariance)
    weights = np.ones(len(square))
    parts = [_leaf_order(square)] if len(square) > 1 else []
    while parts:
        part = parts.pop()
        halves = part[: len(part) // 2], part[len(part) // 2 :]
        left, right = (_inverse_variance_risk(square, half) for half in halves)
        weights[halves[0]] *= right / (left + right)
        weights[halves[1]] *= left / (left + right)
        parts.extend(half for half in halves if len(half) > 1)
    total: FloatArray = weights / weights.sum()
    return total


def nested_clusters(covariance: FloatArray, *, n_clusters: int | None = None) -> FloatArray:
    """Find the long-only book of least variance inside each cluster, then between the clusters.

    Parameters
    ----------
    covariance : ndarray of shape (n, n), dtype=float64
        Symmetric and positive definite.
    n_clusters : int, optional
        Clusters to make; the rounded root of n if None.

    Returns
    -------
    ndarray of shape (n,), dtype=float64
        Weights of at least 0 that add up to 1.

    Raises
    ------
    ShapeError
        If the matrix is not square.
    NonFiniteError
        If an element is not finite.
    RangeError
        If the matrix is not positive definite, or `n_clusters` is not from 1 to n.

    Notes
    -----
    NaN policy: refuse. Cost: O(n**2) for the clusters, and a non-negative least-squares problem for each of
    them. With one cluster, or n, it is `minimum_variance`.

    References
    ----------
    .. [1] M. Lopez de Prado, "Machine Learning for Asset Managers" (2020), chapter 7.

    Examples
    --------
    >>> nested_clusters(np.diag([1.0, 4.0]), n_clusters=1).round(6)
    array([0.8, 0.2])
    """
    square = _checked(covariance)
    count = max(1, round(len(square) ** 0.5)) if n_clusters is None else n_clusters
    labels = correlation_clusters(square, n_clusters=count)
    inside = np.zeros((len(square), int(labels.max()) + 1))
    for label in range(inside.shape[1]):
        members = np.flatnonzero(labels == label)
        inside[members, label] = minimum_variance(square[np.ix_(members, members)])
    weights: FloatArray = inside @ minimum_variance(inside.T @ square @ inside)
    return weights


def minimum_variance(covariance: FloatArray) -> FloatArray:
    """Find the long-only book of least variance.

    Parameters
    ----------
    covariance : ndarray of shape (n, n), dtype=float64
        Symmetric and positive definite.

    Returns
    -------
    ndarray of shape (n,), dtype=float64
        Weights of at least 0 that add up to 1.

    Raises
    ------
    ShapeError
        If the matrix is not square.
    NonFiniteError
        If an element is not finite.
    RangeError
        If the matrix is not positive definite.

    Notes
    -----
    NaN policy: refuse. Cost: O(n**3). With `C = L L'`, weights proportional to the non-negative x that brings
    `L'x` closest to the solution of `L y = 1`.

    References
    ----------
    .. [1] C. Lawson, R. Hanson, "Solving Least Squares Problems" (1974), chapter 23.

    Examples
    --------
    >>> minimum_variance(np.array([[1.0, 1.5], [1.5, 4.0]])).round(6)
    array([1., 0.])
    """
    square = _checked(covariance)
    try:
        lower = np.linalg.cholesky(square)
    except np.linalg.LinAlgError as error:
        raise RangeError("covariance is not positive definite; denoise or shrink it first") from error
    found, _ = nnls(lower.T, solve_triangular(lower, np.ones(len(square)), lower=True))
    weights: FloatArray = found / found.sum()
    return weights


def correlation_clusters(covariance: FloatArray, *, n_clusters: int) -> IndexArray:
    """Group assets by average linkage on the distance `sqrt((1 - r) / 2)`.

    Parameters
    ----------
    covariance : ndarray of shape (n, n), dtype=float64
        Symmetric, with variances above zero; a correlation will do.
    n_clusters : int
        Most clusters to make; ties may give fewer.

    Returns
    -------
    ndarray of shape (n,), dtype=intp
        Labels from 0, in the order in which they first appear.

    Raises
    ------
    ShapeError
        If the matrix is not square.
    NonFiniteError
        If an element is not finite.
    RangeError
        If `n_clusters` is not from 1 to n, or a variance is not above zero.

    Notes
    -----
    NaN policy: refuse. Cost: O(n**2).

    References
    ----------
    .. [1] R. Mantegna, "Hierarchical structure in financial markets", European Physical Journal B 11 (1999).

    Examples
    --------
    >>> correlation_clusters(np.array([[1.0, 0.1, 0.9], [0.1, 1.0, 0.1], [0.9, 0.1, 1.0]]), n_clusters=2)
    array([0, 1, 0])
    """
    square = _checked(covariance)
    if not 1 <= n_clusters <= len(square):
        raise RangeError(f"n_clusters is {n_clusters}; it must be from 1 to {len(square)}")
    if len(square) == 1:
        return np.zeros(1, dtype=np.intp)
    labels = fcluster(linkage(_distances(square), method="average"), n_clusters, criterion="maxclust")
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    place = np.empty(len(first), dtype=np.intp)
    place[np.argsort(first)] = np.arange(len(first))
    return place[inverse]


def _checked(covariance: FloatArray) -> FloatArray:
    square = matrix(covariance, "covariance")
    finite(covariance=square)
    if square.shape[0] != square.shape[1]:
        raise ShapeError(f"covariance has shape {square.shape}; it must be square")
    flat = np.diag(square) <= 0
    if flat.any():
        raise RangeError(f"covariance: asset {int(np.argmax(flat))} has no variance above zero; leave it out")
    return (square + square.T) / 2


def _distances(square: FloatArray) -> FloatArray:
    deviation = np.sqrt(np.diag(square))
    distance = np.sqrt(np.clip((1.0 - square / deviation[:, None] / deviation) / 2.0, 0.0, 1.0))
    np.fill_diagonal(distance, 0.0)
    condensed: FloatArray = squareform(distance, checks=False)
    return condensed


def _leaf_order(square: FloatArray) -> IndexArray:
    return leaves_list(linkage(_distances(square), method="single")).astype(np.intp)


def _inverse_variance_risk(square: FloatArray, members: IndexArray) -> float:
    """Variance of the members, each weighted by the inverse of its own."""
    block = square[np.ix_(members, members)]
    weights = 1.0 / np.diag(block)
    weights /= weights.sum()
    return float(weights @ block @ weights)
