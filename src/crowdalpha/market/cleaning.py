"""Rules on rows: each looks at its own row, or at days before it, and is counted."""

import numpy as np
import polars as pl

from crowdalpha.market.arrays import BoolArray, FloatArray
from crowdalpha.market.checks import Finding, PriceFileError
from crowdalpha.market.tables import NO_COUNTRY

__all__ = ["THIN_DAY_SHARE", "clean_rows", "usual_names"]

THIN_DAY_SHARE = 0.3
USUAL_DAYS = 60
KEY = ("country", "code")
ADJUSTED = pl.col("close") * pl.col("adj_factor")
ADJUSTABLE = (ADJUSTED.is_finite() & (ADJUSTED > 0) & (pl.col("adj_factor") > 0)).fill_null(value=False)


def clean_rows(rows: pl.DataFrame, *, name: str) -> tuple[pl.DataFrame, list[Finding]]:
    """Refuse repeated keys, then sort, drop and repair rows by the rules of the table.

    Parameters
    ----------
    rows : DataFrame
        As `read_price_table` returns them, countries filled in where they are known.
    name : str
        Name of the source, for messages.

    Returns
    -------
    tuple of (DataFrame, list of Finding)
        The rows kept, by country, code and date; and what was found.

    Raises
    ------
    PriceFileError
        If a (date, ticker) stands twice, or no row is left.

    Notes
    -----
    NaN policy: omit (rows without a usable close are dropped). Cost: O(rows log rows).
    """
    _refuse_repeats(rows, name)
    findings = [_note_unsorted(rows)]
    findings.append(_finding("country_missing", rows, rows["country"].is_null()))
    rows = rows.with_columns(pl.col("country").fill_null(NO_COUNTRY)).sort("country", "code", "date")
    for rule, usable in (
        ("close_not_finite", pl.col("close").is_finite().fill_null(value=False)),
        ("close_not_positive", pl.col("close") > 0),
        ("adj_factor_unusable", ADJUSTABLE),
    ):
        kept = rows.select(usable.alias("kept"))["kept"]
        findings.append(_finding(rule, rows, ~kept))
        rows = rows.filter(kept)
    rows, found = _repair_fields(rows)
    findings += found
    rows, thin = _drop_thin_days(rows)
    findings.append(thin)
    if rows.height == 0:
        raise PriceFileError(name, "no row has a price that can be used", column="close", row=1)
    return rows, [finding for finding in findings if finding.count]


def usual_names(counts: FloatArray) -> FloatArray:
    """Count the names usual on each day, from the days before it.

    Parameters
    ----------
    counts : ndarray of shape (n_days,), dtype=float64
        Names that traded; 0 on a day off.

    Returns
    -------
    ndarray of shape (n_days,), dtype=float64
        Median of the last 60 earlier days that were no days off; 0 for the first day.

    Notes
    -----
    NaN policy: refuse (there are none). Cost: O(n_days).

    Examples
    --------
    >>> usual_names(np.array([4.0, 6.0, 0.0, 1.0, 6.0]))
    array([0., 4., 5., 5., 4.])
    """
    usual = np.zeros(len(counts))
    earlier: list[float] = []
    for day, count in enumerate(counts):
        usual[day] = np.median(earlier[-USUAL_DAYS:]) if earlier else 0.0
        if count > 0:
            earlier.append(float(count))
    return usual


def _finding(rule: str, rows: pl.DataFrame, hit: pl.Series) -> Finding:
    where = hit.arg_true()
    if len(where) == 0:
        return Finding.of(rule, 0, "")
    # rows may be sorted by now: the example is the first in the file, not the first here
    first = rows[where].sort("row").row(0, named=True)
    return Finding.of(rule, len(where), f"row {first['row']}: {first['code']} on {first['date']}")


def _refuse_repeats(rows: pl.DataFrame, name: str) -> None:
    repeated = (~rows.select(pl.struct("date", *KEY).is_first_distinct()).to_series()).arg_true()
    if len(repeated) == 0:
        return
    again = rows.row(int(repeated[0]), named=True)
    same = rows.filter(*(pl.col(key).eq_missing(pl.lit(again[key])) for key in ("date", *KEY)))
    problem = f"{again['code']} on {again['date']} stands in row {same['row'][0]} already; keep one row a day"
    raise PriceFileError(name, problem, column="date", row=again["row"])


def _note_unsorted(rows: pl.DataFrame) -> Finding:
    back = rows.select((pl.col("date") < pl.col("date").shift(1).over(*KEY)).fill_null(value=False)).to_series()
    return _finding("rows_unsorted", rows, back)


def _repair_fields(rows: pl.DataFrame) -> tuple[pl.DataFrame, list[Finding]]:
    fields = ("open", "high", "low")
    # NaN stands for an empty cell in some exports: missing, and not worth a count
    rows = rows.with_columns(pl.col(*fields, "volume").fill_nan(None))
    unusable = [(pl.col(field).is_infinite() | (pl.col(field) <= 0)).fill_null(value=False) for field in fields]
    bad_volume = (pl.col("volume").is_infinite() | (pl.col("volume") < 0)).fill_null(value=False)
    price_hits = rows.select(pl.any_horizontal(unusable)).to_series()
    volume_hits = rows.select(bad_volume).to_series()
    found = [_finding("price_field_unusable", rows, price_hits), _finding("volume_unusable", rows, volume_hits)]
    rows = rows.with_columns(
        *(pl.when(~bad).then(field).alias(field) for field, bad in zip(fields, unusable, strict=True)),
        pl.when(~bad_volume).then("volume").alias("volume"),
    )
    top = pl.when(pl.col("high").is_not_null()).then(pl.max_horizontal("open", "high", "close"))
    bottom = pl.when(pl.col("low").is_not_null()).then(pl.min_horizontal("open", "low", "close"))
    widened = rows.select(((top > pl.col("high")) | (bottom < pl.col("low"))).fill_null(value=False)).to_series()
    found.append(_finding("high_low_widened", rows, widened))
    return rows.with_columns(top.alias("high"), bottom.alias("low")), found


def _drop_thin_days(rows: pl.DataFrame) -> tuple[pl.DataFrame, Finding]:
    calendar = rows["date"].unique().sort()
    thin = pl.DataFrame(schema={"country": pl.String, "date": pl.Date})
    for (country,), group in rows.group_by("country", maintain_order=True):
        counts = group.group_by("date").len()
        by_day = pl.DataFrame({"date": calendar}).join(counts, on="date", how="left", maintain_order="left")
        n_names: FloatArray = by_day["len"].fill_null(0).cast(pl.Float64).to_numpy()
        is_thin: BoolArray = (n_names > 0) & (n_names < THIN_DAY_SHARE * usual_names(n_names))
        days = calendar.filter(pl.Series(is_thin))
        thin = pl.concat([thin, pl.DataFrame({"country": [country] * len(days), "date": days}, schema=thin.schema)])
    hit = rows.join(thin.with_columns(hit=True), on=["country", "date"], how="left", maintain_order="left")["hit"]
    hit = hit.fill_null(value=False)
    return rows.filter(~hit), _finding("day_too_thin", rows, hit)
