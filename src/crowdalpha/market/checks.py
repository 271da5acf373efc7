"""What can be wrong with market data, and what is done about it.

    InputError
    └── MarketDataError          nothing of the market could be built
        ├── PriceFileError       a price file cannot be used
        │   ├── UniverseFileError    the same of the file of sectors and countries
        │   └── RatesFileError       the same of the file of exchange rates
        ├── PanelShapeError      arrays of a hand-made panel do not fit together
        ├── MarketTooShortError  the data are clean and too few
        └── MissingPackageError  what was asked for needs a package that is not there

What is not refused is handled by a rule of `RULES`: every rule has a name, one action and a count in the
`CheckReport`. Rules that change data look at the same row or at earlier days only, so that no repair of
day t can depend on what came after; those that need the next day only take note.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal, Self

from crowdalpha.errors import InputError

__all__ = [
    "RULES",
    "Action",
    "CheckReport",
    "Counts",
    "Finding",
    "MarketDataError",
    "MarketTooShortError",
    "MissingPackageError",
    "PanelShapeError",
    "PriceFileError",
    "RatesFileError",
    "UniverseFileError",
]

Action = Literal["repaired", "dropped", "noted"]

RULES: Mapping[str, tuple[Action, str]] = MappingProxyType(
    {
        "file_empty": ("dropped", "files of a folder or an archive without a row"),
        "rows_unsorted": ("repaired", "rows that go back in time within a ticker: all rows are sorted"),
        "ticker_joined": ("repaired", "rows under a former_ticker of the universe file: put under the present ticker"),
        "country_missing": ("repaired", "rows without a country: taken as country XX"),
        "close_not_finite": ("dropped", "rows whose close is empty, NaN or infinite"),
        "close_not_positive": ("dropped", "rows whose close is zero or negative"),
        "adj_factor_unusable": ("dropped", "rows whose adj_factor is empty, not finite or not positive"),
        "price_field_unusable": ("repaired", "open, high or low that is infinite or not positive: taken as missing"),
        "volume_unusable": ("repaired", "negative or infinite volumes: taken as missing"),
        "high_low_widened": ("repaired", "rows whose high or low does not contain open and close: widened"),
        "day_too_thin": ("dropped", "rows of days with under 30 % of the names usual in that country"),
        "day_half_missing": ("noted", "days with 30 to 70 % of the ten or more names usual in that country: kept"),
        "split_unapplied": (
            "repaired",
            "recorded splits of at least 6 for 5 by which (half to one and a half) total returns move: applied",
        ),
        "dividend_unapplied": (
            "repaired",
            "recorded dividends with under a tenth of their step in adj_factor, where it has stepped before: applied",
        ),
        "column_empty": ("noted", "of open, high, low and volume, those without a value: what needs them is missing"),
        "currency_mixed": ("noted", "currencies in one panel: without rates traded values are compared as they stand"),
        "currency_changed": ("noted", "rows in another currency than the ticker's row before: the return is as it is"),
        "rate_missing": ("repaired", "rows without a rate of the last ten days: traded value taken as missing"),
        "sector_unknown": ("repaired", "tickers without a sector: put in the sector Unknown"),
        "sector_spelling": ("repaired", "spellings of a sector that differ in case, spaces or &: taken as the first"),
        "sector_vanished": ("noted", "sectors without a price in the last 60 days of the panel"),
        "universe_unused": ("noted", "tickers of the universe file that have no prices"),
        "split_suspected": (
            "noted",
            "closes that jump to within 4 % of a split's ratio, stay, and trade under three times the usual value",
        ),
        "dividends_left_out": (
            "noted",
            "recorded dividends without a step in adj_factor, 30 or more, by which prices fall (three standard errors)",
        ),
        "jump_reverted": ("noted", "closes that jump by over 30 % and the next day are back by two thirds or more"),
        "jump_kept": ("noted", "closes that rise by over 100 % or fall by over 50 % and stay"),
        "price_stale": ("noted", "runs of ten or more equal closes as traded"),
        "volume_zero": ("noted", "runs of five or more days with a close and no volume"),
        "days_missing": ("noted", "days without a price between a ticker's first and last"),
        "session_missing": ("noted", "sessions of the exchange on which no name of its country has a price"),
        "session_unknown": ("noted", "days with prices on which the exchange of the country had no session"),
        "calendar_missing": ("noted", "countries whose days could not be held against an exchange calendar"),
        "listing_duplicated": (
            "noted",
            "pairs of tickers whose daily returns agree to 0.01 % on 95 % of 60 or more common days",
        ),
        "ticker_renamed": (
            "noted",
            "tickers that end the day before just one other begins, within 10 % of its price, both with 60 days",
        ),
        "survivorship": (
            "noted",
            "names of countries with 300 name-years over two years or more, of which under 1 % a year end early",
        ),
        "filing_unknown_ticker": ("dropped", "reports of tickers without prices"),
        "filing_before_period_end": ("dropped", "reports dated before the end of the period that they are about"),
        "filing_focus_unknown": ("dropped", "reports whose period_focus is none of Q1, Q2, Q3, Q4 and FY"),
        "filing_after_panel": ("noted", "reports that came after the last day of the panel: never used"),
        "feature_unusable": (
            "dropped",
            "features that need a column, sectors, countries, reports or years of prices that are not there",
        ),
        "feature_empty": ("noted", "features without a value in the first, the middle and the last era: kept, missing"),
        "sector_empty": ("noted", "eras in which a sector that had members has none: its factor is left out of them"),
        "style_missing": ("repaired", "style exposures that could not be computed: set to 0, the mean"),
        "era_too_few_assets": ("dropped", "weeks after warm-up whose universe is too small for an era"),
    },
)


class MarketDataError(InputError):
    """No market can be built from what was handed in."""

    code = "market_data"


class PriceFileError(MarketDataError):
    """A price file cannot be used; the message names file, column and first bad row.

    Parameters
    ----------
    source : str
        File name, or what the frame was called.
    problem : str
        What is wrong and the way out.
    column : str, optional
        Column with the first bad value.
    row : int, optional
        First bad data row, from 1, as the file was given.
    """

    code = "price_file"
    kind = "price file"

    def __init__(self, source: str, problem: str, *, column: str | None = None, row: int | None = None) -> None:
        self.source = source
        self.problem = problem
        self.column = column
        self.row = row
        where = [f"{self.kind} {source}"]
        where += [f"column {column}"] if column is not None else []
        where += [f"row {row}"] if row is not None else []
        super().__init__(f"{', '.join(where)}: {problem}")


class UniverseFileError(PriceFileError):
    """The file of countries and sectors cannot be used."""

    code = "universe_file"
    kind = "universe file"


class RatesFileError(PriceFileError):
    """The file of exchange rates cannot be used."""

    code = "rates_file"
    kind = "rates file"


class PanelShapeError(MarketDataError):
    """Arrays of a panel do not fit together."""

    code = "panel_shape"


class MarketTooShortError(MarketDataError):
    """Too few days, assets or eras; the message says how many are needed.

    Parameters
    ----------
    problem : str
        What is missing, with the numbers.
    eras_available, eras_needed : int
        How many eras the data give and how many were asked for.
    """

    code = "market_too_short"

    def __init__(self, problem: str, *, eras_available: int, eras_needed: int) -> None:
        self.eras_available = eras_available
        self.eras_needed = eras_needed
        super().__init__(problem)


class MissingPackageError(MarketDataError):
    """Something asked for needs a package that is not installed.

    Parameters
    ----------
    package : str
        Name of the package.
    extra : str
        Extra of crowdalpha that brings it.
    purpose : str
        What it is needed for.
    """

    code = "missing_package"

    def __init__(self, package: str, *, extra: str, purpose: str) -> None:
        self.package, self.extra = package, extra
        super().__init__(f"{purpose} needs {package}; install it with: pip install 'crowdalpha[{extra}]'")


Counts = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Finding:
    """How often one rule was met, what was done, and the first case.

    Parameters
    ----------
    rule : str
        Name in `RULES`.
    count : int
        How often it was met, in the unit that the rule names.
    action : {"repaired", "dropped", "noted"}
        What was done.
    example : str
        The first case.
    months : tuple of (str, int)
        Cases by month, `YYYY-MM`, in the order of time; empty where they have no day.
    tickers : tuple of (str, int)
        The tickers with most cases; empty where they have none.
    """

    rule: str
    count: int
    action: Action
    example: str
    months: Counts = ()
    tickers: Counts = ()

    @classmethod
    def of(cls, rule: str, count: int, example: str, *, months: Counts = (), tickers: Counts = ()) -> Self:
        """Make a finding of a rule of the table, with the action that stands there."""
        return cls(rule, count, RULES[rule][0], example, months=months, tickers=tickers)


@dataclass(frozen=True)
class CheckReport:
    """All findings of one panel, in the order of the rules, and what became of the rows."""

    findings: tuple[Finding, ...]
    rows_read: int
    rows_kept: int

    def count(self, rule: str) -> int:
        """How often `rule` was met; 0 where it was not."""
        return sum(finding.count for finding in self.findings if finding.rule == rule)

    def extended(self, more: Iterable[Finding]) -> "CheckReport":
        """Return a report with further findings."""
        return CheckReport(
            findings=tuple(sorted((*self.findings, *more), key=lambda finding: list(RULES).index(finding.rule))),
            rows_read=self.rows_read,
            rows_kept=self.rows_kept,
        )


def name_of(source: object) -> str:
    """Name a source in messages: the file name of a path, else that it was a frame."""
    return source.name if isinstance(source, Path) else "(frame)"
