"""Price files looked over before anything is built on them: what is wrong, what was repaired, what was refused."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from crowdalpha.market.adapters.sources import source_of
from crowdalpha.market.build import MIN_ASSETS
from crowdalpha.market.calendars import note_sessions
from crowdalpha.market.checks import Counts, Finding, PriceFileError, RatesFileError, UniverseFileError
from crowdalpha.market.listings import note_duplicated_listings, note_survivors
from crowdalpha.market.prices import PricePanel, read_panel
from crowdalpha.market.tables import Prices
from crowdalpha.market.universe import point_in_time_universe, week_ends

__all__ = ["Inspection", "MarketSummary", "Refusal", "inspect_panel", "inspect_prices"]


@dataclass(frozen=True)
class Refusal:
    """A file that could not be used, and why."""

    kind: str
    source: str
    column: str | None
    row: int | None
    problem: str

    @classmethod
    def of(cls, error: PriceFileError) -> "Refusal":
        """Make a refusal of an error."""
        return cls(error.kind, error.source, error.column, error.row, error.problem)

    def __str__(self) -> str:
        """Say it as the error does."""
        column = "" if self.column is None else f", column {self.column}"
        row = "" if self.row is None else f", row {self.row}"
        return f"{self.kind} {self.source}{column}{row}: {self.problem}"


@dataclass(frozen=True)
class MarketSummary:
    """One country of a panel; `by_month` counts names with a price in each month."""

    country: str
    currencies: tuple[str, ...]
    names: int
    days: int
    first: str
    last: str
    by_month: Counts


@dataclass(frozen=True)
class Inspection:
    """What was found in price files.

    Parameters
    ----------
    sources : tuple of str
        Names of the price files.
    refusals : tuple of Refusal
        Files that were left out.
    findings : tuple of Finding
        In the order of the rules; empty if nothing could be read.
    markets : tuple of MarketSummary
        By country.
    rows_read, rows_kept : int
        Rows of the files that were not refused.
    eras, weeks : int
        Weeks after warm-up with enough assets for an era, and all weeks after warm-up.
    value_currency : str
        Currency of traded values where rates were given, else "".
    """

    sources: tuple[str, ...]
    refusals: tuple[Refusal, ...]
    findings: tuple[Finding, ...] = ()
    markets: tuple[MarketSummary, ...] = ()
    rows_read: int = 0
    rows_kept: int = 0
    eras: int = 0
    weeks: int = 0
    value_currency: str = ""


def inspect_prices(
    prices: Sequence[Prices], universe: Path | pl.DataFrame | None = None, *, rates: Path | pl.DataFrame | None = None
) -> Inspection:
    """Read price files as `read_panel` does and look for more than a reader needs to know.

    Parameters
    ----------
    prices : sequence of Path, DataFrame or PriceSource
        One or several markets.
    universe, rates : Path or DataFrame, optional
        As in `read_panel`.

    Returns
    -------
    Inspection
        Never raises for a file that cannot be used: it is left out and named under `refusals`.

    Notes
    -----
    NaN policy: omit. Cost: that of `read_panel`, and O(n_days * n_assets**2) for duplicated listings. Files are read
    again only where one was refused.
    """
    names = tuple(source_of(each).name for each in prices)
    refusals: list[Refusal] = []
    usable = list(prices)
    while usable:
        try:
            panel = read_panel(usable, universe, rates=rates)
        except UniverseFileError as error:
            refusals.append(Refusal.of(error))
            universe = None
        except RatesFileError as error:
            refusals.append(Refusal.of(error))
            rates = None
        except PriceFileError as error:
            kept, refused = _usable_alone(usable)
            # each is good by itself: what is wrong is between them, and none can be chosen over another
            refusals += refused or [Refusal.of(error)]
            usable = kept if refused else []
        else:
            return replace(inspect_panel(panel), sources=names, refusals=tuple(refusals))
    return Inspection(sources=names, refusals=tuple(refusals))


def _usable_alone(prices: Sequence[Prices]) -> tuple[list[Prices], list[Refusal]]:
    usable: list[Prices] = []
    refused: list[Refusal] = []
    for source in prices:
        try:
            read_panel(source)
        except PriceFileError as error:
            refused.append(Refusal.of(error))
        else:
            usable.append(source)
    return usable, refused


def inspect_panel(panel: PricePanel) -> Inspection:
    """Look a panel over.

    Parameters
    ----------
    panel : PricePanel
        As `read_panel` returns it.

    Returns
    -------
    Inspection
        Without names of files and refusals.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets**2).
    """
    weeks = week_ends(panel.dates)
    member = point_in_time_universe(panel.close, panel.dollar_volume, era_rows=weeks)
    small = panel.dates[weeks[member.sum(axis=1) < MIN_ASSETS]]
    example = f"week to {small[0]}" if len(small) else ""
    more = [
        *note_sessions(panel),
        note_duplicated_listings(panel),
        note_survivors(panel),
        Finding.of("era_too_few_assets", len(small), example),
    ]
    checks = panel.checks.extended(finding for finding in more if finding.count)
    return Inspection(
        sources=(),
        refusals=(),
        findings=checks.findings,
        markets=tuple(_summary(panel, str(country)) for country in np.unique(panel.country)),
        rows_read=checks.rows_read,
        rows_kept=checks.rows_kept,
        eras=len(weeks) - len(small),
        weeks=len(weeks),
        value_currency=panel.value_currency,
    )


def _summary(panel: PricePanel, country: str) -> MarketSummary:
    home = panel.country == country
    priced = ~np.isnan(panel.close[:, home])
    days = panel.dates[priced.any(axis=1)]
    months, starts = np.unique(panel.dates.astype("datetime64[M]"), return_index=True)
    counts = np.logical_or.reduceat(priced, starts, axis=0).sum(axis=1)
    used = np.unique(np.array(panel.currency, dtype=np.str_)[home]) if panel.currency else np.array([], dtype=np.str_)
    return MarketSummary(
        country=country,
        currencies=tuple(str(each) for each in used if each),
        names=int(home.sum()),
        days=len(days),
        first=str(days[0]),
        last=str(days[-1]),
        by_month=tuple((str(month), int(count)) for month, count in zip(months, counts, strict=True)),
    )
