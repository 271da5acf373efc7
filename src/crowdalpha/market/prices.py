"""Daily prices of many assets as aligned arrays, read from long files."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from crowdalpha.market.adapters.sources import PriceSource, source_of
from crowdalpha.market.arrays import BoolArray, DateArray, FloatArray, TextArray
from crowdalpha.market.checks import CheckReport, Finding, PanelShapeError, name_of
from crowdalpha.market.cleaning import clean_rows
from crowdalpha.market.currency import value_rates
from crowdalpha.market.groups import Groups
from crowdalpha.market.members import UNKNOWN_SECTOR, assets_of, with_places, with_present_names
from crowdalpha.market.notes import (
    note_empty_columns,
    note_jumps,
    note_missing_days,
    note_stale_prices,
    note_vanished_sectors,
    note_zero_volume,
)
from crowdalpha.market.renames import note_renamed_tickers
from crowdalpha.market.tables import Prices, read_price_tables, read_rates_table, read_universe_table

__all__ = ["UNKNOWN_SECTOR", "PricePanel", "read_panel"]


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
        Price as traded times volume, in the currency of each file, or in `value_currency`.
    country, sector : ndarray of shape (n_assets,), dtype=str
        Groups of the assets; "XX" and "Unknown" where the files say nothing.
    checks : CheckReport
        What was found in the files and what was done about it.
    currency : tuple of str
        Currency of each asset's prices and returns, "" where the files say nothing; empty if nobody asked.
    value_currency : str
        Currency of `dollar_volume` where rates were given, else "".

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
    currency: tuple[str, ...] = ()
    value_currency: str = ""

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


def read_panel(
    prices: Prices | Sequence[Prices],
    universe: Path | pl.DataFrame | None = None,
    *,
    rates: Path | pl.DataFrame | None = None,
) -> PricePanel:
    """Read prices and sectors, check them by the rules of `checks.RULES`, align them into a panel.

    Parameters
    ----------
    prices : Path, DataFrame, PriceSource, or a sequence of them
        Daily prices; see `tables.read_price_table` for what they may be. Several markets become one panel: returns
        stay in the currency of each.
    universe : Path or DataFrame, optional
        Countries, currencies and sectors by ticker; joined on (country, ticker), or on ticker where one of the two
        tables has no countries. Without it every sector is "Unknown".
    rates : Path or DataFrame, optional
        Exchange rates; see `tables.read_rates_table`. Traded values are then all in one currency.

    Returns
    -------
    PricePanel
        Total-return prices on all days of the files; its `checks` hold the findings.

    Raises
    ------
    PriceFileError
        If a price file cannot be used; names file, column and first bad row.
    UniverseFileError, RatesFileError
        The same of the universe file and the rates.

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
    several = [prices] if isinstance(prices, Path | pl.DataFrame | PriceSource) else list(prices)
    name = ", ".join(dict.fromkeys(source_of(each).name for each in several))
    known_rates = None if rates is None else read_rates_table(rates)
    rows, findings = read_price_tables(several)
    rows_read = rows.height
    members = None if universe is None else read_universe_table(universe)
    if members is not None:
        rows, joined = with_present_names(rows, members)
        findings.append(joined)
        rows = with_places(rows, members, name_of(universe))
    rows, found = clean_rows(rows, name=name)
    assets, found_of_assets = assets_of(rows, members)
    findings += [*found, *found_of_assets, _note_currencies(rows), note_renamed_tickers(rows)]
    unit = ""
    if known_rates is not None:
        unit = known_rates[1]
        worth, missing = value_rates(rows, known_rates[0], unit=unit)
        rows = rows.with_columns(worth=worth)
        findings.append(missing)
    return _panel(rows, assets, findings=findings, rows_read=rows_read, value_currency=unit)


def _note_currencies(rows: pl.DataFrame) -> Finding:
    currencies = sorted(rows["currency"].drop_nulls().unique())
    return Finding.of("currency_mixed", len(currencies) if len(currencies) > 1 else 0, ", ".join(currencies))


def _panel(
    rows: pl.DataFrame, assets: pl.DataFrame, *, findings: list[Finding], rows_read: int, value_currency: str
) -> PricePanel:
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
    value = rows["close"] * rows["volume"]
    panel = PricePanel(
        dates=dates,
        tickers=tuple(assets["name"].to_list()),
        close=grid(rows["close"] * factor),
        open=grid(rows["open"] * factor),
        high=grid(rows["high"] * factor),
        low=grid(rows["low"] * factor),
        volume=grid(rows["volume"]),
        dollar_volume=grid(value * rows["worth"] if "worth" in rows.columns else value),
        country=np.array(assets["country"].to_list(), dtype=np.str_),
        sector=np.array(assets["sector"].to_list(), dtype=np.str_),
        checks=CheckReport(findings=(), rows_read=rows_read, rows_kept=rows.height),
        currency=tuple(assets["currency"].fill_null("").to_list()),
        value_currency=value_currency,
    )
    found = [*findings, *_notes(panel, grid(rows["close"]))]
    return replace(panel, checks=panel.checks.extended(finding for finding in found if finding.count))


def _notes(panel: PricePanel, as_traded: FloatArray) -> list[Finding]:
    dates, tickers = panel.dates, panel.tickers
    optional = {name: getattr(panel, name) for name in ("open", "high", "low", "volume")}
    open_days = _open_days(panel.close, Groups.of(panel.country))
    return [
        note_empty_columns(optional),
        note_vanished_sectors(panel.close, panel.sector, panel.country, dates=dates),
        *note_jumps(panel.close, panel.open, panel.dollar_volume, dates=dates, tickers=tickers),
        # a price that stands still does so through a dividend, too
        note_stale_prices(as_traded, dates=dates, tickers=tickers),
        note_zero_volume(panel.close, panel.volume, dates=dates, tickers=tickers),
        note_missing_days(panel.close, open_days=open_days, dates=dates, tickers=tickers),
    ]


def _open_days(close: FloatArray, groups: Groups) -> BoolArray:
    """On which days anything of an asset's country traded, for each asset."""
    traded = np.where(np.isnan(close), 0.0, 1.0)
    return groups.spread(groups.sums(traded)) > 0
