"""The loop over eras that all scores share: who has enough rows, and on which rows each model is scored."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from crowdalpha.errors import InputError
from crowdalpha.scoring import checks
from crowdalpha.scoring._projection import blas_on_one_thread
from crowdalpha.scoring._threads import split
from crowdalpha.scoring.align import DEFAULT_MAX_FILTERED_RATIO
from crowdalpha.scoring.arrays import BoolArray, FloatArray, IndexArray, IntegerArray
from crowdalpha.scoring.frames._panel import Panel
from crowdalpha.scoring.frames._sides import Side, too_few
from crowdalpha.scoring.frames._tables import positions

Arrays: TypeAlias = list[FloatArray | IntegerArray]
# (era, predictions (n_assets, n_models) without gaps, sides of the same rows) to scores (..., n_models)
Kernel: TypeAlias = Callable[[int, FloatArray, Arrays], FloatArray]


def by_era(
    panel: Panel,
    sides: Sequence[Side],
    kernel: Kernel,
    *,
    max_filtered_ratio: float = DEFAULT_MAX_FILTERED_RATIO,
    partial: Sequence[Side] = (),
    shape: tuple[int, ...] = (),
) -> FloatArray:
    """Score each era: shape (n_eras, *shape, n_models), NaN where a side has nothing for an era.

    A model is scored on the rows where it and all `sides` have a value, so its gaps are its own affair. `partial`
    sides may have gaps in those rows; kernels get them after the others.
    """
    checks.in_range(max_filtered_ratio, 0.0, 1.0, "max_filtered_ratio")
    for side in (*sides, *partial):
        if not any(side.has(era) for era in range(panel.n_eras)):
            raise checks.OverlapError(f"{side.name} has no value for any era of the predictions; match their eras")
    out = np.full((panel.n_eras, *shape, len(panel.models)), np.nan)

    def work(era: int) -> None:
        if all(side.has(era) for side in sides):
            _score(panel, era, (sides, partial), kernel, 1.0 - max_filtered_ratio, out[era])

    each_era(panel, work)
    return out


def each_era(panel: Panel, work: Callable[[int], None]) -> None:
    """Call `work` for each era, on all processors."""

    def share(first: int, last: int) -> None:
        for era in range(first, last):
            work(era)

    if panel.n_eras == 1:
        work(0)
        return
    with blas_on_one_thread():
        split(share, panel.n_eras, values=panel.values.size // panel.n_eras, grain=1)


@contextmanager
def told_with_era(panel: Panel, era: int) -> Iterator[None]:
    """Name the era where an array function, which does not know it, refuses."""
    try:
        yield
    except InputError as error:
        if panel.table.era is None:
            raise
        raise type(error)(f"era '{panel.table.labels[era]}': {error}") from error


def groups(known: BoolArray) -> Iterator[tuple[IndexArray | slice, BoolArray]]:
    """Group models, one a column, by the rows that they have: positions of the models, and those rows."""
    if known.all():
        yield slice(None), np.ones(len(known), dtype=np.bool_)
        return
    packed = np.ascontiguousarray(np.packbits(known, axis=0).T)
    _, firsts, group = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    for number, first in enumerate(firsts):
        yield np.flatnonzero(group.ravel() == number), known[:, first]


def _score(
    panel: Panel,
    era: int,
    sides: tuple[Sequence[Side], Sequence[Side]],
    kernel: Kernel,
    least: float,
    out: FloatArray,
) -> None:
    complete, partial = sides
    columns = panel.values[panel.table.rows[era]]
    asked = [side for side in (*complete, *partial) if side.has(era)]
    lost = _loss(np.ones(len(columns), dtype=np.bool_), asked, era, least)
    if lost is not None:
        raise lost.error(panel, era, least, "predictions")
    usable = np.logical_and.reduce([side.present(era) for side in complete], axis=0)
    arrays = [side.of(era) for side in (*complete, *partial)]
    known = ~np.isnan(columns)
    losses: dict[int, _Loss] = {}
    for models, own in groups(known):
        lost = _loss(own, asked, era, least)
        if lost is not None:
            losses |= dict.fromkeys(np.arange(len(panel.models))[models].tolist(), lost)
            continue
        kept = own & usable
        with told_with_era(panel, era):
            if kept.all():
                out[..., models] = kernel(era, columns[:, models], arrays)
            else:
                out[..., models] = kernel(era, columns[kept][:, models], [array[kept] for array in arrays])
    predicted = np.flatnonzero(known.any(axis=0))
    if len(predicted) and len(losses) == len(panel.models):
        first = int(predicted[0])
        raise losses[first].error(panel, era, least, f"predictions, column {panel.models[first]!r}")


@dataclass(frozen=True, eq=False)
class _Loss:
    """Too few rows are left: `kept` of the predicted ones, of so many predicted ones or of those of the side."""

    side: Side
    kept: BoolArray
    total: int
    of_side: bool

    def error(self, panel: Panel, era: int, least: float, name: str) -> checks.OverlapError:
        """Say which rows are missing, by the first of them."""
        kept = int(self.kept.sum())
        if self.of_side:
            table, row = self.side.link.table, self.side.link.first_unmatched(era, self.kept)
            return too_few(self.side.name, f"a partner in {name}", kept, self.total, table.place(row), least)
        row = int(positions(panel.table.rows[era])[np.argmin(self.kept)])
        return too_few(name, f"a value in {self.side.name}", kept, self.total, panel.table.place(row), least)


def _loss(own: BoolArray, sides: Sequence[Side], era: int, least: float) -> _Loss | None:
    """Match one side after the other, each against the rows that the last one left; tell where too few are left."""
    kept, total = own, len(own)
    for side in sides:
        kept = kept & side.present(era)
        count = int(kept.sum())
        if count == 0 or count / total < least:
            return _Loss(side, kept, total, of_side=False)
        if count / side.link.total(era) < least:
            return _Loss(side, kept, side.link.total(era), of_side=True)
        total = count
    return None
