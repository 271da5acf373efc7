"""Shapes of price files made one: long rows of known columns and types, each with its row in the file."""

from pathlib import PurePath

import polars as pl

from crowdalpha.market.adapters.cells import as_dates, as_floats, as_text
from crowdalpha.market.adapters.files import RawTable
from crowdalpha.market.adapters.names import FIELD_NAMES, INDEX_LABELS, PRICE_NAMES, field_of, known_columns
from crowdalpha.market.checks import PriceFileError

__all__ = ["STOOQ_COUNTRIES", "long_rows"]

STOOQ_COUNTRIES = {"US": "US", "UK": "GB", "DE": "DE", "JP": "JP", "HK": "HK", "HU": "HU", "PL": "PL"}
"""Endings of tickers in files of Stooq, and the countries they stand for."""

STOOQ_TICKER = "<TICKER>"
DAILY = "D"
TEXTS = ("ticker", "security", "country", "currency")
DUPLICATED = "_duplicated_"


def long_rows(raw: RawTable) -> pl.DataFrame:
    """Make long rows of a price file of any known shape.

    Parameters
    ----------
    raw : RawTable
        One of: long rows (`date`, `ticker`, `close` and more); rows of one ticker (`date` and `close`), which the
        file name names; closes, a row a day and a column a ticker; several fields of several tickers, as pandas
        frames of yfinance have them; rows of Stooq.

    Returns
    -------
    DataFrame
        `row` (from 1, in the file), `date`, `ticker`, those known columns that the file has. In the wide forms a
        cell that is empty or NaN gives no row.

    Raises
    ------
    PriceFileError
        If a needed column is missing, or a cell is of the wrong kind; names file, column and row.

    Notes
    -----
    NaN policy: propagate in long rows, omit in wide ones. Cost: O(cells).
    """
    if raw.pairs is not None:
        return _of_pairs(raw, raw.pairs)
    known = known_columns(raw.cells.columns, raw.name)
    if "date" not in known and (index := _index_of(raw.cells)) is not None:
        known["date"] = index
    has_names = bool(known.keys() & {"ticker", "security"})
    if "date" in known and "close" in known and not has_names and (stem := _stem(raw.name)):
        raw = RawTable(raw.name, raw.cells.with_columns(ticker=pl.lit(stem)))
        known["ticker"] = "ticker"
    if "date" in known and "close" not in known and not has_names:
        tickers = [column for column in raw.cells.columns if column != known["date"]]
        # LOW and OPEN are tickers too; a file with no other names has lost its closes
        if any(field_of(column) is None for column in tickers):
            return _of_wide(raw, known["date"], {column: ("close", column) for column in tickers})
    return _of_long(raw, known)


def _index_of(cells: pl.DataFrame) -> str | None:
    return cells.columns[0] if cells.columns and cells.columns[0] in INDEX_LABELS else None


def _stem(name: str) -> str:
    """Take the ticker from the name of a file; a frame has none."""
    stem = PurePath(name).name
    for suffix in (".csv", ".txt", ".parquet", ".pq"):
        stem = stem.removesuffix(suffix)
    return "" if stem.startswith("(") else stem.upper()


def _of_long(raw: RawTable, known: dict[str, str]) -> pl.DataFrame:
    for column in ("date", "ticker", "close"):
        if column not in known:
            problem = "is missing; needed are date, ticker, close, or a column of closes for each ticker"
            raise PriceFileError(raw.name, problem, column=column)
    cells = raw.cells
    columns = {"date": as_dates(cells[known["date"]], raw.name, known["date"])}
    for text in TEXTS:
        if text in known:
            needed = text in {"ticker", "security"}
            columns[text] = as_text(cells[known[text]], raw.name, known[text], required=needed)
    columns |= {
        field: as_floats(cells[known[field]], raw.name, known[field]) for field in FIELD_NAMES if field in known
    }
    if "per" in known and known["ticker"] == STOOQ_TICKER:
        _refuse_intraday(as_text(cells[known["per"]], raw.name, known["per"]), raw.name, known["per"])
    rows = pl.DataFrame(columns).with_row_index("row", offset=1)
    return _stooq_countries(rows) if known["ticker"] == STOOQ_TICKER else rows


def _refuse_intraday(period: pl.Series, name: str, column: str) -> None:
    other = (period.is_null() | (period != DAILY)).fill_null(value=True).arg_true()
    if len(other):
        row = int(other[0])
        raise PriceFileError(name, f"{period[row]!r} is no daily row; give daily files", column=column, row=row + 1)


def _stooq_countries(rows: pl.DataFrame) -> pl.DataFrame:
    """Cut the ending off tickers such as AAPL.US, and take the country from it."""
    ending = pl.col("ticker").str.extract(r"\.([A-Za-z]{2})$").str.to_uppercase()
    country = ending.replace_strict(STOOQ_COUNTRIES, default=None, return_dtype=pl.String)
    bare = pl.when(country.is_not_null()).then(pl.col("ticker").str.replace(r"\.[A-Za-z]{2}$", ""))
    given = {} if "country" in rows.columns else {"country": country}
    return rows.with_columns(ticker=bare.otherwise("ticker").str.to_uppercase(), **given)


def _of_pairs(raw: RawTable, pairs: dict[str, tuple[str, str]]) -> pl.DataFrame:
    rest = [column for column in raw.cells.columns if column not in pairs]
    index = _index_of(raw.cells.select(rest))
    date = next((column for column in rest if field_of(column) == "date"), index)
    if date is None:
        raise PriceFileError(raw.name, "is missing; the frame needs its index of days", column="date")
    named = {column: (field_of(field, FIELD_NAMES), ticker) for column, (field, ticker) in pairs.items()}
    known = {column: (field, ticker) for column, (field, ticker) in named.items() if field is not None}
    if not any(field == "close" for field, _ in known.values()):
        raise PriceFileError(raw.name, "is missing; the frame needs closes", column="Close")
    return _of_wide(raw, date, known)


def _of_wide(raw: RawTable, date: str, columns: dict[str, tuple[str, str]]) -> pl.DataFrame:
    """Stack columns of (field, ticker) into rows of (date, ticker)."""
    days = as_dates(raw.cells[date], raw.name, date)
    by_ticker: dict[str, dict[str, pl.Series]] = {}
    for column, (field, ticker) in columns.items():
        name = ticker.strip()
        if not name or DUPLICATED in name or field in by_ticker.get(name, {}):
            problem = "is a second column of one ticker" if name else "has no ticker"
            raise PriceFileError(raw.name, f"{problem}; keep one, named", column=column)
        by_ticker.setdefault(name, {})[field] = as_floats(raw.cells[column], raw.name, column)
    present = [field for field in PRICE_NAMES if any(field in fields for fields in by_ticker.values())]
    empty = pl.repeat(None, len(days), dtype=pl.Float64, eager=True)
    numbered = pl.DataFrame({"date": days}).with_row_index("row", offset=1)
    blocks = [
        numbered.with_columns(
            ticker=pl.lit(ticker), **{field: fields.get(field, empty).alias(field) for field in present}
        ).filter(pl.col("close").is_not_nan())
        for ticker, fields in by_ticker.items()
    ]
    return pl.concat(blocks)
