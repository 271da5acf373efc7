"""Two frames matched on (`era`, `id`), with a report of what was lost."""

from dataclasses import dataclass
from typing import Generic

import narwhals as nw
import numpy as np
from narwhals.typing import IntoDataFrame, IntoDataFrameT

from crowdalpha.scoring import checks
from crowdalpha.scoring.align import DEFAULT_MAX_FILTERED_RATIO
from crowdalpha.scoring.arrays import BoolArray, IndexArray
from crowdalpha.scoring.frames._panel import labelled, same_kind
from crowdalpha.scoring.frames._sides import Link, too_few
from crowdalpha.scoring.frames._tables import Frame, Table, positions, read

__all__ = ["Alignment", "align"]


@dataclass(frozen=True, eq=False)
class Alignment(Generic[IntoDataFrameT]):
    """What is left of predictions and another frame when they are matched.

    `frame` has the predicted rows that both sides have, in the order of the predictions, with the columns of both.
    `eras` has one row an era of the predictions: `era`, `kept`, and how many rows either side loses, `dropped_left` and
    `dropped_right`. `kept` is their number over all eras, `dropped_left` and `dropped_right` are the numbers of the
    lost rows, and `first_left` and `first_right` name the first of them by era and id, empty if there is none. `gaps`
    counts the rows of `frame` without a value, for each column that has such rows.
    """

    frame: IntoDataFrameT
    eras: IntoDataFrameT
    kept: int
    dropped_left: IndexArray
    dropped_right: IndexArray
    first_left: str
    first_right: str
    gaps: dict[str, int]


def align(
    predictions: IntoDataFrameT, other: IntoDataFrame, *, max_filtered_ratio: float = DEFAULT_MAX_FILTERED_RATIO
) -> Alignment[IntoDataFrameT]:
    """Match predictions with another frame on (`era`, `id`), as the scores do, and tell what is lost.

    Parameters
    ----------
    predictions, other : DataFrame
        `id`, perhaps `era`, and other columns, of which no two may share a name.
    max_filtered_ratio : float in [0, 1], default=0.2
        Share of the ids of an era that either side may lose; 1 reports whatever is lost. Eras that one side has not
        got at all are no loss.

    Returns
    -------
    Alignment
        Its frames are of the kind that came in.

    Raises
    ------
    IdMismatchError, ShapeError
        If a column is missing or in both, or frames differ in kind or keys.
    DuplicateError
        If an id is there twice in an era.
    OverlapError
        If a side loses too many ids of an era, or nothing is left.

    Notes
    -----
    NaN policy: propagate; an id is there if it has a row. Cost: a join an era where ids differ in order, and a copy of
    what is kept.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.filter_sort_index`.

    Examples
    --------
    >>> import polars as pl
    >>> mine = pl.DataFrame({"id": ["a", "b"], "mine": [0.1, 0.2]})
    >>> found = align(mine, pl.DataFrame({"id": ["b", "c"], "target": [0.5, 1.0]}), max_filtered_ratio=1)
    >>> found.frame.rows(), found.first_left, found.first_right
    ([('b', 0.2, 0.5)], "id 'a'", "id 'c'")
    """
    checks.in_range(max_filtered_ratio, 0.0, 1.0, "max_filtered_ratio")
    left, right = read(predictions, "predictions"), read(other, "other")
    link = Link.of(left, right)
    partners, other_lost = _partners(left, link)
    counts = _counts(left, link, partners, other_lost, 1.0 - max_filtered_ratio)
    frame = _joined(left, right, partners)
    eras = labelled(
        left, nw.from_numpy(counts, ["kept", "dropped_left", "dropped_right"], backend=frame.implementation)
    )
    return Alignment(
        frame=same_kind(frame, predictions),
        eras=same_kind(eras, predictions),
        kept=len(frame),
        dropped_left=np.flatnonzero(partners < 0),
        dropped_right=np.flatnonzero(other_lost),
        first_left=_first(left, partners < 0),
        first_right=_first(right, other_lost),
        gaps=_gaps(frame, [*left.columns, *right.columns]),
    )


def _partners(left: Table, link: Link) -> tuple[IndexArray, BoolArray]:
    """Find the row of the other frame for each predicted one, -1 for none, and the rows there that have none."""
    partners, lost = np.full(len(left), -1), np.zeros(len(link.table), dtype=np.bool_)
    for mine, rows, theirs in zip(left.rows, link.rows, link.own, strict=True):
        partners[mine], lost[theirs] = positions(rows), True
    lost[partners[partners >= 0]] = False
    return partners, lost


def _counts(left: Table, link: Link, partners: IndexArray, other_lost: BoolArray, least: float) -> IndexArray:
    """Count kept rows and the lost ones of either side in each era, and refuse an era that loses too many."""
    counts = np.empty((len(left.rows), 3), dtype=np.intp)
    for era, (mine, theirs) in enumerate(zip(left.rows, link.own, strict=True)):
        lost = positions(mine)[partners[mine] < 0], positions(theirs)[other_lost[theirs]]
        kept = len(positions(mine)) - len(lost[0])
        counts[era] = kept, len(lost[0]), len(lost[1])
        if not len(positions(theirs)):
            continue
        for table, rows in zip((left, link.table), lost, strict=True):
            total = kept + len(rows)
            if len(rows) and kept / total < least:
                first = table.place(int(rows[0]))
                raise too_few(table.name, "a partner in the other frame", kept, total, first, least)
    return counts


def _joined(left: Table, right: Table, partners: IndexArray) -> Frame:
    twice = sorted(set(left.columns) & set(right.columns))
    if twice:
        raise checks.ShapeError(f"column {twice[0]!r} is in both frames; leave it out of one")
    kept = np.flatnonzero(partners >= 0)
    frame = left.frame[kept]
    if not right.columns:
        return frame
    beside = right.frame[partners[kept], right.columns]
    return frame.with_columns(*(beside[name] for name in right.columns))


def _first(table: Table, lost: BoolArray) -> str:
    return table.place(int(np.argmax(lost))) if lost.any() else ""


def _gaps(frame: Frame, columns: list[str]) -> dict[str, int]:
    gaps = {}
    for name in columns:
        column = frame[name]
        missing = int(column.is_null().sum())
        if column.dtype.is_float():
            missing = int(np.isnan(column.to_numpy()).sum())
        if missing:
            gaps[name] = missing
    return gaps
