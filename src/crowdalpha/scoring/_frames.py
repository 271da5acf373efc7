"""Frames of pandas or polars matched on (`era`, `id`), and their columns as arrays."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt
from narwhals.typing import IntoDataFrame

from crowdalpha.errors import InputError
from crowdalpha.scoring import checks
from crowdalpha.scoring._threads import split
from crowdalpha.scoring.arrays import BoolArray, FloatArray, IndexArray, IntegerArray
from crowdalpha.scoring.eras import era_rows

ERA, ID, ROW = "era", "id", "__row__"
DEFAULT_MAX_FILTERED_RATIO = 0.2

Frame = nw.DataFrame[Any]


@dataclass(frozen=True, eq=False)
class Side:
    """One frame of a call: what the caller named it, its rows, its key columns and its value columns."""

    name: str
    frame: Frame
    keys: tuple[str, ...]
    columns: tuple[str, ...]

    @classmethod
    def of(cls, name: str, native: IntoDataFrame, columns: Sequence[str] | None = None) -> "Side":
        """Read a frame; `id` (and `era`) may be the index of pandas. All other columns count if none are named."""
        frame = _with_keys_as_columns(nw.from_native(native, eager_only=True))
        keys = tuple(key for key in (ERA, ID) if key in frame.columns)
        if ID not in keys:
            raise checks.IdMismatchError(f"{name} has no column 'id'; name it so, or make it the index")
        if len(frame) == 0:
            raise checks.ShapeError(f"{name} has no rows; there is nothing to score")
        chosen = tuple(column for column in frame.columns if column not in keys) if columns is None else tuple(columns)
        for column in chosen:
            if column not in frame.columns:
                raise checks.ShapeError(f"{name} has no column '{column}'; it has {', '.join(frame.columns)}")
            if not (frame.schema[column].is_numeric() or frame.schema[column] == nw.Boolean):
                raise checks.ShapeError(f"{name}, column '{column}' holds {frame.schema[column]}; it must hold numbers")
        if not chosen:
            raise checks.ShapeError(f"{name} has no column of values beside {' and '.join(keys)}")
        side = cls(name, frame, keys, chosen)
        side._refuse_bad_keys()
        return side

    def _refuse_bad_keys(self) -> None:
        for key in self.keys:
            missing = self.frame[key].is_null().to_numpy()
            if missing.any():
                raise checks.IdMismatchError(f"{self.name}, column '{key}' is null in row {int(missing.argmax())}")
        repeated = self.frame.select(self.keys).is_duplicated().to_numpy()
        if repeated.any():
            where = self.label(int(repeated.argmax()))
            raise checks.DuplicateError(f"{self.name}: {where} occurs more than once; give each row once")

    def label(self, row: int) -> str:
        """Name a row by its keys."""
        return ", ".join(f"{key} '{self.frame[key][row]}'" for key in self.keys)

    def values(self, rows: IndexArray | None = None) -> FloatArray:
        """Value columns in double precision, nulls as NaN: shape (n_rows, n_columns), in the order of columns."""
        out = np.empty((len(self.columns), len(self.frame) if rows is None else len(rows)))
        for column, name in enumerate(self.columns):
            values = self.frame[name].cast(nw.Float64).to_numpy()
            out[column] = values if rows is None else values[rows]
        return out.T

    def features(self, rows: IndexArray) -> FloatArray | IntegerArray:
        """Value columns as features: bytes where all of them are, doubles else; a NaN is refused by name."""
        if all(self.frame.schema[name] == nw.Int8 and not self.frame[name].is_null().any() for name in self.columns):
            out = np.empty((len(self.columns), len(rows)), dtype=np.int8)
            for column, name in enumerate(self.columns):
                out[column] = self.frame[name].to_numpy()[rows]
            return out.T
        values = self.values(rows)
        bad = ~np.isfinite(values)
        if bad.any():
            row, column = (int(at) for at in np.argwhere(bad)[0])
            raise checks.NonFiniteError(
                f"{self.name}, column '{self.columns[column]}': {self.label(int(rows[row]))} is not finite; fill it"
            )
        return values


@dataclass(frozen=True, eq=False)
class Aligned:
    """Rows that every side has, in ascending order of era and id.

    `rows` has the row numbers for each side, `eras` the labels, `rows_of` the places of each era in `rows`.
    """

    base: Side
    rows: tuple[IndexArray, ...]
    eras: npt.NDArray[np.generic] | None
    rows_of: list[slice]
    dropped: tuple[IndexArray, ...]

    def by_era(self, n_models: int, score: Callable[[int, slice], FloatArray]) -> FloatArray:
        """Call `score(era, rows)` for each era, on all processors: shape (n_eras, n_models)."""
        out = np.full((len(self.rows_of), n_models), np.nan)

        def work(first: int, last: int) -> None:
            for era in range(first, last):
                try:
                    out[era] = score(era, self.rows_of[era])
                except InputError as error:
                    if self.eras is None:
                        raise
                    raise type(error)(f"era '{self.eras[era]}': {error}") from error

        split(work, len(self.rows_of), values=n_models * len(self.rows[0]) // max(1, len(self.rows_of)), grain=1)
        return out

    def framed(self, scores: FloatArray, columns: Sequence[str]) -> Any:  # noqa: ANN401  # the caller's kind of frame
        """Give scores, one row an era, in the kind of frame that the caller has."""
        data: dict[str, Any] = {} if self.eras is None else {ERA: self.eras}
        return made(self.base.frame, data | {name: scores[:, column] for column, name in enumerate(columns)})


def aligned(sides: Sequence[Side], *, max_filtered_ratio: float = DEFAULT_MAX_FILTERED_RATIO) -> Aligned:
    """Match sides on (`era`, `id`); refuse an era in which too few rows of a side are left."""
    checks.in_range(max_filtered_ratio, 0.0, 1.0, "max_filtered_ratio")
    base = sides[0]
    for side in sides[1:]:
        if side.keys != base.keys:
            raise checks.IdMismatchError(f"{base.name} has the keys {base.keys} and {side.name} {side.keys}; give both")
        for key in base.keys:
            mine, other = base.frame.schema[key], side.frame.schema[key]
            if mine != other and base.frame.implementation == side.frame.implementation:
                raise checks.IdMismatchError(
                    f"column '{key}' holds {mine} in {base.name} and {other} in {side.name}; cast one to the other"
                )
        if side.frame.implementation != base.frame.implementation:
            raise checks.ShapeError(f"{base.name} and {side.name} are frames of two libraries; convert one")
    rows = _common_rows(sides)
    codes, labels = _era_codes(base)
    kept = [np.zeros(len(side.frame), dtype=np.bool_) for side in sides]
    for mask, chosen in zip(kept, rows, strict=True):
        mask[chosen] = True
    for side, mask in zip(sides, kept, strict=True):
        _refuse_thin_eras(side, mask, max_filtered_ratio, present=labels)
    order = _order(base, rows[0], codes)
    rows = tuple(chosen[order] for chosen in rows)
    eras, rows_of = (labels, _slices(codes[rows[0]])) if labels is not None else (None, [slice(0, len(order))])
    if eras is not None:
        eras = eras[np.unique(codes[rows[0]])]
    return Aligned(base, rows, eras, rows_of, tuple(np.flatnonzero(~mask) for mask in kept))


def made(like: Frame, data: dict[str, Any]) -> Any:  # noqa: ANN401  # the caller's kind of frame
    """Make a frame of the kind of another."""
    return nw.from_dict(data, backend=nw.get_native_namespace(like)).to_native()


def _with_keys_as_columns(frame: Frame) -> Frame:
    index = nw.maybe_get_index(frame)
    if index is None:
        return frame
    names = [name for name in (getattr(index, "names", None) or []) if name in {ERA, ID}]
    return nw.from_native(frame.to_native().reset_index(names), eager_only=True) if names else frame


def _common_rows(sides: Sequence[Side]) -> tuple[IndexArray, ...]:
    """Row numbers for each side of the keys that all have; no join where the keys are the same already."""
    keys = list(sides[0].keys)
    tables = [side.frame.select(keys) for side in sides]
    if all(_same(tables[0], table) for table in tables[1:]):
        return tuple(np.arange(len(tables[0])) for _ in sides)
    numbered = [table.with_row_index(f"{ROW}{number}") for number, table in enumerate(tables)]
    joined = reduce(lambda left, right: left.join(right, on=keys, how="inner"), numbered)
    if len(joined) == 0:
        raise checks.OverlapError(
            f"{' and '.join(side.name for side in sides)} have no row in common; check era and id"
        )
    return tuple(joined[f"{ROW}{number}"].to_numpy().astype(np.intp) for number in range(len(sides)))


def _same(left: Frame, right: Frame) -> bool:
    return len(left) == len(right) and all(
        left.schema[key] == right.schema[key] and bool((left[key] == right[key]).all()) for key in left.columns
    )


def _era_codes(side: Side) -> tuple[IndexArray, npt.NDArray[np.generic] | None]:
    """Code of each row's era in ascending order, as numbers where all are ("10" after "9"), and the labels."""
    if ERA not in side.keys:
        return np.zeros(len(side.frame), dtype=np.intp), None
    values = side.frame[ERA].to_numpy()
    labels, codes = np.unique(values.astype(str) if values.dtype == object else values, return_inverse=True)
    if labels.dtype.kind in "UT" and all(label.isdigit() for label in labels):
        by_number = np.argsort([int(label) for label in labels], kind="stable")
        codes, labels = np.argsort(by_number)[codes], labels[by_number]
    return codes.astype(np.intp), labels


def _refuse_thin_eras(side: Side, kept: BoolArray, ratio: float, present: npt.NDArray[np.generic] | None) -> None:
    codes, labels = _era_codes(side)
    totals, counts = np.bincount(codes), np.bincount(codes, weights=kept)
    thin = (counts > 0) & (counts / totals < 1 - ratio)
    if not thin.any() or (labels is not None and present is not None and not np.isin(labels[thin], present).any()):
        return
    era = int(thin.argmax())
    where = side.label(int(np.flatnonzero((codes == era) & ~kept)[0]))
    raise checks.OverlapError(
        f"{side.name}: only {int(counts[era])} of {totals[era]} rows have a partner, at least {1 - ratio:.0%} must; "
        f"the first without is {where}"
    )


def _order(base: Side, rows: IndexArray, codes: IndexArray) -> IndexArray:
    """Ascending order of era and id."""
    ids = base.frame[ID].to_numpy()[rows]
    ids = ids.astype(str) if ids.dtype == object else ids
    if bool((codes[rows][1:] >= codes[rows][:-1]).all()):
        same_era = codes[rows][1:] == codes[rows][:-1]
        if bool((~same_era | (ids[1:] > ids[:-1])).all()):
            return np.arange(len(rows))
    return np.lexsort((ids, codes[rows]))


def _slices(codes: IndexArray) -> list[slice]:
    return [part for part in era_rows(codes)[1] if isinstance(part, slice)]
