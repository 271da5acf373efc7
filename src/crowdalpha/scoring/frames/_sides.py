"""What predictions are scored against, matched to them on (`era`, `id`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import narwhals as nw
import numpy as np
from narwhals.typing import IntoDataFrame

from crowdalpha.scoring import checks
from crowdalpha.scoring.arrays import BoolArray, FloatArray, IndexArray, IntegerArray
from crowdalpha.scoring.frames._tables import ID, Column, Rows, Table, kind, positions, read, refuse_other_than_numbers

ColumnOrFrame: TypeAlias = str | IntoDataFrame
ColumnsOrFrame: TypeAlias = Sequence[str] | IntoDataFrame


@dataclass(frozen=True, eq=False)
class Link:
    """Where the predicted rows of each era are in another frame (-1 where nowhere), and all rows it has of that era."""

    table: Table
    rows: list[Rows]
    own: list[Rows]

    @classmethod
    def of(cls, left: Table, right: Table) -> "Link":
        """Match two frames era by era; without a join where ids are the same in the same order."""
        if right is left:
            return cls(right, left.rows, left.rows)
        _refuse_different_kinds(left, right)
        own = [right.rows_of.get(label, slice(0, 0)) for label in left.labels]
        rows = [matched(left.ids[mine], right.ids[theirs], theirs) for mine, theirs in zip(left.rows, own, strict=True)]
        if not any((positions(found) >= 0).any() for found in rows):
            raise checks.OverlapError(f"{left.name} and {right.name} have no row in common; check era and id")
        return cls(right, rows, own)

    def total(self, era: int) -> int:
        """Rows that the other frame has of an era."""
        return len(positions(self.own[era]))

    def first_unmatched(self, era: int, kept: BoolArray) -> int:
        """First row of the other frame that is not among the kept ones."""
        own = positions(self.own[era])
        return int(own[~np.isin(own, positions(self.rows[era])[kept])][0])


class Side(Protocol):
    """A side as the loop over eras sees it."""

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def link(self) -> Link:
        """Where its rows are."""

    def of(self, era: int) -> FloatArray | IntegerArray:
        """Values for the predicted rows of an era."""

    def present(self, era: int) -> BoolArray:
        """Tell for which predicted rows it has a value."""

    def has(self, era: int) -> bool:
        """Tell whether it has any value for an era, of predicted rows or others."""


@dataclass(frozen=True, eq=False)
class Values:
    """One column of numbers: a target, a meta model, weights."""

    name: str
    link: Link
    values: FloatArray

    @classmethod
    def read(cls, predictions: Table, side: ColumnOrFrame, argument: str, *, finite: bool = True) -> "Values":
        """Take a column of the predictions' own frame, or of another: its only one, or that called as the argument."""
        if isinstance(side, str):
            return cls._of_table(predictions, predictions, side, finite=finite)
        table = read(side, argument)
        if len(table.columns) != 1 and argument not in table.columns:
            raise checks.ShapeError(
                f"{argument} has {len(table.columns)} columns beside the keys; give one, or call one {argument!r}"
            )
        column = argument if argument in table.columns else table.columns[0]
        return cls._of_table(predictions, table, column, finite=finite)

    @classmethod
    def target(cls, predictions: Table, truth: IntoDataFrame | None, column: str) -> "Values":
        """Take the target from another frame, or from the predictions' own if there is none."""
        return cls._of_table(predictions, predictions if truth is None else read(truth, "truth"), column, finite=True)

    @classmethod
    def _of_table(cls, predictions: Table, table: Table, column: str, *, finite: bool) -> "Values":
        values = table.numbers([column])
        if finite:
            table.refuse_infinite(values, [column])
        return cls(column, Link.of(predictions, table), values[:, 0])

    def of(self, era: int) -> FloatArray:
        """Values for the predicted rows of an era, NaN where there is none."""
        rows = self.link.rows[era]
        return self.values[rows] if isinstance(rows, slice) else np.where(rows < 0, np.nan, self.values[rows])

    def present(self, era: int) -> BoolArray:
        """Tell for which predicted rows there is a value."""
        return ~np.isnan(self.of(era))

    def has(self, era: int) -> bool:
        """Tell whether there is any value for an era."""
        return not np.isnan(self.values[self.link.own[era]]).all()

    def mean(self, era: int) -> float:
        """Mean over every id of the era that has a value, predicted or not."""
        values = self.values[self.link.own[era]]
        return float(values[~np.isnan(values)].mean())


@dataclass(frozen=True, eq=False)
class Matrix:
    """Many columns of numbers, complete where they are used: features, neutralizers. Read one era at a time."""

    name: str
    link: Link
    columns: list[str]

    @classmethod
    def read(
        cls, predictions: Table, side: ColumnsOrFrame, argument: str, columns: Sequence[str] | None = None
    ) -> "Matrix":
        """Take columns of the predictions' own frame, or of another: all that are no keys if none are named."""
        table = predictions if isinstance(side, Sequence) else read(side, argument)
        named = ([side] if isinstance(side, str) else side) if isinstance(side, Sequence) else columns
        chosen = table.columns if named is None else list(named)
        if not chosen:
            raise checks.ShapeError(f"{argument} has no columns; name one at least")
        refuse_other_than_numbers(table.frame, chosen, table.name)
        return cls(argument, Link.of(predictions, table), chosen)

    def of(self, era: int) -> FloatArray | IntegerArray:
        """Values for the predicted rows of an era; rows that are nowhere repeat another."""
        rows = self.link.rows[era]
        found = rows if isinstance(rows, slice) else rows[rows >= 0]
        matrix: FloatArray | IntegerArray = self.link.table.frame[found, self.columns].to_numpy()
        if matrix.dtype != np.int8:
            matrix = matrix.astype(np.float64, copy=False)
            self._refuse_gaps(matrix, positions(found))
        return (
            matrix if isinstance(rows, slice) or (rows >= 0).all() else matrix[np.maximum(np.cumsum(rows >= 0) - 1, 0)]
        )

    def present(self, era: int) -> BoolArray:
        """Tell which predicted rows there are."""
        present: BoolArray = positions(self.link.rows[era]) >= 0
        return present

    def has(self, era: int) -> bool:
        """Tell whether there is a row of an era."""
        return self.link.total(era) > 0

    def _refuse_gaps(self, matrix: FloatArray, rows: IndexArray) -> None:
        bad = ~np.isfinite(matrix)
        if bad.any():
            row, column = np.unravel_index(int(np.argmax(bad)), bad.shape)
            where = self.link.table.place(int(rows[row]))
            raise checks.NonFiniteError(
                f"{self.name}, column {self.columns[int(column)]!r}: {where} is not finite; fill it first"
            )


def matched(left: Column, right: Column, right_rows: Rows) -> Rows:
    """Find for each id on the left the row of the same id on the right, -1 where it is not there."""
    if len(left) == len(right) and (left == right).all():
        return right_rows
    ours = left.alias(ID).to_frame().with_row_index("left")
    theirs = right.alias(ID).to_frame().with_row_index("right")
    pairs = nw.maybe_reset_index(ours).join(nw.maybe_reset_index(theirs), on=ID, how="inner")
    rows = np.full(len(left), -1)
    rows[pairs["left"].to_numpy()] = positions(right_rows)[pairs["right"].to_numpy()]
    return rows


def too_few(name: str, what: str, kept: int, total: int, first: str, least: float) -> checks.OverlapError:
    """Say which side keeps too few rows, by the first that it loses."""
    return checks.OverlapError(
        f"{name}: only {kept} of {total} rows have {what}, at least {least:.0%} must; the first without is {first}"
    )


def _refuse_different_kinds(left: Table, right: Table) -> None:
    kinds = left.frame.implementation, right.frame.implementation
    if kinds[0] != kinds[1]:
        raise checks.ShapeError(f"{left.name} and {right.name} are frames of two libraries; convert one")
    if (left.era is None) != (right.era is None):
        with_era, without = (left, right) if right.era is None else (right, left)
        raise checks.IdMismatchError(
            f"{with_era.name} has a column 'era' and {without.name} has none; give both, or neither for one era"
        )
    for key, mine, theirs in (("era", left.era, right.era), ("id", left.ids, right.ids)):
        if mine is not None and theirs is not None and kind(mine) != kind(theirs):
            raise checks.IdMismatchError(
                f"column {key!r} holds {mine.dtype} in {left.name} and {theirs.dtype} in {right.name}; cast one"
            )
