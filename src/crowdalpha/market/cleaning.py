"""Rules on rows: each looks at its own row, or at days before it, and is counted."""

import numpy as np
import polars as pl

from crowdalpha.market.adjustments import apply_recorded_actions, dividends_left_out
from crowdalpha.market.arrays import BoolArray, FloatArray
from crowdalpha.market.checks import Finding, PriceFileError
from crowdalpha.market.tables import NO_COUNTRY

__all__ = ["HALF_DAY_SHARE", "THIN_DAY_SHARE", "clean_rows", "finding_of_rows", "usual_names"]

THIN_DAY_SHARE = 0.3
HALF_DAY_SHARE = 0.7
HALF_DAY_NAMES = 10
USUAL_DAYS = 60
MOST_TICKERS = 5
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
    _refuse_repeats(rows)
    findings = [_note_unsorted(rows)]
    findings.append(finding_of_rows("country_missing", rows, rows["country"].is_null()))
    rows = rows.with_columns(pl.col("country").fill_null(NO_COUNTRY)).sort("country", "code", "date")
    for rule, usable in (
        ("close_not_finite", pl.col("close").is_finite().fill_null(value=False)),
        ("close_not_positive", pl.col("close") > 0),
        ("adj_factor_unusable", ADJUSTABLE),
    ):
        kept = rows.select(usable.alias("kept"))["kept"]
        findings.append(finding_of_rows(rule, rows, ~kept))
        rows = rows.filter(kept)
    rows, found = _repair_fields(rows)
    findings += found
    rows, found = _drop_thin_days(rows)
    findings += found
    if rows.height == 0:
        raise PriceFileError(name, "no row has a price that can be used", column="close", row=1)
    rows, hits = apply_recorded_actions(rows)
    findings += [finding_of_rows(rule, rows, hit) for rule, hit in hits]
    same = pl.all_horizontal(pl.col(key) == pl.col(key).shift(1) for key in KEY)
    changed = (same & (pl.col("currency") != pl.col("currency").shift(1))).fill_null(value=False)
    findings += [finding_of_rows("currency_changed", rows, rows.select(changed).to_series()), dividends_left_out(rows)]
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


def finding_of_rows(rule: str, rows: pl.DataFrame, hit: pl.Series) -> Finding:
    """Count the rows that a rule met, by month and ticker too.

    Parameters
    ----------
    rule : str
        Name of the rule.
    rows : DataFrame
        `source`, `row`, `code` and `date`.
    hit : Series of shape (n_rows,), dtype=Boolean
        Which rows.

    Returns
    -------
    Finding
        The example is the first in the file, not the first here: rows may be sorted.

    Notes
    -----
    NaN policy: refuse (there are none). Cost: O(n_rows).
    """
    where = hit.arg_true()
    if len(where) == 0:
        return Finding.of(rule, 0, "")
    met = rows[where]
    first = met.sort("row").row(0, named=True)
    origin = f"{first['source']}, " if rows["source"].n_unique() > 1 else ""
    months = met.group_by(pl.col("date").dt.strftime("%Y-%m").alias("month")).len().sort("month")
    tickers = met.group_by("code").len().sort(["len", "code"], descending=[True, False]).head(MOST_TICKERS)
    example = f"{origin}row {first['row']}: {first['code']} on {first['date']}"
    return Finding.of(rule, len(where), example, months=tuple(months.rows()), tickers=tuple(tickers.rows()))


def _refuse_repeats(rows: pl.DataFrame) -> None:
    repeated = (~rows.select(pl.struct("date", *KEY).is_first_distinct()).to_series()).arg_true()
    if len(repeated) == 0:
        return
    again = rows.row(int(repeated[0]), named=True)
    same = rows.filter(*(pl.col(key).eq_missing(pl.lit(again[key])) for key in ("date", *KEY)))
    where = f"row {same['row'][0]}" + (f" of {same['source'][0]}" if same["source"][0] != again["source"] else "")
    problem = f"{again['code']} on {again['date']} stands in {where} already; keep one row a day"
    raise PriceFileError(again["source"], problem, column="date", row=again["row"])


def _note_unsorted(rows: pl.DataFrame) -> Finding:
    back = rows.select((pl.col("date") < pl.col("date").shift(1).over(*KEY)).fill_null(value=False)).to_series()
    return finding_of_rows("rows_unsorted", rows, back)


def _repair_fields(rows: pl.DataFrame) -> tuple[pl.DataFrame, list[Finding]]:
    fields = ("open", "high", "low")
    # NaN stands for an empty cell in some exports: missing, and not worth a count
    rows = rows.with_columns(pl.col(*fields, "volume").fill_nan(None))
    unusable = [(pl.col(field).is_infinite() | (pl.col(field) <= 0)).fill_null(value=False) for field in fields]
    bad_volume = (pl.col("volume").is_infinite() | (pl.col("volume") < 0)).fill_null(value=False)
    price_hits = rows.select(pl.any_horizontal(unusable)).to_series()
    volume_hits = rows.select(bad_volume).to_series()
    found = [
        finding_of_rows("price_field_unusable", rows, price_hits),
        finding_of_rows("volume_unusable", rows, volume_hits),
    ]
    rows = rows.with_columns(
        *(pl.when(~bad).then(field).alias(field) for field, bad in zip(fields, unusable, strict=True)),
        pl.when(~bad_volume).then("volume").alias("volume"),
    )
    top = pl.when(pl.col("high").is_not_null()).then(pl.max_horizontal("open", "high", "close"))
    bottom = pl.when(pl.col("low").is_not_null()).then(pl.min_horizontal("open", "low", "close"))
    widened = rows.select(((top > pl.col("high")) | (bottom < pl.col("low"))).fill_null(value=False)).to_series()
    found.append(finding_of_rows("high_low_widened", rows, widened))
    return rows.with_columns(top.alias("high"), bottom.alias("low")), found


def _drop_thin_days(rows: pl.DataFrame) -> tuple[pl.DataFrame, list[Finding]]:
    calendar = rows["date"].unique().sort()
    shares = pl.DataFrame(schema={"country": pl.String, "date": pl.Date, "share": pl.Float64, "usual": pl.Float64})
    for (country,), group in rows.group_by("country", maintain_order=True):
        counts = group.group_by("date").len()
        by_day = pl.DataFrame({"date": calendar}).join(counts, on="date", how="left", maintain_order="left")
        n_names: FloatArray = by_day["len"].fill_null(0).cast(pl.Float64).to_numpy()
        usual = usual_names(n_names)
        few: BoolArray = (n_names > 0) & (n_names < HALF_DAY_SHARE * usual)
        days = calendar.filter(pl.Series(few))
        columns = {"date": days, "share": n_names[few] / usual[few], "usual": usual[few]}
        found = pl.DataFrame({"country": [country] * len(days), **columns}, schema=shares.schema)
        shares = pl.concat([shares, found])
    share = rows.join(shares, on=["country", "date"], how="left", maintain_order="left")["share"]
    thin = (share < THIN_DAY_SHARE).fill_null(value=False)
    half = shares.filter(pl.col("share") >= THIN_DAY_SHARE, pl.col("usual") >= HALF_DAY_NAMES)
    return rows.filter(~thin), [finding_of_rows("day_too_thin", rows, thin), _half_days(half)]


def _half_days(days: pl.DataFrame) -> Finding:
    if days.height == 0:
        return Finding.of("day_half_missing", 0, "")
    days = days.sort("date", "country")
    first = days.row(0, named=True)
    months = days.group_by(pl.col("date").dt.strftime("%Y-%m").alias("month")).len().sort("month")
    example = f"{first['country']} on {first['date']}, {first['share']:.0%} of the names"
    return Finding.of("day_half_missing", days.height, example, months=tuple(months.rows()))
