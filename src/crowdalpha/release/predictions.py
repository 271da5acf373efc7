"""The strict reader of prediction files, the same for the participant, the server and the verifier.

What a file must be
    CSV (comma, header, UTF-8) or Parquet, told apart by the first bytes, with the columns `id` and `prediction` in that
    order; every live id exactly once; a finite number for each; not all the same. Rows with other ids are dropped and
    counted. Anything else is refused with one message that names file, column and first bad row.

Where this differs from the field's reference (numerai-tools `submissions.py`)
    - Values may be any finite numbers, not only 0 to 1: only ranks matter.
    - A file is constant if all values are equal; the reference also refuses a standard deviation below about 1e-8,
      which says nothing about ranks.
    - `probability` is no name for the column, and the shares of ids that Signals and Crypto need are `min_overlap`.
    Repeated, missing and unknown ids, the order of the columns and NaNs are judged alike; like the reference, values
    are judged on rows with live ids only.
"""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.exceptions import PanicException, PolarsError

from crowdalpha.errors import InputError
from crowdalpha.release.errors import PredictionFileError
from crowdalpha.release.parquet_bounds import PARQUET_MAGIC, UnboundedParquetError, parquet_bounds

__all__ = ["ID_COLUMN", "MAX_BYTES", "MAX_ROWS", "PREDICTION_COLUMN", "Predictions", "read_predictions"]

ID_COLUMN = "id"
PREDICTION_COLUMN = "prediction"
MAX_BYTES = 16 * 1024 * 1024
MAX_ROWS = 100_000
# A page of ids and doubles compresses to a tenth at best; what expands more was made to.
MAX_EXPANDED_BYTES = 64 * 1024 * 1024
# 0.7 * 10 is above 7 in floating point, and 7 ids are enough.
ROUNDING = 1e-9
_SHOWN_CHARACTERS = 40
_SHOWN_COLUMNS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """A valid submission, aligned with the live ids.

    Parameters
    ----------
    ids : tuple of str
        The live ids, in their order.
    values : ndarray of shape (n_ids,), dtype=float64
        Finite; NaN for a live id without prediction, which only a `min_overlap` below 1 allows.
    dropped_unknown : int
        Rows whose id is not live.
    """

    ids: tuple[str, ...]
    values: NDArray[np.float64]
    dropped_unknown: int


@dataclass(frozen=True, slots=True)
class _Table:
    """A file as read: nothing judged but its form."""

    ids: pl.Series
    raw: pl.Series
    rows: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Limits:
    bytes: int
    rows: int


def read_predictions(
    content: bytes | Path,
    *,
    live_ids: Sequence[str],
    name: str = "predictions",
    min_overlap: float = 1.0,
    max_bytes: int = MAX_BYTES,
    max_rows: int = MAX_ROWS,
) -> Predictions:
    r"""Read a prediction file, or refuse it with one message.

    Parameters
    ----------
    content : bytes or Path
        The file, CSV or Parquet.
    live_ids : sequence of str
        Ids of the round, each once.
    name : str, default="predictions"
        What to call the file in messages; of a path its own name is used.
    min_overlap : float in (0, 1], default=1.0
        Share of the live ids that must be there.
    max_bytes, max_rows : int
        Limits of the file. A Parquet file may expand to 64 MiB.

    Returns
    -------
    Predictions
        One value a live id, in the order of `live_ids`.

    Raises
    ------
    PredictionFileError
        If the file breaks a rule; names file, column and first bad data row, counted from 1.
    InputError
        If `live_ids` is empty or repeats an id, or `min_overlap` is out of range.

    Notes
    -----
    NaN policy: refuse. Cost: O(rows); some milliseconds for 5,000 rows.

    Examples
    --------
    >>> read_predictions(b"id,prediction\nb,2\na,1\nz,9\n", live_ids=["a", "b"])
    Predictions(ids=('a', 'b'), values=array([1., 2.]), dropped_unknown=1)
    """
    if not live_ids or len(set(live_ids)) != len(live_ids):
        raise InputError("the live ids must be there, each once")
    if not 0.0 < min_overlap <= 1.0:
        raise InputError(f"min_overlap is {min_overlap}; it must be above 0 and at most 1")
    if isinstance(content, Path):
        name = content.name if name == "predictions" else name
        content = _read(content, name, max_bytes)
    table = _load(content, name, _Limits(bytes=max_bytes, rows=max_rows))
    known = _known_rows(table, live_ids, name)
    positions = _positions(table, known, live_ids, name, min_overlap)
    found = _numbers(table, known, name)
    if found.min() == found.max():
        raise PredictionFileError(
            name, "all values are the same, which ranks nothing", reason="values", column=PREDICTION_COLUMN
        )
    values = np.full(len(live_ids), np.nan)
    values[positions] = found
    return Predictions(ids=tuple(live_ids), values=values, dropped_unknown=len(table.ids) - len(known))


def _read(path: Path, name: str, max_bytes: int) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(max_bytes + 1)  # one more than allowed is enough to refuse it
    except OSError as error:
        raise PredictionFileError(name, f"cannot be read: {error.strerror}", reason="file") from error


def _load(content: bytes, name: str, limits: _Limits) -> _Table:
    if len(content) == 0:
        raise PredictionFileError(name, "is empty; it needs the columns id and prediction", reason="file")
    if len(content) > limits.bytes:
        raise PredictionFileError(
            name, f"has more than {limits.bytes} bytes; send the columns id and prediction alone", reason="file"
        )
    if content.startswith(PARQUET_MAGIC):
        return _load_parquet(content, name, limits)
    return _load_csv(content, name, limits)


def _load_csv(content: bytes, name: str, limits: _Limits) -> _Table:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PredictionFileError(name, "is neither Parquet nor UTF-8 text (CSV)", reason="file") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    ids: list[str | None] = []
    raw: list[str] = []
    rows: list[int] = []
    row = 0
    try:
        _check_columns(next(reader, []), name)
        for row, record in enumerate(reader, start=1):
            if not record:  # a blank line
                continue
            if len(rows) == limits.rows:
                raise _too_many_rows(name, limits)
            if len(record) != 2:  # noqa: PLR2004  # id and prediction
                raise PredictionFileError(name, f"has {len(record)} fields instead of 2", reason="file", row=row)
            ids.append(record[0] or None)
            raw.append(record[1])
            rows.append(row)
    except csv.Error as error:
        raise PredictionFileError(name, f"is not CSV ({error})", reason="file", row=row + 1) from error
    return _Table(
        ids=pl.Series(ids, dtype=pl.String),
        raw=pl.Series(raw, dtype=pl.String),
        rows=np.array(rows, dtype=np.int64),
    )


def _load_parquet(content: bytes, name: str, limits: _Limits) -> _Table:
    try:
        bounds = parquet_bounds(content)
        _check_columns(bounds.columns, name)
        if bounds.rows > limits.rows:
            raise _too_many_rows(name, limits)
        if bounds.expanded_bytes > MAX_EXPANDED_BYTES:
            raise PredictionFileError(
                name, f"expands to {bounds.expanded_bytes} bytes; at most {MAX_EXPANDED_BYTES} are read", reason="file"
            )
        _check_types(pl.read_parquet_schema(io.BytesIO(content)), name)
        frame = pl.read_parquet(io.BytesIO(content))
        ids = frame[ID_COLUMN].cast(pl.String)
    except UnboundedParquetError as error:
        raise PredictionFileError(name, f"this Parquet file cannot be read: {error}", reason="file") from error
    except (PolarsError, PanicException, OSError) as error:
        raise PredictionFileError(
            name, "this Parquet file cannot be read: it is cut off or damaged; write it again", reason="file"
        ) from error
    return _Table(ids=ids, raw=frame[PREDICTION_COLUMN], rows=np.arange(1, frame.height + 1, dtype=np.int64))


def _too_many_rows(name: str, limits: _Limits) -> PredictionFileError:
    return PredictionFileError(
        name, f"has more than {limits.rows} rows; send the ids of the live round alone", reason="file"
    )


def _check_columns(columns: Sequence[str], name: str) -> None:
    if list(columns) == [ID_COLUMN, PREDICTION_COLUMN]:
        return
    shown = ", ".join(_shown(column) for column in columns[:_SHOWN_COLUMNS])
    more = f" and {len(columns) - _SHOWN_COLUMNS} more" if len(columns) > _SHOWN_COLUMNS else ""
    raise PredictionFileError(
        name,
        f"the columns must be '{ID_COLUMN}' and '{PREDICTION_COLUMN}', in this order and no others; "
        f"found {shown or 'none'}{more}",
        reason="headers",
    )


def _check_types(schema: Mapping[str, pl.DataType], name: str) -> None:
    ids, values = schema[ID_COLUMN], schema[PREDICTION_COLUMN]
    if not (ids == pl.String or isinstance(ids, pl.Categorical | pl.Enum)):
        raise PredictionFileError(name, f"holds {ids}; ids are text", reason="ids", column=ID_COLUMN, row=1)
    if not (values.is_integer() or values.is_float()):
        raise PredictionFileError(
            name, f"holds {values}; write floating-point numbers", reason="values", column=PREDICTION_COLUMN, row=1
        )


def _known_rows(table: _Table, live_ids: Sequence[str], name: str) -> NDArray[np.intp]:
    if len(table.ids) == 0:
        raise PredictionFileError(name, f"has no rows; {len(live_ids)} ids are needed", reason="ids", column=ID_COLUMN)
    ids = table.ids.to_list()
    if not all(ids):
        at = next(row for row, found in enumerate(ids) if not found)
        raise PredictionFileError(name, "has no id", reason="ids", column=ID_COLUMN, row=int(table.rows[at]))
    live = set(live_ids)
    return np.array([row for row, found in enumerate(ids) if found in live], dtype=np.intp)


def _positions(
    table: _Table, known: NDArray[np.intp], live_ids: Sequence[str], name: str, min_overlap: float
) -> NDArray[np.intp]:
    """Where each known row stands among the live ids; refuses repeated and missing ids."""
    place = {live_id: index for index, live_id in enumerate(live_ids)}
    ids = table.ids.gather(known).to_list()
    positions = np.array([place[found] for found in ids], dtype=np.intp)
    first = np.zeros(len(ids), dtype=np.bool_)
    first[np.unique(positions, return_index=True)[1]] = True
    if not first.all():
        at = int(np.argmin(first))
        raise PredictionFileError(
            name,
            f"id '{_shown(ids[at])}' occurs a second time; give each id once",
            reason="ids",
            column=ID_COLUMN,
            row=int(table.rows[known[at]]),
        )
    needed = math.ceil(min_overlap * len(live_ids) - ROUNDING)
    if len(ids) < needed:
        present = set(ids)
        missing = next(live_id for live_id in live_ids if live_id not in present)
        raise PredictionFileError(
            name,
            f"has {len(ids)} of {len(live_ids)} live ids and needs {needed}; '{_shown(missing)}' is the first missing. "
            "Were the ids of this round used?",
            reason="ids",
            column=ID_COLUMN,
        )
    return positions


def _numbers(table: _Table, known: NDArray[np.intp], name: str) -> NDArray[np.float64]:
    if table.raw.dtype == pl.Float64:
        floats: NDArray[np.float64] = table.raw.to_numpy()[known]
        if np.isfinite(floats).all():
            return floats
    raw = table.raw.gather(known)
    if raw.dtype == pl.String:
        raw = raw.str.strip_chars()
    values = raw.cast(pl.Float64, strict=False)
    good = values.is_finite().fill_null(value=False)
    if good.all():
        return values.to_numpy()
    at = int((~good).arg_true()[0])
    found = raw[at]
    what = "no value" if found is None or found == "" else f"'{_shown(str(found))}', which is not a finite number"
    raise PredictionFileError(
        name, f"holds {what}", reason="values", column=PREDICTION_COLUMN, row=int(table.rows[known[at]])
    )


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"
