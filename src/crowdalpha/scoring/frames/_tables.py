"""Frames as they come in: found columns, eras in order, ids that are there and occur once."""

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, TypeAlias

import narwhals as nw
import numpy as np
from narwhals.typing import IntoDataFrame, IntoSeries

from crowdalpha.scoring import checks
from crowdalpha.scoring.arrays import FloatArray, IndexArray
from crowdalpha.scoring.eras import era_rows

ERA, ID = "era", "id"
KEYS = (ERA, ID)
# "9" and "10", or "era9" and "era10": text that sorts by its number.
NUMBERED = re.compile(r"(\D*)(\d+)")

Frame: TypeAlias = nw.DataFrame[IntoDataFrame]
Column: TypeAlias = nw.Series[IntoSeries]
Rows: TypeAlias = slice | IndexArray


class _Index(Protocol):
    """As much of an index of pandas as is needed here."""

    @property
    def names(self) -> Sequence[Hashable]: ...

    def to_frame(self) -> IntoDataFrame: ...


@dataclass(frozen=True, eq=False)
class Table:
    """A frame, its keys, its eras in ascending order and the rows of each.

    `name` is what messages call it. Without an era column `era` is None and all rows are of one era, labelled None.
    """

    name: str
    frame: Frame
    ids: Column
    era: Column | None
    labels: list[Hashable]
    rows: list[Rows]

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def rows_of(self) -> dict[Hashable, Rows]:
        """Rows of each era by its label."""
        return dict(zip(self.labels, self.rows, strict=True))

    @property
    def columns(self) -> list[str]:
        """Names of the columns that are no keys."""
        return [name for name in self.frame.columns if name not in KEYS]

    def place(self, row: int) -> str:
        """Name a row by its keys."""
        identity = f"id '{self.ids[row]}'"
        return identity if self.era is None else f"era '{self.era[row]}', {identity}"

    def numbers(self, columns: Sequence[str]) -> FloatArray:
        """Read columns of numbers as a matrix of doubles, NaN where there is none."""
        return numbers(self.frame, columns, self.name)

    def refuse_infinite(self, values: FloatArray, columns: Sequence[str]) -> None:
        """Refuse infinite values of columns that were read by `numbers`."""
        infinite = np.isinf(values)
        if infinite.any():
            row, column = np.unravel_index(int(np.argmax(infinite)), infinite.shape)
            place = self.place(int(row))
            raise checks.NonFiniteError(f"{self.name}, column {columns[int(column)]!r}: {place} is infinite; clip it")


def read(native: IntoDataFrame, name: str) -> Table:
    """Read a frame with the column `id` and perhaps `era`; a named index level counts as a column."""
    frame = eager(native, name)
    keys = {key: column for key in KEYS if (column := _key(frame, key)) is not None}
    if ID not in keys:
        raise checks.IdMismatchError(f"{name} has no column {ID!r}; name it so, or make it the index")
    if len(frame) == 0:
        raise checks.ShapeError(f"{name} has no rows; there is nothing to score")
    ids, era = _plain(keys[ID]), keys.get(ERA)
    if kind(ids) not in {"text", "integer"}:
        raise checks.IdMismatchError(f"{name}, column {ID!r} holds {ids.dtype}; ids are text or integers")
    for key, column in keys.items():
        missing = column.is_null()
        if missing.any():
            row = int(np.argmax(missing.to_numpy()))
            where = f"row {row}" if key == ID else f"the row of id '{ids[row]}'"
            raise checks.IdMismatchError(f"{name}, column {key!r} is null in {where}; drop or fill such rows first")
    labels: list[Hashable] = [None]
    rows: list[Rows] = [slice(0, len(ids))]
    if era is not None:
        labels, rows = _eras(era, name)
    table = Table(name, frame, ids, era, labels, rows)
    _refuse_duplicates(table)
    return table


def eager(native: IntoDataFrame, name: str) -> Frame:
    """Take a frame of either library, but no lazy one."""
    try:
        frame: Frame = nw.from_native(native, eager_only=True)
        schema = frame.schema
    except TypeError as error:
        given = type(native).__name__
        raise checks.ShapeError(f"{name} is a {given}; give a DataFrame of pandas or polars, not a lazy one") from error
    except nw.exceptions.DuplicateError as error:
        raise checks.ShapeError(f"{name} has a column name twice; rename one") from error
    for column in schema:
        if not isinstance(column, str):
            raise checks.ShapeError(f"{name} has the column name {column!r}, not text; rename it")
    return frame


def numbers(frame: Frame, columns: Sequence[str], name: str) -> FloatArray:
    """Read columns of numbers as a matrix of doubles, NaN where there is none."""
    refuse_other_than_numbers(frame, columns, name)
    kept = frame.select(*columns)
    others = [column for column, dtype in kept.schema.items() if dtype != nw.Float64]
    if others:  # a cast copies, also where there is nothing to cast
        kept = kept.with_columns(nw.col(*others).cast(nw.Float64))
    array: FloatArray = kept.to_numpy().astype(np.float64, copy=False)
    return array


def refuse_other_than_numbers(frame: Frame, columns: Sequence[str], name: str) -> None:
    """Refuse columns that are missing or hold no numbers."""
    schema = frame.schema
    for column in columns:
        if column not in schema:
            raise checks.ShapeError(f"{name} has no column {column!r}; it has {', '.join(schema)}")
        dtype = schema[column]
        if not (dtype.is_numeric() or dtype == nw.Boolean):
            raise checks.ShapeError(f"{name}, column {column!r} holds {dtype}; it must hold numbers")


def positions(rows: Rows) -> IndexArray:
    """Row numbers, whether they were given as a slice or as numbers."""
    return np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows


def kind(key: Column) -> str:
    """Tell what a key is: keys of one kind can be compared."""
    dtype = key.dtype
    if isinstance(dtype, nw.String | nw.Categorical | nw.Enum):
        return "text"
    return "integer" if dtype.is_integer() else type(dtype).__name__.lower()


def _key(frame: Frame, key: str) -> Column | None:
    if key in frame.columns:
        return nw.maybe_reset_index(frame[key])
    index: _Index | None = nw.maybe_get_index(frame)
    if index is None or key not in index.names:
        return None
    levels: Frame = nw.from_native(index.to_frame(), eager_only=True)
    return nw.maybe_reset_index(levels)[key]


def _plain(column: Column) -> Column:
    return column.cast(nw.String) if isinstance(column.dtype, nw.Categorical | nw.Enum) else column


def _eras(era: Column, name: str) -> tuple[list[Hashable], list[Rows]]:
    if kind(era) not in {"text", "integer", "date", "datetime"}:
        raise checks.IdMismatchError(f"{name}, column {ERA!r} holds {era.dtype}; eras are integers, text or dates")
    plain = _plain(era)
    labels = plain.unique().sort().to_list()
    if kind(era) == "text":
        matches = [NUMBERED.fullmatch(label) for label in labels]
        numbers = [(match[1], int(match[2])) for match in matches if match]
        if len(numbers) == len(labels):
            labels = [label for _, label in sorted(zip(numbers, labels, strict=True))]
    codes = plain.replace_strict(labels, list(range(len(labels))), return_dtype=nw.Int64).to_numpy()
    return labels, [_as_slice(rows) for rows in era_rows(codes)[1]]


def _as_slice(rows: Rows) -> Rows:
    """Rows that ascend and follow each other as a slice, which frames and arrays give without a copy."""
    if isinstance(rows, slice) or rows[-1] - rows[0] != len(rows) - 1:
        return rows
    return slice(int(rows[0]), int(rows[-1]) + 1)


def _refuse_duplicates(table: Table) -> None:
    for rows in table.rows:
        ids = table.ids[rows]
        if ids.n_unique() < len(ids):
            later = ~ids.is_first_distinct().to_numpy()
            row = int(positions(rows)[np.argmax(later)])
            raise checks.DuplicateError(f"{table.name}: {table.place(row)} occurs more than once; keep one row of it")
