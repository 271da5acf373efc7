"""Files and frames in: columns of known types, or one message that names the first bad cell.

Row numbers are those of the file as it was given: the first row under the header is row 1.
"""

from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from crowdalpha.market.checks import PriceFileError, UniverseFileError, name_of

__all__ = ["PRICE_FIELDS", "read_price_table", "read_universe_table"]

PRICE_FIELDS = ("open", "high", "low", "close", "volume", "adj_factor")
PARQUET_MAGIC = b"PAR1"
NO_COUNTRY = "XX"


def read_price_table(source: Path | pl.DataFrame) -> pl.DataFrame:
    """Read long daily prices into known columns and types.

    Parameters
    ----------
    source : Path or DataFrame
        Parquet (by its first bytes) or CSV with a header. Required: `date`, `ticker`, `close`.
        Optional: `security` (identifies the asset instead of `ticker`), `open`, `high`, `low`, `volume`,
        `adj_factor`, `country`, `currency`; others are ignored.

    Returns
    -------
    DataFrame
        `row` (from 1), `date`, `code` (`security`, else `ticker`), `ticker`, `country` and `currency` (null where not
        given), and float64 columns of `PRICE_FIELDS` (null where the file has none; `adj_factor` then 1), rows as
        given.

    Raises
    ------
    PriceFileError
        If the file cannot be read, a required column is missing, or a cell is of the wrong kind.

    Notes
    -----
    NaN policy: propagate (prices are judged later). Cost: O(rows).
    """
    name = name_of(source)
    table = _load(source, ["date", "ticker", "security", "country", "currency", *PRICE_FIELDS], PriceFileError)
    _require(table, ["date", "ticker", "close"], name, PriceFileError)
    if table.height == 0:
        raise PriceFileError(name, "has no rows")
    ticker = _text(table, "ticker", name, PriceFileError, required=True)
    has_security = "security" in table.columns
    code = _text(table, "security", name, PriceFileError, required=True) if has_security else ticker
    columns = {
        "date": _dates(table["date"], name),
        "code": code,
        "ticker": ticker,
        "country": _text(table, "country", name, PriceFileError),
        "currency": _text(table, "currency", name, PriceFileError),
    }
    columns |= {field: _floats(table, field, name) for field in PRICE_FIELDS}
    if "adj_factor" not in table.columns:
        columns["adj_factor"] = pl.repeat(1.0, table.height, dtype=pl.Float64, eager=True)
    return pl.DataFrame(columns).with_row_index("row", offset=1)


def read_universe_table(source: Path | pl.DataFrame) -> pl.DataFrame:
    """Read countries and sectors of tickers.

    Parameters
    ----------
    source : Path or DataFrame
        Parquet or CSV. Required: `ticker`. Optional: `country`, `sector`; others are ignored.

    Returns
    -------
    DataFrame
        `ticker`, `country` (null where not given), `sector` (null where not given), one row a key.

    Raises
    ------
    UniverseFileError
        If the file cannot be read, `ticker` is missing, or a (country, ticker) stands twice.

    Notes
    -----
    NaN policy: refuse in `ticker`. Cost: O(rows).
    """
    name = name_of(source)
    table = _load(source, ["ticker", "country", "sector"], UniverseFileError)
    _require(table, ["ticker"], name, UniverseFileError)
    frame = pl.DataFrame(
        {
            "ticker": _text(table, "ticker", name, UniverseFileError, required=True),
            "country": _text(table, "country", name, UniverseFileError),
            "sector": _text(table, "sector", name, UniverseFileError),
        },
    )
    repeated = frame.select(~pl.struct("country", "ticker").is_first_distinct()).to_series().arg_true()
    if len(repeated):
        row = int(repeated[0])
        problem = f"{frame['ticker'][row]!r} of country {frame['country'][row]!r} stands twice; keep one row"
        raise UniverseFileError(name, problem, column="ticker", row=row + 1)
    return frame


def _load(source: Path | pl.DataFrame, wanted: list[str], error: type[PriceFileError]) -> pl.DataFrame:
    if isinstance(source, pl.DataFrame):
        return source.select([column for column in source.columns if column in wanted])
    try:
        with source.open("rb") as file:
            is_parquet = file.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC
            file.seek(0)
            present = list(pl.read_parquet_schema(file)) if is_parquet else []
        if is_parquet:
            return pl.read_parquet(source, glob=False, columns=[column for column in present if column in wanted])
        # every cell as text first: inference would guess types from the first rows and fail far from the bad one
        present = pl.read_csv(source, glob=False, n_rows=0, infer_schema=False).columns
        return pl.read_csv(
            source, glob=False, columns=[column for column in present if column in wanted], infer_schema=False
        )
    except OSError as cause:
        raise error(str(source), f"cannot be opened ({cause.strerror or cause})") from cause
    except PolarsError as cause:
        first_line = str(cause).splitlines()[0] if str(cause) else type(cause).__name__
        raise error(source.name, f"is neither Parquet nor CSV that can be read ({first_line})") from cause


def _require(table: pl.DataFrame, required: list[str], name: str, error: type[PriceFileError]) -> None:
    for column in required:
        if column not in table.columns:
            raise error(name, f"is missing; needed are {', '.join(required)}", column=column)


def _text(
    table: pl.DataFrame,
    column: str,
    name: str,
    error: type[PriceFileError],
    *,
    required: bool = False,
) -> pl.Series:
    if column not in table.columns:
        return pl.repeat(None, table.height, dtype=pl.String, eager=True)
    try:
        text = table[column].cast(pl.String).str.strip_chars()
    except PolarsError as cause:
        raise error(name, f"holds {table[column].dtype}, not text", column=column) from cause
    text = text.set(text == "", None)
    missing = text.is_null().arg_true()
    if required and len(missing):
        raise error(name, "is empty; every row needs one", column=column, row=int(missing[0]) + 1)
    return text


def _dates(raw: pl.Series, name: str) -> pl.Series:
    if raw.dtype == pl.String:
        # a time of day after the date is allowed and ignored: some exports write midnight
        text = raw.str.strip_chars().str.replace(r"[T ].*$", "")
        dates = text.str.to_date("%Y-%m-%d", strict=False)
    elif raw.dtype == pl.Date or isinstance(raw.dtype, pl.Datetime):
        dates = raw.dt.date()
    else:
        raise PriceFileError(name, f"holds {raw.dtype}, not dates; write YYYY-MM-DD", column="date", row=1)
    bad = dates.is_null().arg_true()
    if len(bad):
        row = int(bad[0])
        raise PriceFileError(name, f"{raw[row]!r} is not a date; write YYYY-MM-DD", column="date", row=row + 1)
    return dates


def _floats(table: pl.DataFrame, column: str, name: str) -> pl.Series:
    if column not in table.columns:
        return pl.repeat(None, table.height, dtype=pl.Float64, eager=True)
    raw = table[column]
    if raw.dtype.is_numeric() or raw.dtype == pl.Null:
        return raw.cast(pl.Float64)
    if raw.dtype != pl.String:
        raise PriceFileError(name, f"holds {raw.dtype}, not numbers", column=column, row=1)
    text = raw.str.strip_chars()
    values = text.cast(pl.Float64, strict=False)
    bad = (values.is_null() & text.is_not_null() & (text != "")).arg_true()
    if len(bad):
        row = int(bad[0])
        raise PriceFileError(name, f"{raw[row]!r} is not a number", column=column, row=row + 1)
    return values
