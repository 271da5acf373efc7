"""Splits and dividends that a file records and its prices do not have in them.

Repairs multiply the adjustment factor from the day on, so that no row before the day moves. A total-return price
means something in ratios only, so its level is free.
"""

import polars as pl

from crowdalpha.market.checks import Finding

__all__ = ["apply_recorded_actions", "dividends_left_out"]

KEY = ("country", "code")
SMALLEST_SPLIT = 1.2
LEAST_SHOWN, MOST_SHOWN = 0.5, 1.5
NO_STEP = 0.1
SMALLEST_YIELD, LARGEST_YIELD = 1e-4, 0.5
LEAST_DIVIDENDS = 30
STANDARD_ERRORS = 3.0
LEAST_SLOPE = 0.5


def apply_recorded_actions(rows: pl.DataFrame) -> tuple[pl.DataFrame, list[tuple[str, pl.Series]]]:
    """Apply recorded splits and dividends that the total-return price lacks.

    Parameters
    ----------
    rows : DataFrame
        Clean rows by country, code and date, with `source`, `close`, `adj_factor`, `dividend` and `split`.

    Returns
    -------
    tuple of (DataFrame, list of (str, Series))
        The rows with their factors; and for each rule the rows that it changed.

    Notes
    -----
    NaN policy: propagate; an empty or zero dividend or split is none. Cost: O(rows). A row is judged by itself,
    the ticker's row before, and, for dividends, by the earlier days of its source.
    """
    if not _records_actions(rows):
        return rows, []
    judged = rows.select(*_steps())
    split_missing = judged["split_missing"]
    had_steps = _source_stepped_before(rows, judged["stepped"])
    dividend_missing = judged["no_step"] & had_steps
    hits = [("split_unapplied", split_missing), ("dividend_unapplied", dividend_missing)]
    if not (split_missing.any() or dividend_missing.any()):
        return rows, hits
    missing_step = pl.when(split_missing).then(judged["split_step"]).otherwise(0.0) + pl.when(dividend_missing).then(
        judged["yield_step"]
    ).otherwise(0.0)
    factor = rows.with_columns(step=missing_step).select(
        (pl.col("adj_factor") * pl.col("step").cum_sum().over(*KEY).exp()).alias("adj_factor")
    )
    return rows.with_columns(factor), hits


def dividends_left_out(rows: pl.DataFrame) -> Finding:
    """Tell whether prices fall by the recorded dividends, in sources whose factor never steps.

    Parameters
    ----------
    rows : DataFrame
        As in `apply_recorded_actions`, after it.

    Returns
    -------
    Finding
        Of rule `dividends_left_out`: the dividends of such sources. Returns less the mean of the day are regressed on
        the yield; the slope must be under -0.5 and three standard errors from 0.

    Notes
    -----
    NaN policy: omit. Cost: O(rows).
    """
    if rows["dividend"].null_count() == rows.height:
        return Finding.of("dividends_left_out", 0, "")
    judged = rows.select("source", "country", "code", "date", *_steps())
    judged = judged.with_columns(excess=pl.col("move") - pl.col("move").mean().over("country", "date"))
    silent = judged.filter(pl.col("no_step"), ~pl.col("stepped").any().over("source"))
    count, examples = 0, []
    for (source,), group in silent.drop_nulls("excess").group_by("source", maintain_order=True):
        size, fall = group["yield_step"], group["excess"]
        slope = float((size * fall).sum()) / float((size * size).sum())
        error = float(((fall - slope * size) ** 2 * size**2).sum()) ** 0.5 / float((size * size).sum())
        if group.height >= LEAST_DIVIDENDS and slope < -LEAST_SLOPE and slope < -STANDARD_ERRORS * error:
            count += group.height
            examples.append(f"{source}: prices fall by {-slope:.0%} of the dividend")
    return Finding.of("dividends_left_out", count, examples[0] if examples else "")


def _steps() -> list[pl.Expr]:
    """Judge each row against the ticker's row before, all in logs."""
    close, factor = pl.col("close"), pl.col("adj_factor")
    # rows are sorted by the key, and a window over it costs ten times as much
    same = pl.all_horizontal(pl.col(key) == pl.col(key).shift(1) for key in KEY)
    before, factor_before = (pl.when(same).then(column.shift(1)) for column in (close, factor))
    move = ((close * factor) / (before * factor_before)).log()
    split_step = pl.when(pl.col("split") > 0).then(pl.col("split").log()).otherwise(0.0).fill_null(0.0)
    shown = -move / split_step
    split_missing = (split_step.abs() >= pl.lit(SMALLEST_SPLIT).log()) & shown.is_between(LEAST_SHOWN, MOST_SHOWN)
    payout = pl.when(split_step == 0).then(pl.col("dividend") / before).fill_nan(None)
    usable = payout.is_between(SMALLEST_YIELD, LARGEST_YIELD)
    yield_step = pl.when(usable).then(-(1.0 - payout).log()).otherwise(0.0).fill_null(0.0)
    step = (factor / factor_before).log()
    return [
        move.alias("move"),
        split_step.alias("split_step"),
        yield_step.alias("yield_step"),
        split_missing.fill_null(value=False).alias("split_missing"),
        ((yield_step > 0) & (step.abs() < NO_STEP * yield_step)).fill_null(value=False).alias("no_step"),
        ((yield_step > 0) & (step > LEAST_SHOWN * yield_step)).fill_null(value=False).alias("stepped"),
    ]


def _records_actions(rows: pl.DataFrame) -> bool:
    return any(rows[name].null_count() < rows.height for name in ("split", "dividend"))


def _source_stepped_before(rows: pl.DataFrame, stepped: pl.Series) -> pl.Series:
    """Tell for each row whether its source had a dividend in the factor on an earlier day."""
    first = rows.filter(stepped).group_by("source").agg(first_step=pl.col("date").min())
    joined = rows.select("source", "date").join(first, on="source", how="left", maintain_order="left")
    return joined.select((pl.col("date") > pl.col("first_step")).fill_null(value=False)).to_series()
