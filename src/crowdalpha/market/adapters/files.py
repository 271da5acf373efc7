"""Files in: Parquet and CSV as frames of cells as they stand, with as many rows of column names as there are."""

import csv
import io
from ast import literal_eval
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import polars as pl
from polars.exceptions import PolarsError

from crowdalpha.market.adapters.names import FIELD_NAMES, field_of
from crowdalpha.market.checks import PriceFileError

__all__ = ["Blob", "RawTable", "read_raw"]

PARQUET_MAGIC = b"PAR1"
PAIR = "('"
HEAD_BYTES = 1 << 20
HEAD_LINES = 3
LEVEL_NAMES = {"", "price", "ticker", "attributes", "symbols"}


@dataclass(frozen=True)
class Blob:
    """A file that is in memory, such as a member of an archive."""

    name: str
    content: bytes


@dataclass(frozen=True)
class RawTable:
    """Cells of one file.

    Parameters
    ----------
    name : str
        File name, for messages.
    cells : DataFrame
        Text where the file is CSV, typed where it is Parquet.
    pairs : mapping of str to (str, str), optional
        (field, ticker) of the columns, where the file names both; columns that have none are left out.
    """

    name: str
    cells: pl.DataFrame
    pairs: dict[str, tuple[str, str]] | None = None


def read_raw(source: Path | Blob, *, error: type[PriceFileError] = PriceFileError) -> RawTable:
    """Read the cells of a file.

    Parameters
    ----------
    source : Path or Blob
        Parquet, told by its first bytes, or CSV: commas, semicolons or tabs, UTF-8. Two rows of column names, as
        pandas writes them for a frame of several tickers, are understood, and so are such names in Parquet.
    error : type of PriceFileError, default=PriceFileError
        What to raise.

    Returns
    -------
    RawTable
        Rows as given.

    Raises
    ------
    PriceFileError
        If the file cannot be read.

    Notes
    -----
    NaN policy: propagate. Cost: O(cells).
    """
    try:
        with _opened(source) as file:
            head = file.read(HEAD_BYTES)
        if head.startswith(PARQUET_MAGIC):
            return _read_parquet(source)
        return _read_csv(source, head)
    except OSError as cause:
        raise error(str(source), f"cannot be opened ({cause.strerror or cause})") from cause
    except (PolarsError, csv.Error, UnicodeDecodeError) as cause:
        first_line = str(cause).splitlines()[0] if str(cause) else type(cause).__name__
        raise error(source.name, f"is neither Parquet nor CSV that can be read ({first_line})") from cause


def _opened(source: Path | Blob) -> BinaryIO:
    return io.BytesIO(source.content) if isinstance(source, Blob) else source.open("rb")


def _read_parquet(source: Path | Blob) -> RawTable:
    with _opened(source) as file:
        columns = _wanted(list(pl.read_parquet_schema(file)))
    content = io.BytesIO(source.content) if isinstance(source, Blob) else source
    cells = pl.read_parquet(content, glob=False, columns=columns)
    named = {column: _pair_of(column) for column in cells.columns}
    two_names = {column: pair for column, pair in named.items() if pair is not None}
    return RawTable(source.name, cells, _fields_first(two_names) if two_names else None)


def _wanted(columns: list[str]) -> list[str] | None:
    """Choose the columns to read of long rows, which may have many others; None for all of any other file."""
    known = [column for column in columns if field_of(column) is not None]
    is_long = {"date", "ticker", "close"} <= {field_of(column) for column in known}
    return known if is_long else None


def _pair_of(column: str) -> tuple[str, str] | None:
    """Take apart a column that pandas has named by a pair."""
    if not column.startswith(PAIR):
        return None
    try:
        pair = literal_eval(column)
    except (ValueError, SyntaxError):
        return None
    is_pair = isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(part, str) for part in pair)  # noqa: PLR2004 - a pair
    return pair if is_pair else None


def _read_csv(source: Path | Blob, head: bytes) -> RawTable:
    lines = head.decode("utf-8-sig", errors="ignore").splitlines()[:HEAD_LINES]
    first = lines[0] if lines else ""
    separator = next((mark for mark in (",", ";", "\t") if mark in first), ",")
    rows = list(csv.reader(lines, delimiter=separator))
    content = source.content if isinstance(source, Blob) else source
    # every cell as text first: inference would guess types from the first rows and fail far from the bad one
    if not _has_two_rows_of_names(rows):
        columns = _wanted(rows[0] if rows else [])
        cells = pl.read_csv(content, separator=separator, infer_schema=False, glob=False, columns=columns)
        return RawTable(source.name, cells)
    upper, lower = rows[0][1:], rows[1][1:]
    names = [f"{field} {ticker}" for field, ticker in zip(upper, lower, strict=True)]
    has_index_name = len(rows) == HEAD_LINES and not any(cell.strip() for cell in rows[2][1:])
    cells = pl.read_csv(
        content,
        separator=separator,
        has_header=False,
        skip_rows=3 if has_index_name else 2,
        schema=dict.fromkeys(["date", *names], pl.String),
        glob=False,
    )
    pairs = dict(zip(names, zip(upper, lower, strict=True), strict=True))
    return RawTable(source.name, cells, _fields_first(pairs))


def _has_two_rows_of_names(rows: list[list[str]]) -> bool:
    """Tell whether the first two rows begin with names of levels, and one holds nothing but fields after that."""
    if len(rows) < 2 or len(rows[0]) != len(rows[1]) or len(rows[0]) < 2:  # noqa: PLR2004 - two rows of two cells
        return False
    corners = {row[0].strip().lower() for row in rows[:2]}
    return corners <= LEVEL_NAMES and any(all(field_of(cell, FIELD_NAMES) for cell in row[1:]) for row in rows[:2])


def _fields_first(pairs: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """Put the field first in each pair: frames may be grouped by ticker."""
    if all(field_of(first, FIELD_NAMES) for first, _ in pairs.values()):
        return pairs
    return {column: (field, ticker) for column, (ticker, field) in pairs.items()}
