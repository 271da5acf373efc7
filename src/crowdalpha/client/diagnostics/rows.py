"""Rows of a published split as arrays, and predictions put onto them: aligned once, for all eras."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crowdalpha.client.dataset import MISSING_VALUE
from crowdalpha.client.errors import DataRequestError
from crowdalpha.release.errors import PredictionFileError

__all__ = ["SplitRows", "ValueTable", "place"]

FloatArray = NDArray[np.float64]

# Below this share of known targets the scorer refuses an era (`crowdalpha.scoring.align`).
LEAST_KNOWN = 0.8
_ROW, _PLACE, _HASH = "row", "place", "hash"


@dataclass(frozen=True, slots=True, eq=False)
class SplitRows:
    """Rows of a split, in the order of the file.

    Parameters
    ----------
    ids : Series of str, length n_rows
        One id a row.
    eras : tuple of str
        Labels, ascending.
    codes : ndarray of shape (n_rows,), dtype=int64
        Position of each row's era in `eras`.
    target : ndarray of shape (n_rows,), dtype=float64
        NaN where it is not known.
    features : ndarray of shape (n_rows, n_features), dtype=int8 or float64, or None
        Missing ones filled.
    feature_names : tuple of str
        Their names.
    """

    ids: pl.Series
    eras: tuple[str, ...]
    codes: NDArray[np.int64]
    target: FloatArray
    features: NDArray[np.int8] | FloatArray | None
    feature_names: tuple[str, ...]

    @classmethod
    def of(cls, frame: pl.DataFrame, *, target: str, features: Sequence[str]) -> Self:
        """Take the rows out of a frame with `id`, `era`, the target and the features.

        Raises
        ------
        DataRequestError
            If there are no rows.
        """
        if frame.height == 0:
            raise DataRequestError("the split has no rows; download the data set again")
        eras, codes = _era_codes(frame["era"])
        return cls(
            ids=frame["id"],
            eras=eras,
            codes=codes,
            target=frame[target].cast(pl.Float64).fill_null(np.nan).to_numpy(),
            features=_feature_array(frame, features) if features else None,
            feature_names=tuple(features),
        )

    def counts(self, of: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Count the marked rows of each era."""
        return np.bincount(self.codes[of], minlength=len(self.eras))

    def scorable(self, values: FloatArray) -> NDArray[np.bool_]:
        """Mark the eras that have a value in any row, and a target in enough."""
        everywhere = np.bincount(self.codes, minlength=len(self.eras))
        known = self.counts(~np.isnan(self.target))
        scorable: NDArray[np.bool_] = (self.counts(~np.isnan(values)) > 0) & (known >= LEAST_KNOWN * everywhere)
        return scorable

    def refuse_gaps(self, values: FloatArray, *, name: str) -> None:
        """Refuse a column that leaves out rows.

        Raises
        ------
        PredictionFileError
            Naming the first row without a value, and how many there are in its era.
        """
        gaps = np.isnan(values)
        if gaps.any():
            row = int(np.argmax(gaps))
            in_era = self.codes == self.codes[row]
            raise PredictionFileError(
                name,
                f"era {self.eras[self.codes[row]]}, id '{self.ids[row]}' has no value, as {int((gaps & in_era).sum())} "
                f"of its {int(in_era.sum())} rows; predict every row of an era, or none",
                reason="ids",
            )

    def keep(self, chosen: NDArray[np.bool_], *columns: FloatArray) -> tuple[Self, tuple[FloatArray, ...]]:
        """Keep the rows of the chosen eras, here and in columns beside."""
        if chosen.all():
            return self, columns
        rows = chosen[self.codes]
        kept = replace(
            self,
            ids=self.ids.filter(pl.Series(rows)),
            eras=tuple(era for era, keep in zip(self.eras, chosen, strict=True) if keep),
            codes=(np.cumsum(chosen) - 1)[self.codes[rows]],
            target=self.target[rows],
            features=None if self.features is None else _kept_rows(self.features, rows),
        )
        return kept, tuple(column[rows] for column in columns)


@dataclass(frozen=True, slots=True, eq=False)
class ValueTable:
    """One value an id, as somebody handed them in.

    Parameters
    ----------
    name : str
        What its owner calls it, for messages.
    column : str
        What its owner calls the values.
    ids, eras : Series of str
        Of each row; `eras` may be None where ids are enough.
    values : ndarray of shape (n_rows,), dtype=float64
        Finite.
    """

    name: str
    column: str
    ids: pl.Series
    eras: pl.Series | None
    values: FloatArray

    @classmethod
    def of(cls, frame: pl.DataFrame, *, name: str, column: str) -> Self:
        """Take `id`, `era` if it is there, and the values out of a frame.

        Raises
        ------
        PredictionFileError
            If there are no rows, an id is missing, or a value is no finite number; names the first bad row.
        """
        if frame.height == 0:
            raise PredictionFileError(name, f"has no rows; it needs 'id' and '{column}', one row an id", reason="file")
        ids = frame["id"]
        if not (ids.dtype == pl.String or isinstance(ids.dtype, pl.Categorical | pl.Enum)):
            raise PredictionFileError(name, f"holds {ids.dtype}; ids are text", reason="ids", column="id", row=1)
        ids = ids.cast(pl.String)
        empty = ids.is_null() | (ids == "")
        if empty.any():
            raise PredictionFileError(
                name, "has no id; give each row its id", reason="ids", column="id", row=_first_row(empty)
            )
        eras = frame["era"].cast(pl.String) if "era" in frame.columns else None
        return cls(name=name, column=column, ids=ids, eras=eras, values=_finite(frame[column], name, ids))

    @property
    def keys(self) -> pl.DataFrame:
        """`id`, and `era` if it is known."""
        return pl.DataFrame({"id": self.ids} if self.eras is None else {"id": self.ids, "era": self.eras})


def place(table: ValueTable, rows: SplitRows, *, source: str, others: bool = False) -> FloatArray:
    """Put values onto the rows of a split.

    Parameters
    ----------
    table : ValueTable
        The values.
    rows : SplitRows
        Where they belong.
    source : str
        What to call the split in messages.
    others : bool, default=False
        Whether rows that are not of the split may be there.

    Returns
    -------
    ndarray of shape (n_rows,), dtype=float64
        NaN for a row that was given no value.

    Raises
    ------
    PredictionFileError
        If a row is given twice, or is not of the split and `others` is not allowed.

    Notes
    -----
    Cost: one comparison where the rows are those of the split in the same order, one join on hashes of the keys else.
    """
    keys = _keys(rows, with_era=table.eras is not None)
    if keys.height == len(table.ids) and all((table.keys[name] == keys[name]).all() for name in keys.columns):
        return table.values
    places = _places(table.keys, keys)
    if places is None:
        places = _exact_places(table, keys, source)
    unknown = places < 0
    if unknown.any() and not others:
        row = int(np.argmax(unknown))
        raise PredictionFileError(
            table.name,
            f"id '{table.ids[row]}' is not in {source}; predict its rows, with its ids"
            + (", or leave out the column era" if table.eras is not None else ""),
            reason="ids",
            column="id",
            row=row + 1,
        )
    known = np.flatnonzero(~unknown)
    _refuse_repeats(table, places[known], known, len(rows.ids))
    values = np.full(len(rows.ids), np.nan)
    values[places[known]] = table.values[known]
    return values


def _keys(rows: SplitRows, *, with_era: bool) -> pl.DataFrame:
    if not with_era:
        return pl.DataFrame({"id": rows.ids})
    return pl.DataFrame({"id": rows.ids, "era": pl.Series(rows.eras).gather(rows.codes)})


def _places(mine: pl.DataFrame, known: pl.DataFrame) -> NDArray[np.int64] | None:
    """Find rows by the hashes of their keys; None if two keys share a hash, which only the exact way can part."""
    hashes = (pl.DataFrame({_HASH: frame.hash_rows()}) for frame in (mine, known))
    left, right = hashes
    found = left.join(right.with_row_index(_PLACE), on=_HASH, how="left", maintain_order="left")
    if found.height != mine.height:
        return None
    places = found[_PLACE].cast(pl.Int64).fill_null(-1).to_numpy()
    rows = np.flatnonzero(places >= 0)
    same = all((mine[name].gather(rows) == known[name].gather(places[rows])).all() for name in mine.columns)
    return places if same else None


def _exact_places(table: ValueTable, known: pl.DataFrame, source: str) -> NDArray[np.int64]:
    mine = table.keys.with_row_index(_ROW)
    found = mine.join(known.with_row_index(_PLACE), on=known.columns, how="left", maintain_order="left")
    if found.height != mine.height:
        repeated = found.filter(pl.col(_ROW).is_duplicated())["id"][0]
        raise PredictionFileError(
            table.name, f"id '{repeated}' is in more than one era of {source}; add a column era", reason="ids"
        )
    return found[_PLACE].cast(pl.Int64).fill_null(-1).to_numpy()


def _refuse_repeats(table: ValueTable, places: NDArray[np.int64], known: NDArray[np.int64], n_rows: int) -> None:
    if np.bincount(places, minlength=n_rows).max(initial=0) <= 1:
        return
    first = np.zeros(len(places), dtype=np.bool_)
    first[np.unique(places, return_index=True)[1]] = True
    row = int(known[np.argmin(first)])
    raise PredictionFileError(
        table.name,
        f"id '{table.ids[row]}' occurs a second time; give each row once",
        reason="ids",
        column="id",
        row=row + 1,
    )


def _finite(values: pl.Series, name: str, ids: pl.Series) -> FloatArray:
    if values.dtype == pl.String:
        numbers = values.str.strip_chars().cast(pl.Float64, strict=False)
    elif values.dtype.is_numeric():
        numbers = values.cast(pl.Float64)
    else:
        raise PredictionFileError(
            name, f"holds {values.dtype}; write floating-point numbers", reason="values", column=values.name, row=1
        )
    found = numbers.fill_null(np.nan).to_numpy()
    good = np.isfinite(found)
    if not good.all():
        row = int(np.argmin(good))
        shown = (
            "no value" if values[row] is None or values[row] == "" else f"'{values[row]}', which is no finite number"
        )
        raise PredictionFileError(
            name,
            f"id '{ids[row]}' has {shown}; give each row a finite number",
            reason="values",
            column=values.name,
            row=row + 1,
        )
    return found


def _era_codes(labels: pl.Series) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Give eras their numbers in ascending order, by runs of rows, since rows of an era mostly stand together."""
    runs = labels.cast(pl.String).rle().struct.unnest()
    of_run = runs["value"]
    eras = of_run.unique().sort()
    position = of_run.replace_strict(eras, pl.Series(range(len(eras)), dtype=pl.Int64), return_dtype=pl.Int64)
    return tuple(eras), np.repeat(position.to_numpy(), runs["len"].to_numpy())


def _feature_array(frame: pl.DataFrame, names: Sequence[str]) -> NDArray[np.int8] | FloatArray:
    """One feature after the other in memory: bytes where all are bytes, doubles else."""
    small = all(frame.schema[name] == pl.Int8 for name in names)
    kind, fill = (pl.Int8, int(MISSING_VALUE)) if small else (pl.Float64, MISSING_VALUE)
    out = np.empty((len(names), frame.height), dtype=np.int8 if small else np.float64)
    for row, name in zip(out, names, strict=True):
        column = frame[name].cast(kind)
        row[:] = (column.fill_nan(None) if column.dtype.is_float() else column).fill_null(fill).to_numpy()
    return out.T


def _kept_rows(features: NDArray[np.int8] | FloatArray, rows: NDArray[np.bool_]) -> NDArray[np.int8] | FloatArray:
    """Keep rows, and one feature after the other in memory."""
    kept: NDArray[np.int8] | FloatArray = features.T[:, rows].T
    return kept


def _first_row(bad: pl.Series) -> int:
    return int(bad.arg_true()[0]) + 1
