"""What can be wrong with market data, and what is done about it.

    InputError
    └── MarketDataError          nothing of the market could be built
        ├── PriceFileError       a price file cannot be used
        │   └── UniverseFileError    the same of the file of sectors and countries
        ├── PanelShapeError      arrays of a hand-made panel do not fit together
        └── MarketTooShortError  the data are clean and too few

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
    "Finding",
    "MarketDataError",
    "MarketTooShortError",
    "PanelShapeError",
    "PriceFileError",
    "UniverseFileError",
]

Action = Literal["repaired", "dropped", "noted"]

RULES: Mapping[str, tuple[Action, str]] = MappingProxyType(
    {
        "rows_unsorted": ("repaired", "rows that go back in time within a ticker: all rows are sorted"),
        "country_missing": ("repaired", "rows without a country: taken as country XX"),
        "close_not_finite": ("dropped", "rows whose close is empty, NaN or infinite"),
        "close_not_positive": ("dropped", "rows whose close is zero or negative"),
        "adj_factor_unusable": ("dropped", "rows whose adj_factor is empty, not finite or not positive"),
        "price_field_unusable": ("repaired", "open, high or low that is infinite or not positive: taken as missing"),
        "volume_unusable": ("repaired", "negative or infinite volumes: taken as missing"),
        "high_low_widened": ("repaired", "rows whose high or low does not contain open and close: widened"),
        "day_too_thin": ("dropped", "rows of days with under 30 % of the names usual in that country"),
        "column_empty": ("noted", "of open, high, low and volume, those without a value: what needs them is missing"),
        "currency_mixed": ("noted", "currencies in one panel: traded values are compared as they stand"),
        "sector_unknown": ("repaired", "tickers without a sector: put in the sector Unknown"),
        "universe_unused": ("noted", "tickers of the universe file that have no prices"),
        "jump_reverted": ("noted", "closes that jump by over 30 % and are back the next day"),
        "price_stale": ("noted", "runs of ten or more equal closes"),
        "days_missing": ("noted", "days without a price between a ticker's first and last"),
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


@dataclass(frozen=True)
class Finding:
    """How often one rule was met, what was done, and the first case."""

    rule: str
    count: int
    action: Action
    example: str

    @classmethod
    def of(cls, rule: str, count: int, example: str) -> Self:
        """Make a finding of a rule of the table, with the action that stands there."""
        return cls(rule=rule, count=count, action=RULES[rule][0], example=example)


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
