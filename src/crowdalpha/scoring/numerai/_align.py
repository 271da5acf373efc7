"""Frames of pandas matched on their ids, as the reference matches them."""

from typing import TypeVar, cast

import numpy as np
import pandas as pd

Frame = TypeVar("Frame", pd.Series, pd.DataFrame)
Side = pd.Series | pd.DataFrame
One = TypeVar("One", pd.Series, pd.DataFrame)
Other = TypeVar("Other", pd.Series, pd.DataFrame)


def require(condition: object, message: str) -> None:
    """Refuse as the reference does, also where assert statements are switched off."""
    if not condition:
        raise AssertionError(message)


def complete(side: Side) -> pd.Index:
    """Ids whose row has no NaN."""
    missing = np.asarray(side.isna(), dtype=np.bool_)
    gaps = np.flatnonzero(missing.any(axis=1) if missing.ndim > 1 else missing)
    return side.index.delete(gaps) if len(gaps) else side.index


def matched(sides: list[Side]) -> list[Side]:
    """Rows of the ids that are complete on every side, in ascending order of the ids."""
    ids = complete(sides[0])
    for side in sides[1:]:
        other = complete(side)
        if not other.equals(ids):
            ids = ids.intersection(other)
    # sorted once, so that a side in order already is not copied; a doubled id would double its rows again
    if not ids.is_monotonic_increasing:
        ids = ids.sort_values()
    if not ids.is_unique and any(len(side) != len(ids) for side in sides):
        ids = ids.unique()
    return [rows(side, ids) for side in sides]


def matched_pair(s1: One, s2: Other, max_filtered_ratio: float) -> tuple[One, Other]:
    """Match two sides, and refuse if too few ids are left; a side that stays as it is is not copied."""
    first, second = cast("tuple[One, Other]", tuple(matched([s1, s2])))
    for name, other, before, after in (("s1", "s2", s1, first), ("s2", "s1", s2, second)):
        enough(after.index.nunique(), len(before), name, f"{other},", max_filtered_ratio)
    return first, second


def matched_many(inputs: list[Side], max_filtered_ratio: float) -> list[Side]:
    """Match any number of sides, and refuse if too few ids are left; a side that stays as it is is not copied."""
    require(len(inputs) > 0, "List must contain at least one element")
    kept = matched(inputs)
    for number, (before, after) in enumerate(zip(inputs, kept, strict=True)):
        enough(len(after), len(before), f"inputs[{number}]", "the others,", max_filtered_ratio)
    return kept


def enough(kept: int, total: int, name: str, others: str, max_filtered_ratio: float) -> None:
    """Refuse a side of which too much was dropped."""
    least = 1 - max_filtered_ratio
    require(
        kept / total >= least,
        f"{name} does not have enough overlapping ids with {others}"
        f" must have >= {round(least, 2) * 100}% overlapping ids",
    )


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
