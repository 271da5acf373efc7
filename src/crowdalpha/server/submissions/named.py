"""What a file for a named round comes to: its coverage, how much it changes, and why it is refused, if it is."""

from collections.abc import Sequence
from dataclasses import dataclass

from crowdalpha.release import PredictionFileError
from crowdalpha.release.named import (
    Change,
    Coverage,
    NamedUniverse,
    examine_named,
    measure_change,
    read_named_predictions,
    submitted_era,
)
from crowdalpha.rules.rulebook import Rulebook
from crowdalpha.scoring import SubmittedEra

__all__ = ["EarlierFile", "Preview", "preview_of"]


@dataclass(frozen=True, slots=True, eq=False)
class EarlierFile:
    """A file that counted in a round before, and the universe of that round."""

    universe: NamedUniverse
    content: bytes

    def era(self) -> SubmittedEra:
        """Read it; it was valid when it was taken."""
        return submitted_era(
            self.universe, read_named_predictions(self.content, universe=self.universe, min_assets=1).values
        )


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """The report on a file: `change` is None where `problem` says why it would be refused."""

    coverage: Coverage
    change: Change | None
    problem: PredictionFileError | None


def preview_of(
    content: bytes,
    *,
    universe: NamedUniverse,
    rulebook: Rulebook,
    previous: Sequence[EarlierFile] | None,
    name: str,
) -> Preview:
    """Read a file for a named round and measure it by the rulebook.

    Raises
    ------
    PredictionFileError
        If the file cannot be read at all.
    """
    examined = examine_named(
        content,
        universe=universe,
        name=name,
        min_assets=rulebook.min_assets,
        min_overlap=float(rulebook.min_overlap),
    )
    if examined.problem is not None:
        return Preview(examined.coverage, None, examined.problem)
    rule = rulebook.change
    change = measure_change(
        submitted_era(universe, examined.values),
        None if previous is None else [each.era() for each in previous],
        max_churn=None if rule is None or rule.max_churn is None else float(rule.max_churn),
        max_turnover=None if rule is None or rule.max_turnover is None else float(rule.max_turnover),
    )
    return Preview(examined.coverage, change, None)
