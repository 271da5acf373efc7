"""The steps of the obfuscation: pure functions on the rows of one era, chance from an explicit generator.

Their order is fixed: residualise, gaussian rank, rotate, group means, noise, rank, bins, randomised response. Which of
them a release uses, and with what figures, is its `Policy`. None of them makes a row unrecognisable by itself.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.special import ndtri

from crowdalpha.errors import InputError
from crowdalpha.scoring import ShapeError

__all__ = [
    "MISSING_BIN",
    "add_noise",
    "equal_bins",
    "fill_missing",
    "gaussian_ranks",
    "group_means",
    "keep_probability",
    "randomised_response",
    "randomised_targets",
    "residualise",
    "rotate",
    "rotation_matrix",
    "similar_groups",
    "split_ranks",
]

Floats = NDArray[np.float64]
Groups = NDArray[np.intp]

MISSING_BIN = -1
GROUPING_DIRECTIONS = 16
RIDGE = 1e-9


def split_ranks(values: NDArray[np.floating], rng: np.random.Generator) -> NDArray[np.int64]:
    """Rank each column from 0, ties split by chance.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns), dtype=float32 or float64
        Any unit.
    rng : numpy.random.Generator
        Splits ties; one draw a cell, whatever the values.

    Returns
    -------
    ndarray of shape (n_rows, n_columns), dtype=int64
        0 to the number of known values of the column less one; -1 where the value is NaN.

    Notes
    -----
    NaN policy: omit. Cost: two sorts a column.

    Examples
    --------
    >>> split_ranks(np.array([[3.0], [1.0], [np.nan], [2.0]]), np.random.default_rng(0)).ravel().tolist()
    [2, 0, -1, 1]
    """
    if values.ndim != 2:  # noqa: PLR2004  # a matrix
        raise ShapeError(f"features have shape {values.shape}; give one row an asset and one column a feature")
    shuffled = np.argsort(rng.random(values.shape), axis=0)
    order = np.take_along_axis(
        shuffled, np.argsort(np.take_along_axis(values, shuffled, axis=0), axis=0, kind="stable"), axis=0
    )
    ranks = np.empty(values.shape, dtype=np.int64)
    np.put_along_axis(ranks, order, np.arange(len(values), dtype=np.int64)[:, None], axis=0)
    ranks[np.isnan(values)] = MISSING_BIN  # NaNs sort last, so that the others have the lowest ranks
    return ranks


def equal_bins(values: NDArray[np.floating], *, bins: int, rng: np.random.Generator) -> NDArray[np.int8]:
    """Sort each column into bins whose sizes differ by one at most.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns), dtype=float32 or float64
        Any unit; only the order matters.
    bins : int
        Number of bins.
    rng : numpy.random.Generator
        Splits ties.

    Returns
    -------
    ndarray of shape (n_rows, n_columns), dtype=int8
        0 (lowest) to `bins - 1`, and -1 where the value is NaN.

    Notes
    -----
    NaN policy: omit; NaNs do not count for the sizes. The sizes are the same for each number of values, so that they
    tell nothing. Cost: two sorts a column.

    Examples
    --------
    >>> values = np.array([[30.0], [10.0], [np.nan], [20.0], [50.0], [40.0]])
    >>> equal_bins(values, bins=5, rng=np.random.default_rng(0)).ravel().tolist()
    [2, 0, -1, 1, 4, 3]
    """
    ranks = split_ranks(values, rng)
    known = np.maximum((ranks >= 0).sum(axis=0), 1)
    binned = (2 * ranks + 1) * bins // (2 * known)  # the bin that the mid-rank falls in, in integers
    return np.where(ranks < 0, MISSING_BIN, binned).astype(np.int8)


def gaussian_ranks(values: NDArray[np.floating], rng: np.random.Generator) -> Floats:
    """Replace each value by the normal quantile of its rank.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns), dtype=float32 or float64
        Any unit; only the order matters.
    rng : numpy.random.Generator
        Splits ties.

    Returns
    -------
    ndarray of shape (n_rows, n_columns), dtype=float64
        Of mean 0 and deviation about 1; NaN where `values` is.

    Notes
    -----
    NaN policy: propagate. Cost: two sorts a column.

    Examples
    --------
    >>> gaussian_ranks(np.array([[5.0], [7.0], [6.0]]), np.random.default_rng(0)).ravel().round(3).tolist()
    [-0.967, 0.967, 0.0]
    """
    ranks = split_ranks(values, rng)
    known = np.maximum((ranks >= 0).sum(axis=0), 1)
    scores: Floats = ndtri(np.where(ranks < 0, np.nan, (ranks + 0.5) / known))
    return scores


def fill_missing(scores: Floats) -> Floats:
    """Put the middle, 0, where a gaussian rank is missing; NaN policy: replaced. Cost: one pass."""
    return np.nan_to_num(scores, nan=0.0)


def residualise(scores: Floats, signals: Floats) -> Floats:
    """Take away what public signals explain of each column, by least squares over the rows.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_columns), dtype=float64
        Features as gaussian ranks.
    signals : ndarray of shape (n_rows, n_signals), dtype=float64
        Public signals as gaussian ranks.

    Returns
    -------
    ndarray of shape (n_rows, n_columns), dtype=float64
        Residuals, orthogonal to the signals and of mean 0 over the rows; NaN where `scores` is.

    Raises
    ------
    ShapeError
        If the rows differ in number.

    Notes
    -----
    NaN policy: propagate in `scores`; a missing signal counts as 0, the middle. Missing scores count as 0 in the fit.
    Cost: O(n_rows n_signals (n_signals + n_columns)).
    """
    if len(scores) != len(signals):
        raise ShapeError(f"there are {len(scores)} rows of features and {len(signals)} of signals")
    design = np.column_stack([np.ones(len(signals)), fill_missing(signals)])
    known = fill_missing(scores)
    gram = design.T @ design + RIDGE * len(design) * np.eye(design.shape[1])
    residuals: Floats = scores - design @ np.linalg.solve(gram, design.T @ known)
    return residuals


def rotation_matrix(size: int, rng: np.random.Generator) -> Floats:
    """Draw a rotation, all directions alike.

    Parameters
    ----------
    size : int
        Number of features that are mixed.
    rng : numpy.random.Generator
        Decides the rotation.

    Returns
    -------
    ndarray of shape (size, size), dtype=float64
        Orthogonal.

    Notes
    -----
    NaN policy: not applicable. Cost: O(size**3).

    References
    ----------
    .. [1] F. Mezzadri, How to generate random matrices from the classical compact groups, 2007: the signs of R make
       the Q of a Gaussian matrix uniform.
    """
    q, r = np.linalg.qr(rng.standard_normal((size, size)))
    uniform: Floats = q * np.sign(np.diag(r))
    return uniform


def rotate(scores: Floats, rotations: Sequence[Floats]) -> Floats:
    """Mix consecutive columns: the first block by the first rotation, and so on.

    Raises
    ------
    ShapeError
        If the blocks do not cover the columns.

    Notes
    -----
    NaN policy: propagate, over the block. Cost: O(n_rows n_columns block).
    """
    sizes = [len(rotation) for rotation in rotations]
    if sum(sizes) != scores.shape[1]:
        raise ShapeError(f"rotations of {sum(sizes)} columns were given for {scores.shape[1]}")
    blocks = np.split(scores, np.cumsum(sizes)[:-1], axis=1)
    return np.concatenate([block @ rotation for block, rotation in zip(blocks, rotations, strict=True)], axis=1)


def similar_groups(scores: Floats, size: int) -> Groups:
    """Group similar rows: an outer row and its nearest, again and again.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_columns), dtype=float64
        No NaN.
    size : int
        Smallest group.

    Returns
    -------
    ndarray of shape (n_rows,), dtype=intp
        Group of each row, from 0; each has `size` rows but the last, which has fewer than twice as many. One group of
        all rows where there are fewer than `size`.

    Raises
    ------
    InputError
        If a score is not finite.

    Notes
    -----
    NaN policy: refuse. Rows are compared on their 16 directions of largest variance: the groups need not be the best
    ones, and no group is smaller for it. Cost: O(n_columns**3 + n_rows**2 / size).

    References
    ----------
    .. [1] J. Domingo-Ferrer, J. Mateo-Sanz, Practical data-oriented microaggregation, 2002 (here with one group at
       a time).
    """
    if not np.isfinite(scores).all():
        raise InputError("rows to be grouped hold a NaN or an infinity; fill the gaps first")
    points = _main_directions(scores)
    groups = np.zeros(len(points), dtype=np.intp)
    left = np.arange(len(points))
    number = 0
    while len(left) >= 2 * size:
        inside = points[left]
        outer = inside[np.argmax(((inside - inside.mean(axis=0)) ** 2).sum(axis=1))]
        distances = ((inside - outer) ** 2).sum(axis=1)
        nearest = np.argpartition(distances, size - 1)[:size]
        groups[left[nearest]] = number
        left = np.delete(left, nearest)
        number += 1
    groups[left] = number
    return groups


def group_means(values: Floats, groups: Groups) -> Floats:
    """Give each row the mean of its group.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns), dtype=float64
        Any unit.
    groups : ndarray of shape (n_rows,), dtype=intp
        Group of each row, from 0.

    Returns
    -------
    ndarray of shape (n_rows, n_columns), dtype=float64
        Equal to the last bit within a group; NaN where no row of the group has a value.

    Notes
    -----
    NaN policy: omit. Cost: O(n_rows n_columns).
    """
    n_groups = int(groups.max(initial=-1)) + 1
    known = ~np.isnan(values)
    sums, counts = np.zeros((n_groups, values.shape[1])), np.zeros((n_groups, values.shape[1]))
    np.add.at(sums, groups, np.where(known, values, 0.0))
    np.add.at(counts, groups, known)
    means = np.full(sums.shape, np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means[groups]


def add_noise(scores: Floats, sd: float, rng: np.random.Generator) -> Floats:
    """Add normal noise of a standard deviation; NaN policy: propagate. Cost: one draw a cell."""
    noisy: Floats = scores + sd * rng.standard_normal(scores.shape)
    return noisy


def keep_probability(epsilon: float, bins: int) -> float:
    """Give the probability that randomised response keeps a bin: e^eps / (e^eps + bins - 1).

    Examples
    --------
    >>> round(keep_probability(2.0, 5), 3)
    0.649
    """
    return float(1.0 / (1.0 + (bins - 1) * np.exp(-epsilon)))


def randomised_response(
    bins: NDArray[np.int8], *, epsilon: float, levels: int, rng: np.random.Generator
) -> NDArray[np.int8]:
    """Keep each bin with the probability of `keep_probability`, and else draw one of the others, all alike.

    Parameters
    ----------
    bins : ndarray, dtype=int8
        0 to `levels - 1`; -1 is missing and stays.
    epsilon : float
        Above 0. A figure of one cell: a row of many cells gives away the sum.
    levels : int
        Number of bins.
    rng : numpy.random.Generator
        Two draws a cell.

    Returns
    -------
    ndarray of the same shape, dtype=int8

    Notes
    -----
    NaN policy: not applicable (integers). Cost: O(cells).
    """
    change = rng.random(bins.shape) >= keep_probability(epsilon, levels)
    steps = rng.integers(1, levels, size=bins.shape)
    changed = (bins + steps) % levels
    return np.where(change & (bins >= 0), changed, bins).astype(np.int8)


def randomised_targets(targets: NDArray[np.int8], *, epsilon: float, levels: int, draws: Floats) -> NDArray[np.int8]:
    """Randomise the first target of each row, and let the others follow.

    Several targets of one row say much the same. Were each randomised by itself, their majority would tell the truth;
    so a row whose first target changes takes all the others of a row of that era that has the new bin.

    Parameters
    ----------
    targets : ndarray of shape (n_rows, n_targets), dtype=int8
        0 to `levels - 1`, and -1 where unknown; the first column is the one that pays.
    epsilon : float
        Of `randomised_response`, for the first column.
    levels : int
        Number of bins.
    draws : ndarray of shape (n_rows, 3), dtype=float64
        Uniform numbers of each row, in [0, 1): whether it changes, to which bin, whose other targets it takes. They
        should belong to the row: who publishes it again with others gives one look at it, not two.

    Returns
    -------
    ndarray of shape (n_rows, n_targets), dtype=int8
        A row whose new bin nobody has keeps -1 out of it: all its known targets become the new bin.

    Notes
    -----
    NaN policy: not applicable (integers). Cost: O(n_rows n_targets).
    """
    main = targets[:, 0]
    steps = 1 + (draws[:, 1] * (levels - 1)).astype(np.int8)
    change = (draws[:, 0] >= keep_probability(epsilon, levels)) & (main >= 0)
    new = np.where(change, (main + steps) % levels, main).astype(np.int8)
    published = targets.copy()
    for level in range(levels):
        taking = np.flatnonzero((new == level) & (main != level))
        donors = np.flatnonzero(main == level)
        if donors.size:
            published[taking] = targets[donors[(draws[taking, 2] * donors.size).astype(np.intp)]]
        else:
            published[taking] = np.where(targets[taking] < 0, targets[taking], level)
    published[:, 0] = new
    return published


def _main_directions(scores: Floats) -> Floats:
    if scores.shape[1] <= GROUPING_DIRECTIONS:
        return scores
    last = scores.shape[1] - 1
    _, vectors = eigh(scores.T @ scores, subset_by_index=[last + 1 - GROUPING_DIRECTIONS, last])
    projected: Floats = scores @ vectors
    return projected
