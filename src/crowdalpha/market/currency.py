"""Traded values of several markets in one currency."""

import polars as pl

from crowdalpha.market.checks import Finding
from crowdalpha.market.cleaning import finding_of_rows

__all__ = ["SUBUNITS", "value_rates"]

SUBUNITS = {"GBX": ("GBP", 100.0), "GBp": ("GBP", 100.0), "ZAc": ("ZAR", 100.0), "ZAX": ("ZAR", 100.0)} | {
    "ILA": ("ILS", 100.0),
}
"""Units that exchanges quote in and no table of rates has: the currency, and how many make one of it."""

RATE_DAYS = 10


def value_rates(rows: pl.DataFrame, rates: pl.DataFrame, *, unit: str) -> tuple[pl.Series, Finding]:
    """Find what one unit of each row's currency was worth on its day.

    Parameters
    ----------
    rows : DataFrame
        Clean rows with `source`, `row`, `code`, `date` and `currency`.
    rates : DataFrame
        `date`, `currency`, `per_unit`: units of the currency for one `unit`.
    unit : str
        Currency that values are to be in.

    Returns
    -------
    tuple of (Series of shape (n_rows,) dtype=Float64, Finding)
        Units of `unit` for one of the row's currency, at the last rate of the day or the ten days before it; null where
        there is none or the row has no currency. And those rows, under rule `rate_missing`.

    Notes
    -----
    NaN policy: propagate. Cost: O(rows log rows). No rate of a later day is read.

    Examples
    --------
    >>> from datetime import date
    >>> day = date(2024, 1, 2)
    >>> rows = pl.DataFrame({"source": "f", "row": [1], "code": "A", "date": [day], "currency": ["GBX"]})
    >>> rates = pl.DataFrame({"date": [day], "currency": ["GBP"], "per_unit": [0.8]})
    >>> value_rates(rows, rates, unit="EUR")[0].to_list()
    [0.0125]
    """
    main = {part: whole for part, (whole, _) in SUBUNITS.items()}
    parts = {part: number for part, (_, number) in SUBUNITS.items()}
    asked = rows.select("date", "currency").with_row_index("place")
    asked = asked.with_columns(
        whole=pl.col("currency").replace(main),
        parts=pl.col("currency").replace_strict(parts, default=1.0, return_dtype=pl.Float64),
    )
    known = rates.select("date", pl.col("currency").alias("whole"), "per_unit").sort("date")
    found = (
        asked.sort("date")
        .join_asof(known, on="date", by="whole", strategy="backward", tolerance=f"{RATE_DAYS}d", check_sortedness=False)
        .sort("place")
    )
    per_unit = pl.when(pl.col("whole") == unit).then(1.0).otherwise("per_unit")
    worth = found.select((1.0 / per_unit / pl.col("parts")).alias("worth")).to_series()
    return worth, finding_of_rows("rate_missing", rows, worth.is_null())
