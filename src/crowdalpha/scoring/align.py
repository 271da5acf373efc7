"""Matching two or more sides on their ids, once, before anything is scored.

Ids go in, row indexes come out: scores know arrays only. An id counts as present where its row has no NaN.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from crowdalpha.scoring import checks
from crowdalpha.scoring.arrays import IdArray, IndexArray

__all__ = [
    "DEFAULT_MAX_FILTERED_RATIO",
    "align_many",
    "align_pair",
    "complete_rows",
    "enough_overlap",
    "same_ids",
    "sorted_ids",
]

# Share of the ids of a side that may be lost when sides are matched (numerai-tools 0.7.2).
DEFAULT_MAX_FILTERED_RATIO = 0.2


def align_pair(
    first_ids: npt.ArrayLike,
    second_ids: npt.ArrayLike,
    *,
    first: npt.ArrayLike | None = None,
    second: npt.ArrayLike | None = None,
    max_filtered_ratio: float = DEFAULT_MAX_FILTERED_RATIO,
) -> tuple[IndexArray, IndexArray]:
    """Find the rows of two sides that have an id in common, in ascending order of the ids.

    Parameters
    ----------
    first_ids, second_ids : array-like of shape (n,)
        Ids of either side, strings or integers, in any order.
    first, second : array-like of shape (n,) or (n, n_columns), optional
        Values of either side; rows with a NaN in any column are left out.
    max_filtered_ratio : float in [0, 1], default=0.2
        Share of the rows of a side, rows with NaN included, that may be left out.

    Returns
    -------
    tuple of two ndarrays of shape (n_common,), dtype=intp
        Row indexes: `first_ids[rows_of_first]` equals `second_ids[rows_of_second]` and ascends.

    Raises
    ------
    DuplicateError
        If a side has an id twice.
    OverlapError
        If too much of a side is left out.
    ShapeError
        If ids and values differ in rows, or a side is empty.

    Notes
    -----
    NaN policy: omit. Cost: one sort of the ids of each side.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.filter_sort_index`.

    Examples
    --------
    >>> align_pair(["c", "a", "b"], ["a", "b", "c"], second=[1.0, 2.0, 3.0])
    (array([1, 2, 0]), array([0, 1, 2]))
    """
    rows = align_many([first_ids, second_ids], [first, second], max_filtered_ratio=max_filtered_ratio)
    return rows[0], rows[1]


def align_many(
    ids: Sequence[npt.ArrayLike],
    values: Sequence[npt.ArrayLike | None] | None = None,
    *,
    max_filtered_ratio: float = DEFAULT_MAX_FILTERED_RATIO,
) -> tuple[IndexArray, ...]:
    """Find the rows of several sides that have an id in common, in ascending order of the ids.

    Parameters
    ----------
    ids : sequence of array-likes of shape (n_i,)
        Ids of each side, in any order.
    values : sequence of array-likes of shape (n_i,) or (n_i, n_columns), or None, optional
        Values of each side; rows with a NaN in any column are left out.
    max_filtered_ratio : float in [0, 1], default=0.2
        Share of the rows of a side that may be left out.

    Returns
    -------
    tuple of ndarrays of shape (n_common,), dtype=intp
        Row indexes, one array a side.

    Raises
    ------
    DuplicateError, OverlapError, ShapeError
        As `align_pair`.

    Notes
    -----
    NaN policy: omit. Cost: one sort of the ids of each side.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.filter_sort_index_many`.

    Examples
    --------
    >>> align_many([[3, 1, 2], [1, 2, 3], [2, 3, 1]])
    (array([1, 2, 0]), array([0, 1, 2]), array([2, 0, 1]))
    """
    checks.in_range(max_filtered_ratio, 0.0, 1.0, "max_filtered_ratio")
    sides = [_ids(side, f"ids of side {number}") for number, side in enumerate(ids)]
    if not sides:
        raise checks.ShapeError("there are no sides to align; give the ids of at least one")
    present = [np.arange(len(side)) for side in sides]
    for number, array in enumerate(values or []):
        if array is not None:
            present[number] = _present(sides[number], array, number)
    common = sides[0][present[0]]
    for side, rows in zip(sides[1:], present[1:], strict=True):
        common = np.intersect1d(common, side[rows], assume_unique=True)
    common = np.sort(common)
    for number, side in enumerate(sides):
        enough_overlap(len(common), len(side), f"side {number}", max_filtered_ratio=max_filtered_ratio)
    return tuple(_rows_of(common, side) for side in sides)


def enough_overlap(kept: int, total: int, name: str, *, max_filtered_ratio: float) -> None:
    """Refuse a match that lost too many rows of a side.

    Parameters
    ----------
    kept, total : int
        Rows that are left, and rows there were, NaN included.
    name : str
        What the caller calls the side, for the message.
    max_filtered_ratio : float
        Share that may be lost; exactly that much passes.

    Raises
    ------
    OverlapError
        If more is lost, or there was nothing.

    Notes
    -----
    NaN policy: refuse. Cost: O(1).
    """
    least = 1 - max_filtered_ratio
    if total == 0 or kept / total < least:
        raise checks.OverlapError(f"{name} keeps {kept} of {total} ids; at least {least:.0%} must match")


def same_ids(first_ids: npt.ArrayLike, second_ids: npt.ArrayLike) -> None:
    """Refuse sides that do not have the same ids in the same ascending order.

    Parameters
    ----------
    first_ids, second_ids : array-like of shape (n,)
        Ids of either side.

    Raises
    ------
    IdMismatchError
        If they differ; the message names the first row.
    UnsortedError
        If they do not ascend.

    Notes
    -----
    NaN policy: refuse. Cost: O(n).
    """
    one, other = _ids(first_ids, "ids of the first side"), _ids(second_ids, "ids of the second side")
    if len(one) != len(other):
        raise checks.IdMismatchError(f"one side has {len(one)} ids, the other {len(other)}; align them first")
    different = one != other
    if different.any():
        row = int(np.argmax(different))
        raise checks.IdMismatchError(f"row {row} is {one[row]!s} on one side, {other[row]!s} on the other; align first")
    sorted_ids(one)


def sorted_ids(ids: npt.ArrayLike) -> None:
    """Refuse ids that do not ascend: scores that break ties by position need them to.

    Parameters
    ----------
    ids : array-like of shape (n,)
        Ids of one side.

    Raises
    ------
    UnsortedError
        Naming the first row that is out of order.
    DuplicateError
        If an id occurs twice.

    Notes
    -----
    NaN policy: refuse. Cost: O(n log n).
    """
    side = _ids(ids, "ids")
    ascending = np.sort(side)
    moved = ascending != side
    if moved.any():
        row = int(np.argmax(moved))
        raise checks.UnsortedError(f"row {row} is {side[row]!s} where {ascending[row]!s} belongs; sort by id first")


def complete_rows(values: npt.ArrayLike) -> IndexArray:
    """Find the rows without a NaN.

    Parameters
    ----------
    values : array-like of shape (n,) or (n, n_columns)
        Any unit.

    Returns
    -------
    ndarray of shape (n_complete,), dtype=intp

    Raises
    ------
    ShapeError
        If `values` has other than one or two dimensions.

    Notes
    -----
    NaN policy: omit. Cost: O(size).

    Examples
    --------
    >>> complete_rows([[1.0, 2.0], [float("nan"), 2.0]])
    array([0])
    """
    missing = np.isnan(checks.vector_or_matrix(values, "values"))
    return np.flatnonzero(~(missing.any(axis=1) if missing.ndim > 1 else missing))


def _ids(ids: npt.ArrayLike, name: str) -> IdArray:
    side = np.asarray(ids)
    if side.ndim != 1:
        raise checks.ShapeError(f"{name} have shape {side.shape}; give one id a row")
    unique, counts = np.unique(side, return_counts=True)
    if len(unique) < len(side):
        raise checks.DuplicateError(f"{name}: {unique[counts > 1][0]!s} occurs more than once; keep one row of it")
    return side


def _present(side: IdArray, values: npt.ArrayLike, number: int) -> IndexArray:
    array = checks.vector_or_matrix(values, f"values of side {number}")
    if len(array) != len(side):
        raise checks.ShapeError(f"side {number} has {len(side)} ids and {len(array)} rows of values")
    return complete_rows(array)


def _rows_of(wanted: IdArray, side: IdArray) -> IndexArray:
    order = np.argsort(side, kind="stable")
    return order[np.searchsorted(side[order], wanted)]
