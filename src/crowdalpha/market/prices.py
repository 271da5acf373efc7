"""Daily prices of many assets as aligned arrays, read from long files."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from crowdalpha.market.arrays import BoolArray, DateArray, FloatArray, TextArray
from crowdalpha.market.checks import (
    CheckReport,
    Finding,
    PanelShapeError,
    UniverseFileError,
    name_of,
)
from crowdalpha.market.cleaning import clean_rows
from crowdalpha.market.groups import Groups
from crowdalpha.market.notes import (
    note_empty_columns,
    note_missing_days,
    note_reverted_jumps,
    note_stale_prices,
)
from crowdalpha.market.tables import read_price_table, read_universe_table

__all__ = ["UNKNOWN_SECTOR", "PricePanel", "read_panel"]

UNKNOWN_SECTOR = "Unknown"


@dataclass(frozen=True)
class PricePanel:
    """Daily prices: a row a day, a column an asset, NaN where an asset did not trade.

    Parameters
    ----------
    dates : ndarray of shape (n_days,), dtype=datetime64[D]
        Days on which anything traded, ascending.
    tickers : tuple of str
        Assets, ascending; `country:code` where one code stands for companies of two countries.
    close, open, high, low : ndarray of shape (n_days, n_assets), dtype=float64
        Total-return prices (as traded times adjustment factor). Only ratios mean something: the level of an
        adjusted price knows later splits and dividends.
    volume : ndarray of shape (n_days, n_assets), dtype=float64
        Units traded.
    dollar_volume : ndarray of shape (n_days, n_assets), dtype=float64
        Price as traded times volume, in the currency of the file.
    country, sector : ndarray of shape (n_assets,), dtype=str
        Groups of the assets; "XX" and "Unknown" where the files say nothing.
    checks : CheckReport
        What was found in the files and what was done about it.

    Raises
    ------
    PanelShapeError
        If shapes differ, or dates or tickers are not ascending.
    """

    dates: DateArray
    tickers: tuple[str, ...]
    close: FloatArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    volume: FloatArray
    dollar_volume: FloatArray
    country: TextArray
    sector: TextArray
    checks: CheckReport

    def __post_init__(self) -> None:
        shape = (len(self.dates), len(self.tickers))
        for name in ("close", "open", "high", "low", "volume", "dollar_volume"):
            if getattr(self, name).shape != shape:
                raise PanelShapeError(f"{name} has shape {getattr(self, name).shape}; dates and tickers need {shape}")
        for name in ("country", "sector"):
            if getattr(self, name).shape != shape[1:]:
                raise PanelShapeError(f"{name} has shape {getattr(self, name).shape}; tickers need {shape[1:]}")
        if not bool((np.diff(self.dates) > np.timedelta64(0, "D")).all()):
            raise PanelShapeError("dates must ascend, each day once")
        if list(self.tickers) != sorted(set(self.tickers)):
            raise PanelShapeError("tickers must ascend, each once")


def read_panel(prices: Path | pl.DataFrame, universe: Path | pl.DataFrame | None = None) -> PricePanel:
    """Read prices and sectors, check them by the rules of `checks.RULES`, align them into a panel.

    Parameters
    ----------
    prices : Path or DataFrame
        Long daily prices, Parquet or CSV; see `tables.read_price_table` for the columns.
    universe : Path or DataFrame, optional
        Countries and sectors by ticker; joined on (country, ticker), or on ticker where one of the two
        tables has no countries. Without it every sector is "Unknown".

    Returns
    -------
    PricePanel
        Total-return prices on all days of the file; its `checks` hold the findings.

    Raises
    ------
    PriceFileError
        If the price file cannot be used; names file, column and first bad row.
    UniverseFileError
        The same of the universe file.

    Notes
    -----
    NaN policy: omit (rows without a usable close are dropped and counted). Cost: O(rows log rows).

    Examples
    --------
    >>> rows = {"date": ["2024-01-02", "2024-01-03"], "ticker": ["A", "A"], "close": [10.0, 11.0]}
    >>> panel = read_panel(pl.DataFrame(rows))
    >>> panel.tickers, panel.close.ravel().tolist(), panel.sector.tolist()
    (('A',), [10.0, 11.0], ['Unknown'])
    """
    name = name_of(prices)
    rows = read_price_table(prices)
    rows_read = rows.height
    members = None if universe is None else read_universe_table(universe)
    if members is not None and rows["country"].null_count() == rows.height:
        rows = _with_countries(rows, members, name_of(universe))
    rows, findings = clean_rows(rows, name=name)
    assets, found = _assets(rows, members)
    findings += found
    if (n_currencies := rows["currency"].drop_nulls().n_unique()) > 1:
        findings.append(
            Finding.of("currency_mixed", n_currencies, ", ".join(sorted(rows["currency"].unique().drop_nulls())))
        )
    return _panel(rows, assets, findings=findings, rows_read=rows_read)


def _with_countries(rows: pl.DataFrame, members: pl.DataFrame, universe_name: str) -> pl.DataFrame:
    used = members.filter(pl.col("ticker").is_in(rows["ticker"].unique().implode()))
    twice = used.filter(pl.col("ticker").is_duplicated())
    if twice.height:
        ticker = twice["ticker"][0]
        problem = f"{ticker!r} is in more than one country; give the price file a column country"
        raise UniverseFileError(universe_name, problem, column="ticker")
    return rows.drop("country").join(used.select("ticker", "country"), on="ticker", how="left", maintain_order="left")


def _assets(rows: pl.DataFrame, members: pl.DataFrame | None) -> tuple[pl.DataFrame, list[Finding]]:
    """One row an asset: country, code, name, sector, in the order of the panel."""
    assets = rows.select("country", "code", "ticker").unique(["country", "code"], keep="first", maintain_order=True)
    clash = pl.col("code").is_duplicated()
    named = pl.when(clash).then(pl.format("{}:{}", "country", "code")).otherwise("code")
    assets = assets.with_columns(named.alias("name"), sector=pl.lit(None, dtype=pl.String))
    findings = []
    if members is not None:
        keys = ["ticker"] if members["country"].null_count() == members.height else ["country", "ticker"]
        sectors = members.select(*keys, "sector")
        assets = assets.drop("sector").join(sectors, on=keys, how="left", maintain_order="left")
        idle = members.join(assets, on=keys, how="anti", maintain_order="left")
        if idle.height:
            findings.append(Finding.of("universe_unused", idle.height, idle["ticker"][0]))
    assets = assets.sort("name")
    unknown = assets.filter(pl.col("sector").is_null())["name"]
    if len(unknown):
        findings.append(Finding.of("sector_unknown", len(unknown), str(unknown[0])))
    return assets.with_columns(pl.col("sector").fill_null(UNKNOWN_SECTOR)), findings


def _panel(rows: pl.DataFrame, assets: pl.DataFrame, *, findings: list[Finding], rows_read: int) -> PricePanel:
    dates: DateArray = rows["date"].unique().sort().to_numpy().astype("datetime64[D]")
    day = np.searchsorted(dates, rows["date"].to_numpy().astype("datetime64[D]"))
    numbered = assets.select("country", "code").with_row_index("column")
    column = rows.select("country", "code").join(numbered, on=["country", "code"], how="left", maintain_order="left")
    place = day * assets.height + column["column"].to_numpy().astype(np.int64)

    def grid(values: pl.Series) -> FloatArray:
        cells = np.full(len(dates) * assets.height, np.nan)
        cells[place] = values.fill_null(float("nan")).to_numpy()
        return cells.reshape(len(dates), assets.height)

    factor = rows["adj_factor"]
    volume = grid(rows["volume"])
    adjusted = {name: grid(rows[name] * factor) for name in ("close", "open", "high", "low")}
    tickers = tuple(assets["name"].to_list())
    country = np.array(assets["country"].to_list(), dtype=np.str_)
    close = adjusted["close"]
    open_days = _open_days(close, Groups.of(country))
    findings = [
        *findings,
        note_empty_columns({name: adjusted[name] for name in ("open", "high", "low")} | {"volume": volume}),
        note_reverted_jumps(close, dates=dates, tickers=tickers),
        note_stale_prices(close, dates=dates, tickers=tickers),
        note_missing_days(close, open_days=open_days, dates=dates, tickers=tickers),
    ]
    report = CheckReport(findings=(), rows_read=rows_read, rows_kept=rows.height)
    return PricePanel(
        dates=dates,
        tickers=tickers,
        close=close,
        open=adjusted["open"],
        high=adjusted["high"],
        low=adjusted["low"],
        volume=volume,
        dollar_volume=grid(rows["close"] * rows["volume"]),
        country=country,
        sector=np.array(assets["sector"].to_list(), dtype=np.str_),
        checks=report.extended(finding for finding in findings if finding.count),
    )


def _open_days(close: FloatArray, groups: Groups) -> BoolArray:
    """On which days anything of an asset's country traded, for each asset."""
    traded = np.where(np.isnan(close), 0.0, 1.0)
    return groups.spread(groups.sums(traded)) > 0
