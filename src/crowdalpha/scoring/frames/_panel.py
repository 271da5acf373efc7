"""Predictions of many models and eras as one matrix, and results as frames of the same kind."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import narwhals as nw
import numpy as np
from narwhals.typing import IntoDataFrame, IntoDataFrameT

from crowdalpha.scoring import checks
from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.frames._sides import ColumnOrFrame, ColumnsOrFrame
from crowdalpha.scoring.frames._tables import ERA, ID, Frame, Rows, Table, positions, read


@dataclass(frozen=True, eq=False)
class Panel:
    """Predictions of all eras: `values` has one model a column, NaN where it has no prediction."""

    table: Table
    models: list[str]
    values: FloatArray

    @classmethod
    def of(
        cls,
        predictions: IntoDataFrame,
        models: str | Sequence[str] | None,
        *sides: ColumnOrFrame | ColumnsOrFrame | None,
        sort: bool = False,
    ) -> "Panel":
        """Read predictions; by default each column is a model that is no key and not named as a side.

        Sorted by id where scores break ties by the order of the ids.
        """
        table = read(predictions, "predictions")
        if models is None:
            taken = {name for side in sides for name in _names(side)}
            chosen = [name for name in table.columns if name not in taken]
        else:
            chosen = [models] if isinstance(models, str) else list(models)
        if not chosen:
            raise checks.ShapeError("predictions has no column of values beside the keys and the other sides")
        if len(set(chosen)) < len(chosen):
            raise checks.ShapeError(f"models has a name twice: {', '.join(chosen)}")
        values = table.numbers(chosen)
        return cls(replace(table, rows=_by_id(table)) if sort else table, chosen, values)

    @property
    def n_eras(self) -> int:
        """Number of eras."""
        return len(self.table.rows)

    def refuse_infinite(self) -> "Panel":
        """Refuse infinite predictions, where their values count and not their ranks alone."""
        self.table.refuse_infinite(self.values, self.models)
        return self

    def frame(self, scores: FloatArray, *, like: IntoDataFrameT) -> IntoDataFrameT:
        """Write scores of shape (n_eras, n_models): `era` and one column a model."""
        return same_kind(labelled(self.table, self.columns(scores)), like)

    def columns(self, values: FloatArray) -> Frame:
        """Write values of shape (n, n_models): one column a model."""
        return nw.from_numpy(values, self.models, backend=self.table.frame.implementation)

    def replaced(self, values: FloatArray, *, like: IntoDataFrameT) -> IntoDataFrameT:
        """Write values of shape (n_rows, n_models) in the place of the predictions."""
        columns = self.columns(values)
        return same_kind(self.table.frame.with_columns(*(columns[name] for name in self.models)), like)


def same_kind(frame: Frame, like: IntoDataFrameT) -> IntoDataFrameT:
    """Give a frame as the kind that came in: of pandas, of polars, or of narwhals itself."""
    return cast("IntoDataFrameT", frame if isinstance(like, nw.DataFrame) else frame.to_native())


def labelled(table: Table, frame: Frame, repeats: int = 1) -> Frame:
    """Put the eras of a table, each repeated, before other columns; nothing where it has no era column."""
    if table.era is None:
        return frame
    firsts = np.array([positions(rows)[0] for rows in table.rows])
    era = nw.maybe_reset_index(table.era[firsts.repeat(repeats)]).alias(ERA)
    return frame.with_columns(era).select(ERA, *frame.columns)


def _names(side: ColumnOrFrame | ColumnsOrFrame | None) -> Sequence[str]:
    if isinstance(side, str):
        return [side]
    return side if isinstance(side, Sequence) else []


def _by_id(table: Table) -> list[Rows]:
    return [rows if table.ids[rows].is_sorted() else _sorted(table, positions(rows)) for rows in table.rows]


def _sorted(table: Table, rows: Rows) -> Rows:
    frame = nw.maybe_reset_index(table.ids[rows].alias(ID).to_frame()).with_row_index("row")
    return positions(rows)[frame.sort(ID)["row"].to_numpy()]
