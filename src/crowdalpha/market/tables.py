"""Files and frames in: columns of known types, or one message that names the first bad cell.

Row numbers are those of the file as it was given: the first row under the header is row 1.
"""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from crowdalpha.market.adapters.cells import as_dates, as_floats, as_text
from crowdalpha.market.adapters.files import read_raw
from crowdalpha.market.adapters.names import UNIVERSE_NAMES, known_columns
from crowdalpha.market.adapters.sources import PriceSource, load_rows, source_of
from crowdalpha.market.checks import Finding, PriceFileError, RatesFileError, UniverseFileError, name_of

__all__ = [
    "PRICE_FIELDS",
    "Prices",
    "read_price_table",
    "read_price_tables",
    "read_rates_table",
    "read_universe_table",
]

PRICE_FIELDS = ("open", "high", "low", "close", "volume", "adj_factor", "dividend", "split")
NO_COUNTRY = "XX"
PER = "per_"
Prices = Path | pl.DataFrame | PriceSource


def read_price_table(source: Prices) -> pl.DataFrame:
    """Read daily prices of one source into known columns and types.

    Parameters
    ----------
    source : Path, DataFrame or PriceSource
        Parquet (by its first bytes) or CSV with a header, a folder or a zip archive of such files, or a frame; in
        any of the shapes of `adapters.shapes.long_rows`. Long rows need `date`, `ticker`, `close`, and may have
        `security` (identifies the asset instead of `ticker`), `open`, `high`, `low`, `volume`, `adj_factor` or
        `adj_close`, `dividend`, `split`, `country`, `currency`; others are ignored.

    Returns
    -------
    DataFrame
        `row` (from 1) in the file `source`, `date`, `code` (`security`, else `ticker`), `ticker`, `country` and
        `currency` (null where not given), and float64 columns of `PRICE_FIELDS` (null where the file has none;
        `adj_factor` is then `adj_close / close`, or 1), rows as given.

    Raises
    ------
    PriceFileError
        If the file cannot be read, a required column is missing, or a cell is of the wrong kind.

    Notes
    -----
    NaN policy: propagate (prices are judged later). Cost: O(rows).
    """
    return read_price_tables([source])[0]


def read_price_tables(sources: Sequence[Prices]) -> tuple[pl.DataFrame, list[Finding]]:
    """Read daily prices of several sources into one table.

    Parameters
    ----------
    sources : sequence of Path, DataFrame or PriceSource
        See `read_price_table`.

    Returns
    -------
    tuple of (DataFrame, list of Finding)
        As `read_price_table` returns it, sources in their order; and the empty files that were left out.

    Raises
    ------
    PriceFileError
        As `read_price_table` does.

    Notes
    -----
    NaN policy: propagate. Cost: O(rows).
    """
    loaded = load_rows([source_of(source) for source in sources])
    texts = [pl.lit(None, dtype=pl.String).alias(name) for name in ("security", "country", "currency")]
    numbers = [pl.lit(None, dtype=pl.Float64).alias(name) for name in PRICE_FIELDS]
    rows = loaded.rows.with_columns(
        column for column in (*texts, *numbers) if column.meta.output_name() not in loaded.rows.columns
    )
    rows = rows.with_columns(code=pl.coalesce("security", "ticker"))
    found = [Finding.of("file_empty", len(loaded.empty_files), loaded.empty_files[0])] if loaded.empty_files else []
    return rows.select("row", "source", "date", "code", "ticker", "country", "currency", *PRICE_FIELDS), found


def read_universe_table(source: Path | pl.DataFrame) -> pl.DataFrame:
    """Read countries, currencies and sectors of tickers.

    Parameters
    ----------
    source : Path or DataFrame
        Parquet or CSV. Required: `ticker`. Optional: `former_ticker` (an earlier name of the same company),
        `country`, `currency`, `sector`; others are ignored.

    Returns
    -------
    DataFrame
        `ticker`, `former_ticker`, `country`, `currency`, `sector`, null where not given, one row a company.

    Raises
    ------
    UniverseFileError
        If the file cannot be read, `ticker` is missing or empty, or a (country, ticker) stands twice, be it as a
        present or as a former name.

    Notes
    -----
    NaN policy: refuse in `ticker`. Cost: O(rows).
    """
    name, cells = _cells(source, UniverseFileError)
    known = known_columns(cells.columns, name, UNIVERSE_NAMES, error=UniverseFileError)
    if "ticker" not in known:
        raise UniverseFileError(name, "is missing; needed is ticker", column="ticker")
    missing = pl.repeat(None, cells.height, dtype=pl.String, eager=True)
    frame = pl.DataFrame(
        {
            field: as_text(cells[known[field]], name, known[field], error=UniverseFileError, required=field == "ticker")
            if field in known
            else missing
            for field in UNIVERSE_NAMES
        },
    )
    _refuse_second_row(frame, name)
    return frame


def _refuse_second_row(frame: pl.DataFrame, name: str) -> None:
    numbered = frame.with_row_index("row", offset=1)
    former = numbered.filter(pl.col("former_ticker").is_not_null()).with_columns(ticker=pl.col("former_ticker"))
    names = pl.concat([numbered, former])
    repeated = names.filter(~pl.struct("country", "ticker").is_first_distinct())
    if repeated.height:
        again = repeated.row(0, named=True)
        problem = f"{again['ticker']!r} of country {again['country']!r} stands twice; keep one row"
        raise UniverseFileError(name, problem, column="ticker", row=again["row"])


def read_rates_table(source: Path | pl.DataFrame) -> tuple[pl.DataFrame, str]:
    """Read exchange rates.

    Parameters
    ----------
    source : Path or DataFrame
        Parquet or CSV with `date`, `currency` and `per_XXX`: units of the currency for one XXX, such as `per_eur`.

    Returns
    -------
    tuple of (DataFrame, str)
        `date`, `currency`, `per_unit`, by currency and date; and the currency XXX.

    Raises
    ------
    RatesFileError
        If the file cannot be read, a column is missing, a rate is not above zero, or a (date, currency) is there
        twice.

    Notes
    -----
    NaN policy: refuse. Cost: O(rows log rows).
    """
    name, cells = _cells(source, RatesFileError)
    per = next((column for column in cells.columns if column.lower().startswith(PER)), None)
    for column in ("date", "currency"):
        if column not in cells.columns:
            raise RatesFileError(name, "is missing; needed are date, currency, per_XXX", column=column)
    if per is None:
        raise RatesFileError(name, "is missing; it holds units of the currency for one XXX", column="per_XXX")
    try:
        days, rates = as_dates(cells["date"], name, "date"), as_floats(cells[per], name, per)
    except PriceFileError as cause:
        raise RatesFileError(name, cause.problem, column=cause.column, row=cause.row) from cause
    currency = as_text(cells["currency"], name, "currency", error=RatesFileError, required=True)
    frame = pl.DataFrame({"date": days, "currency": currency, "per_unit": rates}).with_row_index("row", offset=1)
    bad = frame.filter(~(pl.col("per_unit").is_finite() & (pl.col("per_unit") > 0)).fill_null(value=False))
    if bad.height:
        raise RatesFileError(name, "is no rate above zero", column=per, row=bad["row"][0])
    again = frame.filter(~pl.struct("date", "currency").is_first_distinct())
    if again.height:
        raise RatesFileError(name, "stands twice; keep one rate a day", column="currency", row=again["row"][0])
    return frame.drop("row").sort("currency", "date"), per.lower().removeprefix(PER).upper()


def _cells(source: Path | pl.DataFrame, error: type[PriceFileError]) -> tuple[str, pl.DataFrame]:
    cells = source if isinstance(source, pl.DataFrame) else read_raw(source, error=error).cells
    return name_of(source), cells
