"""Which columns of two data sets are alike, as far as their rows tell without the key."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["Likeness", "alike_columns"]

FILE = "validation.parquet"
MOST_ERAS = 16
ALIKE = 0.95
MIDDLE = 2
DIGITS = 3
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Likeness:
    """What rows tell of columns that have other names.

    Parameters
    ----------
    pairs : mapping of str to tuple of (str, float)
        Column of the first, column of the second, and how alike they are: their correlation over common rows, or 1
        where only their missing values agree.
    by : {"rows", "missing values", "nothing"}
        What was compared: rows of one id, or the numbers of missing values in each era where no id is in both.
    """

    pairs: dict[str, tuple[str, float]]
    by: str


def alike_columns(first: Path, second: Path, *, old: Sequence[str], new: Sequence[str]) -> Likeness:
    """Pair columns of two data sets that have no name in common.

    Parameters
    ----------
    first, second : Path
        The folders.
    old, new : sequence of str
        Columns of the first that the second lacks, and the other way round.

    Returns
    -------
    Likeness
        Pairs in which each is the best match of the other.

    Notes
    -----
    Rows are common where both were made with one secret. Where they were not, bins are equally full in every column and
    tell nothing; only columns with missing values can be told apart, and of those only such as have a number of them in
    some era that no other has. NaN policy: a missing bin counts as the middle. Cost: 16 eras are read, then
    O(rows * old * new).
    """
    if not old or not new:
        return Likeness({}, "nothing")
    eras = _common_eras(first, second)
    frames = [_read(folder, eras, names) for folder, names in ((first, old), (second, new))]
    both = frames[0].select("id").join(frames[1].select("id"), on="id")
    if both.height:
        bins = [both.join(frame, on="id", how="left", maintain_order="left") for frame in frames]
        return Likeness(_pairs(_correlations(bins[0], bins[1], old, new), old, new), "rows")
    gaps = [_gaps(frame, names) for frame, names in zip(frames, (old, new), strict=True)]
    same = np.all(gaps[0][:, None] == gaps[1][None], axis=2) & np.any(gaps[0] > 0, axis=1)[:, None]
    single = same & (same.sum(axis=0) == 1) & (same.sum(axis=1) == 1)[:, None]
    return Likeness(_pairs(single.astype(np.float64), old, new), "missing values" if single.any() else "nothing")


def _common_eras(first: Path, second: Path) -> list[str]:
    eras = [
        set(pl.scan_parquet(folder / FILE).select(pl.col("era").unique()).collect()["era"])
        for folder in (first, second)
    ]
    common = sorted(eras[0] & eras[1])
    return [common[at] for at in np.unique(np.linspace(0, len(common) - 1, MOST_ERAS).astype(int))] if common else []


def _read(folder: Path, eras: list[str], names: Sequence[str]) -> pl.DataFrame:
    return pl.scan_parquet(folder / FILE).filter(pl.col("era").is_in(eras)).select("id", "era", *names).collect()


def _correlations(first: pl.DataFrame, second: pl.DataFrame, old: Sequence[str], new: Sequence[str]) -> Floats:
    left, right = (
        frame.select(pl.col(names).fill_null(MIDDLE).cast(pl.Float64)).to_numpy()
        for frame, names in ((first, old), (second, new))
    )
    left, right = (values - values.mean(axis=0) for values in (left, right))
    scale = np.outer(np.sqrt((left**2).sum(axis=0)), np.sqrt((right**2).sum(axis=0)))
    correlations: Floats = np.divide(left.T @ right, scale, out=np.zeros_like(scale), where=scale > 0)
    return correlations


def _gaps(frame: pl.DataFrame, names: Sequence[str]) -> NDArray[np.int64]:
    counts = frame.group_by("era").agg(pl.col(names).null_count()).sort("era").select(names)
    return counts.to_numpy().T.astype(np.int64)


def _pairs(alike: Floats, old: Sequence[str], new: Sequence[str]) -> dict[str, tuple[str, float]]:
    best = alike.argmax(axis=1)
    found = (alike.argmax(axis=0)[best] == np.arange(len(old))) & (alike.max(axis=1) >= ALIKE)
    places = zip(np.flatnonzero(found).tolist(), best[found].tolist(), alike.max(axis=1)[found].tolist(), strict=True)
    return {old[mine]: (new[theirs], round(likeness, DIGITS)) for mine, theirs, likeness in places}
