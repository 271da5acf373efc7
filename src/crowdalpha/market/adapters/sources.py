"""One or several sources of prices as one table of long rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import polars as pl

from crowdalpha.market.adapters.files import Blob, RawTable, read_raw
from crowdalpha.market.adapters.folders import files_in, is_archive
from crowdalpha.market.adapters.shapes import long_rows
from crowdalpha.market.checks import PriceFileError, name_of

__all__ = ["LoadedRows", "PriceSource", "load_rows", "source_of"]

COUNTRY_CHARACTERS = 2
CURRENCY_CHARACTERS = 3


@dataclass(frozen=True)
class PriceSource:
    """Prices of one market.

    Parameters
    ----------
    rows : Path or DataFrame
        File, folder, zip archive or frame.
    country, currency : str, optional
        Of all its rows; where the file has a column of its own, empty cells are filled.
    """

    rows: Path | pl.DataFrame
    country: str | None = None
    currency: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `PATH`, `PATH@COUNTRY` or `PATH@COUNTRY:CURRENCY`; an @ that no such code follows is of the path."""
        path, at, codes = text.rpartition("@")
        country, _, currency = codes.partition(":")
        if (
            at
            and path
            and _is_code(country, COUNTRY_CHARACTERS)
            and (not currency or _is_code(currency, CURRENCY_CHARACTERS))
        ):
            return cls(Path(path), country.upper(), currency or None)
        return cls(Path(text))

    @property
    def name(self) -> str:
        """Name in messages."""
        return name_of(self.rows)


def source_of(rows: "Path | pl.DataFrame | PriceSource") -> PriceSource:
    """Wrap what is no source yet."""
    return rows if isinstance(rows, PriceSource) else PriceSource(rows)


@dataclass(frozen=True)
class LoadedRows:
    """Long rows, with `source` beside `row`, and the names of files that were empty."""

    rows: pl.DataFrame
    empty_files: tuple[str, ...]


def load_rows(sources: Sequence[PriceSource]) -> LoadedRows:
    """Load long rows of all sources, in their order.

    Parameters
    ----------
    sources : sequence of PriceSource
        At least one.

    Returns
    -------
    LoadedRows
        As `shapes.long_rows` gives them; columns that a source lacks are null there, but `adj_factor`, which is then
        `adj_close / close`, or 1.

    Raises
    ------
    PriceFileError
        If a file cannot be used, or a source has no rows. An empty file of a folder is left out and named.

    Notes
    -----
    NaN policy: as `shapes.long_rows`. Cost: O(cells).
    """
    tables: list[pl.DataFrame] = []
    empty: list[str] = []
    for source in sources:
        found = [table for table in _tables_of(source, empty) if table.height]
        if not found:
            raise PriceFileError(source.name, "has no rows")
        tables += found
    if not tables:
        raise PriceFileError("(nothing)", "no price file was named; name at least one")
    return LoadedRows(pl.concat(tables, how="diagonal", rechunk=True), tuple(empty))


def _tables_of(source: PriceSource, empty: list[str]) -> list[pl.DataFrame]:
    if isinstance(source.rows, pl.DataFrame):
        return [_filled(long_rows(RawTable(source.name, source.rows)), source, source.name)]
    if not (source.rows.is_dir() or is_archive(source.rows)):
        return [_filled(long_rows(read_raw(source.rows)), source, source.name)]
    tables = []
    for file in files_in(source.rows):
        if _is_empty(file):
            empty.append(file.name)
            continue
        table = long_rows(read_raw(file))
        if table.height == 0:
            empty.append(file.name)
        tables.append(_filled(table, source, file.name))
    return tables


def _is_empty(file: Path | Blob) -> bool:
    return (len(file.content) if isinstance(file, Blob) else file.stat().st_size) == 0


def _filled(table: pl.DataFrame, source: PriceSource, name: str) -> pl.DataFrame:
    known = {"country": source.country, "currency": source.currency}
    given = {column: value for column, value in known.items() if value is not None}
    filled = [
        pl.coalesce(column, pl.lit(value)).alias(column) if column in table.columns else pl.lit(value).alias(column)
        for column, value in given.items()
    ]
    table = table.with_columns(pl.lit(name).alias("source"), *filled)
    if "adj_factor" in table.columns:
        return table
    adjusted = pl.col("adj_close") / pl.col("close") if "adj_close" in table.columns else pl.lit(1.0)
    return table.with_columns(adj_factor=adjusted)


def _is_code(text: str, length: int) -> bool:
    return len(text) == length and text.isascii() and text.isalpha()
