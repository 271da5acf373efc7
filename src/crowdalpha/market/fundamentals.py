"""Company reports, point in time: a report is used from the day it was available, and on no day before."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from polars.exceptions import PolarsError

from crowdalpha.market.arrays import FloatArray, IntArray
from crowdalpha.market.checks import Finding, PriceFileError, name_of
from crowdalpha.market.prices import PricePanel
from crowdalpha.market.returns import MAX_GAP_DAYS

__all__ = ["ITEMS", "MAX_AGE_DAYS", "FilingState", "Filings", "FilingsFileError", "read_filings"]

ITEMS = (
    *("revenues", "op_income", "net_income", "eps_basic", "eps_diluted", "dividend"),
    *("assets", "cur_assets", "cur_liab", "cash", "equity"),
    *("cash_flow_op", "cash_flow_inv", "cash_flow_fin"),
)
"""Numbers of a report; each column may be absent."""
OF_A_QUARTER = ("revenues", "op_income", "net_income", "eps_basic", "eps_diluted", "dividend")
"""Items that a quarterly report gives for the quarter: taken times four. A yearly report gives them for the year."""
SINCE_YEAR_START = ("cash_flow_op", "cash_flow_inv", "cash_flow_fin")
"""Items that a quarterly report gives since the start of the fiscal year: taken times four over the quarter."""
QUARTERS = {"Q1": 1.0, "Q2": 2.0, "Q3": 3.0, "Q4": 4.0, "FY": 4.0}
DERIVED = ("delay", "market_value", "close_then", "age")
MAX_AGE_DAYS = 400
"""A report about a period that ended longer ago says nothing any more."""
YEAR_DAYS, YEAR_SLACK_DAYS = 365, 15


class FilingsFileError(PriceFileError):
    """The file of reports cannot be used; the message names file, column and first bad row."""

    code = "filings_file"
    kind = "filings file"


@dataclass(frozen=True, eq=False)
class Filings:
    """All reports of the assets of a panel, ordered by asset, then by the day from which they may be used.

    Parameters
    ----------
    asset, row : ndarray of shape (n_filings,), dtype=int64
        Asset, and first day of the panel on which the report may be used.
    current : ndarray of shape (n_filings,), dtype=int64
        Once this report is there, the report about the latest period of this asset, as a position.
    year_ago : ndarray of shape (n_filings,), dtype=int64
        Report about the same period a year before that was there by then, as a position; -1 where there is none.
    period_end : ndarray of shape (n_filings,), dtype=int64
        Last day of the period, in days since 1970.
    values : dict of str to ndarray of shape (n_filings,), dtype=float64
        Items at a yearly rate, `delay` (days from the end of the period), `market_value` (of the company, at the last
        close before the report) and `close_then` (the total-return price of that close).
    n_days : int
        Days of the panel.
    findings : tuple of Finding
        Reports that were left out or never used, by rule.
    """

    asset: IntArray
    row: IntArray
    current: IntArray
    year_ago: IntArray
    period_end: IntArray
    values: dict[str, FloatArray]
    n_days: int
    findings: tuple[Finding, ...]

    def state(self, panel: PricePanel, rows: IntArray) -> "FilingState":
        """Find what was known on these days of the panel, at their close."""
        n_assets = len(panel.tickers)
        width = self.n_days + 1
        wanted = np.arange(n_assets)[None, :] * width + rows[:, None]
        place = np.searchsorted(self.asset * width + self.row, wanted, side="right") - 1
        found = place >= 0
        found &= self.asset[np.maximum(place, 0)] == np.arange(n_assets) if len(self.asset) else False
        newest = np.where(found, self.current[np.maximum(place, 0)] if len(self.asset) else -1, -1)
        today = panel.dates[rows].astype("datetime64[D]").astype(np.int64)
        age = today[:, None] - self._take(self.period_end.astype(np.float64), newest)
        fresh = age <= MAX_AGE_DAYS
        newest = np.where(fresh, newest, -1)
        return FilingState(self, newest=newest, age=np.where(fresh, age, np.nan), close=panel.close[rows])

    @staticmethod
    def _take(values: FloatArray, place: IntArray) -> FloatArray:
        if not len(values):
            return np.full(place.shape, np.nan)
        return np.where(place >= 0, values[np.maximum(place, 0)], np.nan)


@dataclass(frozen=True, eq=False)
class FilingState:
    """What was known of the reports of each asset on some days.

    Parameters
    ----------
    filings : Filings
        All reports.
    newest : ndarray of shape (n_eras, n_assets), dtype=int64
        Position of the report about the latest period; -1 where there is none that is recent enough.
    age : ndarray of shape (n_eras, n_assets), dtype=float64
        Days since the end of that period.
    close : ndarray of shape (n_eras, n_assets), dtype=float64
        Total-return price of the day.
    """

    filings: Filings
    newest: IntArray
    age: FloatArray
    close: FloatArray

    def item(self, name: str, *, year_ago: bool = False) -> FloatArray:
        """Values (n_eras, n_assets) of an item; `market_value` is brought up to the day by the return since then."""
        if name == "age":
            return self.age
        place = self.newest
        if year_ago and len(self.filings.year_ago):
            place = np.where(place >= 0, self.filings.year_ago[np.maximum(place, 0)], -1)
        values = self.filings._take(self.filings.values[name], place)  # noqa: SLF001  # two halves of one thing
        if name == "market_value" and not year_ago:
            growth = self.close / self.item("close_then")
            return values * growth
        return values


def read_filings(source: Path | pl.DataFrame, panel: PricePanel) -> Filings:
    """Read company reports and line them up with the days and assets of a panel.

    Parameters
    ----------
    source : Path or DataFrame
        Parquet, CSV or a frame with a row a report: `available_date` (usable on that day), `ticker`, `period_end`,
        `period_focus` (Q1 to Q4 or FY), and any of `ITEMS`. Amounts are in the currency of the prices.
    panel : PricePanel
        Days and assets.

    Returns
    -------
    Filings
        Reports of assets of the panel.

    Raises
    ------
    FilingsFileError
        If the file cannot be read, a column that is needed is missing, or a date is empty.

    Notes
    -----
    NaN policy: propagate. A report is used on the days from `available_date` on. One that would have been available
    before its period had ended is left out (`filing_before_period_end`); so is one of an unknown ticker
    (`filing_unknown_ticker`); one that comes after the last day is never used (`filing_after_panel`). A report about
    an earlier period that comes late does not displace a later one, a correction of the same period does. A company's
    value is the number of shares that net income and earnings per share imply, times the price as traded before
    the report, times the total return since: no level of an adjusted price is used. Cost: O(n log n).
    """
    frame, name = _frame(source), name_of(source)
    for column in ("available_date", "ticker", "period_end", "period_focus"):
        if column not in frame.columns:
            raise FilingsFileError(
                name, "is missing; without it nobody can tell from which day a report is known", column=column
            )
        if frame[column].null_count():
            row = int(frame[column].is_null().arg_true()[0]) + 1
            raise FilingsFileError(name, "is empty; give every report its dates and ticker", column=column, row=row)
    kept, findings = _kept(frame, panel, name)
    return _filings(kept, panel, findings)


def _frame(source: Path | pl.DataFrame) -> pl.DataFrame:
    if isinstance(source, pl.DataFrame):
        return source
    try:
        return pl.read_csv(source, try_parse_dates=True) if source.suffix == ".csv" else pl.read_parquet(source)
    except (OSError, PolarsError) as error:
        raise FilingsFileError(source.name, f"cannot be read ({error}); give Parquet or CSV") from error


def _kept(frame: pl.DataFrame, panel: PricePanel, name: str) -> tuple[pl.DataFrame, tuple[Finding, ...]]:
    for column in ("available_date", "period_end"):
        if frame.schema[column] != pl.Date:
            raise FilingsFileError(name, f"has type {frame.schema[column]}; give dates", column=column)
    for item in ITEMS:
        if item in frame.columns and not frame.schema[item].is_numeric():
            raise FilingsFileError(name, f"has type {frame.schema[item]}; give numbers", column=item)
    assets = pl.DataFrame({"ticker": list(panel.tickers)}).with_row_index("asset")
    items = [
        (pl.col(item) if item in frame.columns else pl.lit(None)).cast(pl.Float64).fill_null(float("nan")).alias(item)
        for item in ITEMS
    ]
    frame = frame.select("available_date", "ticker", "period_end", "period_focus", *items)
    frame = frame.join(assets, on="ticker", how="left", maintain_order="left")
    last = panel.dates[-1].astype("datetime64[D]").item()
    rules = (
        ("filing_unknown_ticker", pl.col("asset").is_null(), "dropped"),
        ("filing_before_period_end", pl.col("available_date") < pl.col("period_end"), "dropped"),
        ("filing_focus_unknown", ~pl.col("period_focus").is_in(list(QUARTERS)), "dropped"),
        ("filing_after_panel", pl.col("available_date") > last, "noted"),
    )
    findings = []
    for rule, bad, action in rules:
        met = frame.filter(bad)
        if met.height:
            example = f"{met['ticker'][0]} available {met['available_date'][0]}, period to {met['period_end'][0]}"
            findings.append(
                Finding(rule, count=met.height, action="noted" if action == "noted" else "dropped", example=example)
            )
            frame = frame.filter(~bad)
    order = frame.with_row_index("given").sort("asset", "available_date", "period_end", "given")
    return order, tuple(findings)


def _filings(frame: pl.DataFrame, panel: PricePanel, findings: tuple[Finding, ...]) -> Filings:
    asset = frame["asset"].to_numpy().astype(np.int64)
    available = frame["available_date"].to_numpy().astype("datetime64[D]")
    row = np.searchsorted(panel.dates, available).astype(np.int64)
    period_end = frame["period_end"].to_numpy().astype("datetime64[D]").astype(np.int64)
    quarters = np.array([QUARTERS[focus] for focus in frame["period_focus"].to_list()])
    yearly = frame["period_focus"].to_numpy() == "FY"
    values: dict[str, FloatArray] = {}
    for item in ITEMS:
        given = frame[item].to_numpy().astype(np.float64)
        rate = np.where(yearly, 1.0, 4.0) if item in OF_A_QUARTER else np.ones(len(given))
        values[item] = given * (4.0 / quarters if item in SINCE_YEAR_START else rate)
    values["delay"] = available.astype(np.int64).astype(np.float64) - period_end
    price, values["close_then"] = _price_before(panel, asset, row)
    values["market_value"] = _shares(values) * price
    return Filings(
        asset=asset,
        row=row,
        current=_latest_period(asset, period_end),
        year_ago=_a_year_before(frame, row),
        period_end=period_end,
        values=values,
        n_days=len(panel.dates),
        findings=findings,
    )


def _shares(values: dict[str, FloatArray]) -> FloatArray:
    """Infer the number of shares from two items that both tell the same earnings."""
    earnings, a_share = values["net_income"], values["eps_diluted"]
    a_share = np.where(np.isnan(a_share), values["eps_basic"], a_share)
    usable = (np.sign(earnings) == np.sign(a_share)) & (a_share != 0)
    return np.where(usable, earnings / np.where(usable, a_share, 1.0), np.nan)


def _price_before(panel: PricePanel, asset: IntArray, row: IntArray) -> tuple[FloatArray, FloatArray]:
    """Price as traded, and total-return price, of the last trade of the 20 days before each report."""
    traded, adjusted = np.full(len(asset), np.nan), np.full(len(asset), np.nan)
    for back in range(MAX_GAP_DAYS, 0, -1):
        at = np.maximum(row - back, 0)
        units = panel.volume[at, asset]
        known = (row >= back) & (units > 0) & ~np.isnan(panel.close[at, asset])
        traded = np.where(known, panel.dollar_volume[at, asset] / np.where(known, units, 1.0), traded)
        adjusted = np.where(known, panel.close[at, asset], adjusted)
    return traded, adjusted


def _latest_period(asset: IntArray, period_end: IntArray) -> IntArray:
    """Keep track of the report about the latest period of each asset; of equals the later report."""
    by_period = np.lexsort((np.arange(len(asset)), period_end, asset))
    rank = np.empty(len(asset), dtype=np.int64)
    rank[by_period] = np.arange(len(asset))
    return by_period[np.maximum.accumulate(rank)] if len(asset) else rank


def _a_year_before(frame: pl.DataFrame, row: IntArray) -> IntArray:
    """First report about the same period a year before, where that was there by the day of this one."""
    numbered = frame.select(
        "asset", "period_focus", "period_end", place=pl.int_range(pl.len(), dtype=pl.Int64), row=pl.Series(row)
    )
    first = numbered.unique(["asset", "period_focus", "period_end"], keep="first", maintain_order=True)
    then = pl.col("period_end") - pl.duration(days=YEAR_DAYS)
    found = (
        numbered.with_columns(wanted=then)
        .sort("wanted")
        .join_asof(
            first.select("asset", "period_focus", wanted="period_end", before="place", row_before="row").sort("wanted"),
            on="wanted",
            by=["asset", "period_focus"],
            strategy="nearest",
            tolerance=f"{YEAR_SLACK_DAYS}d",
            check_sortedness=False,
        )
        .sort("place")
    )
    known = pl.when(pl.col("row_before") <= pl.col("row")).then(pl.col("before")).otherwise(-1).fill_null(-1)
    return found.select(known)["before"].to_numpy().astype(np.int64)
