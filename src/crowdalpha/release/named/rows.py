"""The rows of a named submission as they stand in its file: nothing judged but the form."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from polars.exceptions import PanicException, PolarsError

from crowdalpha.release.errors import PredictionFileError
from crowdalpha.release.parquet_bounds import PARQUET_MAGIC, UnboundedParquetError, parquet_bounds
from crowdalpha.release.predictions import MAX_BYTES, MAX_EXPANDED_BYTES, MAX_ROWS

__all__ = ["DATE_COLUMNS", "PART_COLUMN", "VALUE_COLUMNS", "SubmittedRows", "load_rows"]

VALUE_COLUMNS = ("signal", "prediction")
DATE_COLUMNS = ("date", "friday_date")
PART_COLUMN = "data_type"
_SHOWN_COLUMNS = 8
_SHOWN_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class SubmittedRows:
    """A file as read.

    Parameters
    ----------
    id_column, value_column : str
        Names of the two columns that count.
    frame : DataFrame
        `row` (counted from 1), `name` (text), `value` (as in the file) and `part` (the `data_type`, null if none).
    """

    id_column: str
    value_column: str
    frame: pl.DataFrame


@dataclass(frozen=True, slots=True)
class _Header:
    """Where the columns that count are."""

    width: int
    name: int
    value: int
    part: int | None


def load_rows(content: bytes | Path, *, id_columns: Sequence[str], name: str) -> SubmittedRows:
    """Read the file of a named submission, CSV or Parquet, told apart by its first bytes.

    Parameters
    ----------
    content : bytes or Path
        The file.
    id_columns : sequence of str
        Names that the id column may have.
    name : str
        What to call the file in messages.

    Returns
    -------
    SubmittedRows
        In the order of the file.

    Raises
    ------
    PredictionFileError
        If it is no such file, too large, or its columns are not an id and a value, beside a date and a `data_type`.

    Notes
    -----
    NaN policy: propagate; values are judged later. Cost: O(rows).
    """
    if isinstance(content, Path):
        try:
            with content.open("rb") as stream:
                content = stream.read(MAX_BYTES + 1)  # one more than allowed is enough to refuse it
        except OSError as error:
            raise PredictionFileError(name, f"cannot be read: {error.strerror}", reason="file") from error
    if len(content) == 0:
        raise PredictionFileError(name, "is empty; it needs an id and a value column", reason="file")
    if len(content) > MAX_BYTES:
        raise PredictionFileError(name, f"has more than {MAX_BYTES} bytes; send ids and values alone", reason="file")
    columns, frame = (_parquet if content.startswith(PARQUET_MAGIC) else _csv)(content, id_columns, name)
    rows = SubmittedRows(columns[0], columns[1], frame)
    empty = frame["name"].is_null() | (frame["name"].str.strip_chars() == "").fill_null(value=False)
    if empty.any():
        row = int(frame["row"].filter(empty)[0])
        raise PredictionFileError(name, "has no id; give each row one", reason="ids", column=rows.id_column, row=row)
    return rows


def _header(columns: Sequence[str], id_columns: Sequence[str], name: str) -> _Header:
    """Find the id and the value: two columns, id first, beside a `data_type` and one date, which are dropped."""
    dates = [column for column in columns if column in DATE_COLUMNS]
    counting = [column for column in columns if column != PART_COLUMN and column not in dates[:1]]
    fits = len(counting) == 2 and counting[0] in id_columns and counting[1] in VALUE_COLUMNS  # noqa: PLR2004  # id, value
    if not fits or len(set(columns)) != len(columns):
        shown = ", ".join(repr(_shown(column)) for column in columns[:_SHOWN_COLUMNS])
        more = f" and {len(columns) - _SHOWN_COLUMNS} more" if len(columns) > _SHOWN_COLUMNS else ""
        index = "; write the file without the index of the frame" if columns and columns[0] == "" else ""
        raise PredictionFileError(
            name,
            f"headers must be one of {', '.join(id_columns)} and then one of {', '.join(VALUE_COLUMNS)}; "
            f"found {shown or 'none'}{more}{index}",
            reason="headers",
        )
    part = columns.index(PART_COLUMN) if PART_COLUMN in columns else None
    return _Header(len(columns), columns.index(counting[0]), columns.index(counting[1]), part)


def _csv(content: bytes, id_columns: Sequence[str], name: str) -> tuple[tuple[str, str], pl.DataFrame]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PredictionFileError(name, "is neither Parquet nor UTF-8 text (CSV)", reason="file") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    found: list[tuple[int, str, str, str | None]] = []
    row = 0
    try:
        columns = next(reader, [])
        header = _header(columns, id_columns, name)
        for row, record in enumerate(reader, start=1):
            if not record:  # a blank line
                continue
            if len(found) == MAX_ROWS:
                raise _too_many_rows(name)
            if len(record) != header.width:
                problem = f"has {len(record)} fields instead of {header.width}"
                raise PredictionFileError(name, problem, reason="file", row=row)
            part = None if header.part is None else record[header.part] or None
            found.append((row, record[header.name], record[header.value].strip(), part))
    except csv.Error as error:
        raise PredictionFileError(name, f"is not CSV ({error})", reason="file", row=row + 1) from error
    schema = {"row": pl.Int64, "name": pl.String, "value": pl.String, "part": pl.String}
    return (columns[header.name], columns[header.value]), pl.DataFrame(found, schema=schema, orient="row")


def _parquet(content: bytes, id_columns: Sequence[str], name: str) -> tuple[tuple[str, str], pl.DataFrame]:
    try:
        bounds = parquet_bounds(content)
        header = _header(bounds.columns, id_columns, name)
        if bounds.rows > MAX_ROWS:
            raise _too_many_rows(name)
        if bounds.expanded_bytes > MAX_EXPANDED_BYTES:
            raise PredictionFileError(
                name, f"expands to {bounds.expanded_bytes} bytes; at most {MAX_EXPANDED_BYTES} are read", reason="file"
            )
        wanted = [bounds.columns[header.name], bounds.columns[header.value]]
        part = [] if header.part is None else [PART_COLUMN]
        frame = pl.read_parquet(io.BytesIO(content), columns=[*wanted, *part])
        _check_types(frame, wanted, name)
        texts = [pl.col(wanted[0]).cast(pl.String).alias("name"), pl.col(wanted[1]).alias("value")]
        parts = pl.col(PART_COLUMN).cast(pl.String) if part else pl.lit(None, dtype=pl.String)
        rows = frame.select(*texts, parts.alias("part")).with_row_index("row", offset=1)
    except UnboundedParquetError as error:
        raise PredictionFileError(name, f"this Parquet file cannot be read: {error}", reason="file") from error
    except (PolarsError, PanicException, OSError) as error:
        raise PredictionFileError(
            name, "this Parquet file cannot be read: it is cut off or damaged; write it again", reason="file"
        ) from error
    return (wanted[0], wanted[1]), rows


def _check_types(frame: pl.DataFrame, wanted: Sequence[str], name: str) -> None:
    ids, values = frame.schema[wanted[0]], frame.schema[wanted[1]]
    if not (ids == pl.String or isinstance(ids, pl.Categorical | pl.Enum)):
        raise PredictionFileError(name, f"holds {ids}; ids are text", reason="ids", column=wanted[0], row=1)
    if not (values.is_integer() or values.is_float()):
        problem = f"holds {values}; write floating-point numbers"
        raise PredictionFileError(name, problem, reason="values", column=wanted[1], row=1)


def _too_many_rows(name: str) -> PredictionFileError:
    return PredictionFileError(name, f"has more than {MAX_ROWS} rows; send the live round alone", reason="file")


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"
