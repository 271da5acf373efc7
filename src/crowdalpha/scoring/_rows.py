"""Kernels over rows: one model a row, so that a model's values lie next to each other.

The public functions take one model a column and turn a block of columns into rows here.
Inputs are trusted: the public functions have checked them.
"""

from typing import Literal

import numpy as np
import scipy  # loads its parts when they are first used, which keeps our import short

from crowdalpha.scoring import _ranked
from crowdalpha.scoring.arrays import BoolArray, FloatArray, IndexArray

RankMethod = Literal["average", "min", "max", "first", "dense"]


def as_rows(columns: FloatArray) -> FloatArray:
    """Turn one model a column into one model a row, contiguous."""
    return np.ascontiguousarray(columns.T)


def constant(rows: FloatArray) -> BoolArray:
    """Tell which rows hold one value only: exactly, because a standard deviation of equal doubles need not be 0."""
    flat: BoolArray = rows.max(axis=1) == rows.min(axis=1)
    return flat


def rank(rows: FloatArray, method: RankMethod) -> FloatArray:
    """Percentile ranks (r - 1/2) / N within each row; NaN stays NaN and is not counted."""
    if method in {"average", "first"}:
        tolerance = 0.0 if method == "average" else _ranked.BROKEN_TIES
        complete = _ranked.look_up(rows.T, _ranked.ranks(rows.shape[1]), tolerance)
        if complete is not None:
            return complete
    order, doubled = _order_and_doubled_ranks(rows, method)
    missing = np.isnan(rows)
    counts = rows.shape[1] - missing.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        ranked = _scatter(order, (doubled - 1) / (2 * counts))
    ranked[missing] = np.nan
    return ranked


def gaussianize(rows: FloatArray, tolerance: float = 0.0) -> FloatArray:
    """Find the normal quantiles of the tie-kept ranks within each row; NaN stays NaN.

    Neighbours that are no farther apart than the tolerance count as ties.
    """
    complete = _ranked.look_up(rows.T, _ranked.quantiles(rows.shape[1]), tolerance)
    return quantile(rank(rows, "average")) if complete is None else complete


def quantile(uniform: FloatArray) -> FloatArray:
    """Compute the inverse of the standard normal distribution function; outside [0, 1] it is NaN."""
    values: FloatArray = scipy.special.ndtri(uniform)
    return values


def power_1_5(values: FloatArray) -> FloatArray:
    """sign(x) * |x| ** 1.5, by a square root, which is much faster than a power."""
    raised: FloatArray = values * np.sqrt(np.abs(values))
    return raised


def pearson(rows: FloatArray, target: FloatArray) -> FloatArray:
    """Pearson correlation of each row with `target`: one vector for all, or one row for each; constant gives NaN."""
    targets = np.atleast_2d(target)
    centred = rows - rows.mean(axis=1, keepdims=True)
    wanted = targets - targets.mean(axis=1, keepdims=True)
    products = centred @ wanted[0] if target.ndim == 1 else np.einsum("ij,ij->i", centred, wanted)
    norms = np.sqrt(np.einsum("ij,ij->i", centred, centred) * np.einsum("ij,ij->i", wanted, wanted))
    undefined = constant(rows) | constant(targets)
    scores = np.full(len(rows), np.nan)
    np.divide(products, norms, out=scores, where=~undefined & (norms > 0))
    return scores


def pearson_of_extremes(rows: FloatArray, target: FloatArray, size: int) -> FloatArray:
    """Pearson correlation over the `size` lowest and highest values of each row; over all of it if `size` is 0."""
    if size == 0:
        return pearson(rows, target)
    kept = top_bottom(rows, size)
    return pearson(np.take_along_axis(rows, kept, axis=1), target[kept])


def merged_near_ties(rows: FloatArray, tolerance: float) -> FloatArray:
    """Give neighbours that are no farther apart than the tolerance the same value: the lowest of them."""
    order = np.argsort(rows, axis=1)
    ordered = np.take_along_axis(rows, order, axis=1)
    first = np.zeros(rows.shape, dtype=np.intp)
    first[:, 1:] = np.where(_ties(ordered, tolerance), 0, np.arange(1, rows.shape[1]))
    np.maximum.accumulate(first, axis=1, out=first)
    return _scatter(order, np.take_along_axis(ordered, first, axis=1))


def top_bottom(rows: FloatArray, size: int) -> IndexArray:
    """Positions of the `size` lowest and the `size` highest values of each row.

    Ties at the border: the bottom takes the earliest, the top the latest.
    """
    order = np.argsort(rows, axis=1, kind="stable")
    return np.concatenate([order[:, :size], order[:, order.shape[1] - size :]], axis=1)


def _order_and_doubled_ranks(rows: FloatArray, method: RankMethod) -> tuple[IndexArray, IndexArray]:
    """Positions in ascending order, and twice the 1-based rank at each of them (an integer even for averages)."""
    n_assets = rows.shape[1]
    order = np.argsort(rows, axis=1, kind="stable" if method == "first" else None)
    positions = np.arange(n_assets)
    doubled = np.broadcast_to(2 * (positions + 1), rows.shape)
    if method == "first" or n_assets == 0:
        return order, doubled
    ordered = np.take_along_axis(rows, order, axis=1)
    ties = _ties(ordered, 0.0)
    if not ties.any():
        return order, doubled
    return order, _doubled_tied_ranks(ties, positions, method)


def _ties(ordered: FloatArray, tolerance: float) -> BoolArray:
    if tolerance == 0.0:  # infinities are equal to themselves and have no difference
        equal: BoolArray = ordered[:, 1:] == ordered[:, :-1]
        return equal
    near: BoolArray = ordered[:, 1:] - ordered[:, :-1] <= tolerance
    return near


def _doubled_tied_ranks(ties: BoolArray, positions: IndexArray, method: RankMethod) -> IndexArray:
    n_rows, n_assets = len(ties), len(positions)
    if method == "dense":
        fresh = np.ones((n_rows, n_assets), dtype=np.intp)
        fresh[:, 1:] = ~ties
        return 2 * np.cumsum(fresh, axis=1)
    first = np.zeros((n_rows, n_assets), dtype=np.intp)
    first[:, 1:] = np.where(ties, 0, positions[1:])
    np.maximum.accumulate(first, axis=1, out=first)
    if method == "min":
        return 2 * (first + 1)
    last = np.full((n_rows, n_assets), n_assets - 1, dtype=np.intp)
    last[:, :-1] = np.where(ties, n_assets - 1, positions[:-1])
    last = np.minimum.accumulate(last[:, ::-1], axis=1)[:, ::-1]
    return 2 * (last + 1) if method == "max" else first + last + 2


def _scatter(order: IndexArray, sorted_values: FloatArray) -> FloatArray:
    values = np.empty(order.shape)
    np.put_along_axis(values, order, sorted_values, axis=1)
    return values
