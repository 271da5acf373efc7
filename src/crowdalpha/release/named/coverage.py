"""What became of each row of a named submission, and how much of each country it covers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "MOST_EXAMPLES",
    "REASONS",
    "CountryCoverage",
    "Coverage",
    "DroppedRow",
    "Reason",
    "by_country",
    "tally",
]

Reason = Literal["unknown", "ambiguous", "doubled", "delisted", "outside", "not_finite", "not_live"]
REASONS: Mapping[Reason, str] = {
    "unknown": "no asset has this name",
    "ambiguous": "more than one live asset has this name; write it with its country, or use another kind of id",
    "doubled": "the same asset stands further up; give each asset once",
    "delisted": "the asset is no longer traded",
    "outside": "the asset is known and not in the universe of this round",
    "not_finite": "the value is missing or no finite number",
    "not_live": "data_type says that this row is not of the live round",
}
"""Why a row did not count."""

MOST_EXAMPLES = 20
"""Rows that are listed for each reason; all are counted."""


@dataclass(frozen=True, slots=True)
class DroppedRow:
    """A row that did not count: where, what it said, why, and the assets that it may have meant."""

    row: int
    name: str
    reason: Reason
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CountryCoverage:
    """How many of a country's live assets were submitted; the country is empty where the universe has none."""

    country: str
    live: int
    matched: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """The report of a named submission.

    Parameters
    ----------
    id_column, value_column : str
        The columns that were read.
    rows : int
        Data rows of the file.
    live : int
        Live assets of the round.
    matched : int
        Live assets that the file has a value for.
    needed : int
        Live assets that it must have.
    dropped : mapping of str to int
        Rows that did not count, by reason, without those of 0.
    examples : tuple of DroppedRow
        The first of each reason, by row.
    countries : tuple of CountryCoverage
        By country.
    """

    id_column: str
    value_column: str
    rows: int
    live: int
    matched: int
    needed: int
    dropped: Mapping[Reason, int]
    examples: tuple[DroppedRow, ...]
    countries: tuple[CountryCoverage, ...]

    @property
    def enough(self) -> bool:
        """Whether the file covers what it must."""
        return self.matched >= self.needed

    def to_json(self) -> dict[str, object]:
        """Give the plain value that is stored and shown."""
        return {
            "id_column": self.id_column,
            "value_column": self.value_column,
            "rows": self.rows,
            "live": self.live,
            "matched": self.matched,
            "needed": self.needed,
            "dropped": dict(self.dropped),
            "examples": [
                {"row": each.row, "name": each.name, "reason": each.reason, "ids": list(each.ids)}
                for each in self.examples
            ],
            "countries": [
                {"country": each.country, "live": each.live, "matched": each.matched} for each in self.countries
            ],
        }

    def lines(self) -> list[str]:
        """Say the report in words, a line a fact."""
        head = f"{self.matched} of {self.live} live assets have a value; {self.needed} are needed"
        reasons = [f"{count} rows {reason}: {REASONS[reason]}" for reason, count in self.dropped.items()]
        return [
            head,
            *reasons,
            *(f"{each.country}: {each.matched} of {each.live}" for each in self.countries if each.country),
        ]


def by_country(live: Sequence[str], matched: Sequence[str]) -> tuple[CountryCoverage, ...]:
    """Count live and matched assets by country."""
    there, found = Counter(live), Counter(matched)
    return tuple(CountryCoverage(country, there[country], found[country]) for country in sorted(there))


def tally(dropped: Sequence[DroppedRow]) -> tuple[dict[Reason, int], tuple[DroppedRow, ...]]:
    """Count what was dropped, in the order of `REASONS`, and keep the first of each."""
    counts = Counter(each.reason for each in dropped)
    kept: Counter[Reason] = Counter()
    examples = []
    for each in sorted(dropped, key=lambda each: each.row):
        kept[each.reason] += 1
        if kept[each.reason] <= MOST_EXAMPLES:
            examples.append(each)
    return {reason: counts[reason] for reason in REASONS if counts[reason]}, tuple(examples)
