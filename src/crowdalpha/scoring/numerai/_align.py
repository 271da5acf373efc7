"""Frames of pandas matched on their ids, as the reference matches them."""

from typing import TypeVar

import numpy as np
import pandas as pd

Frame = TypeVar("Frame", pd.Series, pd.DataFrame)
Side = pd.Series | pd.DataFrame


def require(condition: object, message: str) -> None:
    """Refuse as the reference does, also where assert statements are switched off."""
    if not condition:
        raise AssertionError(message)


def complete(side: Side) -> pd.Index:
    """Ids whose row has no NaN."""
    missing = np.asarray(side.isna(), dtype=np.bool_)
    gaps = np.flatnonzero(missing.reshape(len(side), -1).any(axis=1))
    return side.index.delete(gaps) if len(gaps) else side.index


def matched(sides: list[Side]) -> list[Side]:
    """Rows of the ids that are complete on every side, in ascending order of the ids."""
    ids = complete(sides[0])
    for side in sides[1:]:
        other = complete(side)
        if not other.equals(ids):
            ids = ids.intersection(other)
    return [rows(side, ids) for side in sides]


def rows(side: Side, ids: pd.Index) -> Side:
    """Rows of some ids in ascending order; the side itself, not a copy, where that changes nothing."""
    if not side.index.equals(ids):
        side = side.loc[ids]
    return side if side.index.is_monotonic_increasing else side.sort_index()


def same_sorted_ids(target: Side, predictions: Side) -> None:
    """Refuse sides whose ids differ, are not sorted, or whose values have a NaN."""
    require(target.index.is_monotonic_increasing, "unsorted index found")
    require(np.array_equal(target.index, predictions.index), "the ids of targets and predictions differ")
    for side in (target, predictions):
        require(not np.asarray(side.isna()).any(), "targets and predictions must have no NaN")


def values(side: Side) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Values in double precision, without a copy where they are so already."""
    return side.to_numpy(dtype=np.float64, copy=False)


def size(top_bottom: int | None) -> int | None:
    """Top/bottom filter; the reference takes zero and below for none."""
    return top_bottom if top_bottom is not None and top_bottom > 0 else None
