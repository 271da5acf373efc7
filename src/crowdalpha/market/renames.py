"""Tickers that look as if one went on under another name."""

import polars as pl

from crowdalpha.market.checks import Finding

__all__ = ["note_renamed_tickers"]

SAME_PRICE = 0.1
LEAST_DAYS = 60
MOST_PAIRS = 5


def note_renamed_tickers(rows: pl.DataFrame) -> Finding:
    """Count tickers that end the day before another one begins, at its price.

    Parameters
    ----------
    rows : DataFrame
        Clean rows with `country`, `code`, `date`, `close`, before any adjustment of the close.

    Returns
    -------
    Finding
        Of rule `ticker_renamed`. Days are those on which the country traded; a pair counts if neither of the two
        fits a third.

    Notes
    -----
    NaN policy: refuse (there are none). Cost: O(rows).
    """
    days = rows.select("country", "date").unique().sort("country", "date")
    days = days.with_columns(day=pl.int_range(pl.len()).over("country"))
    lives = (
        rows.group_by("country", "code")
        .agg(
            pl.len().alias("n_days"),
            pl.col("date").min().alias("first"),
            pl.col("date").max().alias("last"),
            pl.col("close").sort_by("date").first().alias("first_close"),
            pl.col("close").sort_by("date").last().alias("last_close"),
        )
        .filter(pl.col("n_days") >= LEAST_DAYS)
    )
    ended = lives.join(days, left_on=["country", "last"], right_on=["country", "date"]).select(
        "country", pl.col("day") + 1, "last_close", "last", old="code"
    )
    begun = lives.join(days, left_on=["country", "first"], right_on=["country", "date"]).select(
        "country", "day", "first_close", new="code"
    )
    pairs = ended.join(begun, on=["country", "day"]).filter(
        (pl.col("first_close") / pl.col("last_close")).log().abs() <= SAME_PRICE
    )
    alone = pairs.filter(~pl.col("old").is_duplicated() & ~pl.col("new").is_duplicated()).sort("last", "old")
    if alone.height == 0:
        return Finding.of("ticker_renamed", 0, "")
    named = [f"{old} to {new}" for old, new in alone.select("old", "new").rows()]
    months = alone.group_by(pl.col("last").dt.strftime("%Y-%m").alias("month")).len().sort("month")
    return Finding.of(
        "ticker_renamed",
        alone.height,
        f"{named[0]} after {alone['last'][0]}",
        months=tuple(months.rows()),
        tickers=tuple((name, 1) for name in named[:MOST_PAIRS]),
    )
