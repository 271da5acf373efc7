import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from crowdalpha.cli.results import print_results
from crowdalpha.lab import Season
from crowdalpha.lab.record import SeasonRecord
from crowdalpha.lab.summary import archetype_results, summary_of
from tests.fixtures.seasons import one_round, small_season, without_scores


def screen(record: SeasonRecord, *, report: Path = Path("season/report.html"), width: int = 120) -> list[str]:
    written = io.StringIO()
    season = Season(record, archetype_results(record), summary_of(record), report)
    print_results(Console(file=written, width=width), season)
    return written.getvalue().splitlines()


def words(lines: list[str], start: str) -> list[str]:
    return next(line for line in lines if line.startswith(start)).split()


def test_the_crowd_is_set_against_its_participants() -> None:
    lines = screen(small_season())

    assert words(lines, "meta model") == ["meta", "model", "+0.0300", "0.0141", "+2.12"]
    assert words(lines, "best participant") == ["best", "participant", "+0.0200", "0.0141", "+1.41"]
    assert words(lines, "median participant")[2] == "+0.0150"


def test_archetypes_are_listed_with_what_they_earned() -> None:
    lines = screen(small_season())

    assert words(lines, "ridge")[:6] == ["ridge", "2", "+0.0175", "+0.0150", "+1.00%", "+10.0%"]
    assert words(lines, "no skill")[:7] == ["no", "skill", "1", "+0.0000", "+0.0000", "-1.00%", "-10.0%"]


def test_book_and_ledger_are_told() -> None:
    text = " ".join(" ".join(screen(small_season())).split())

    assert "+10.0% a year, volatility 5.0%, Sharpe +2.00, largest drawdown 1.0%" in text
    assert "50.000000000 paid, 25.000000000 burned (points); 42 transfers, all balances sum to 0" in text
    assert "4 rounds resolved in 12.3 s" in text


@pytest.mark.parametrize("change", [one_round, without_scores])
def test_what_is_not_defined_is_said_so(change: Callable[[SeasonRecord], SeasonRecord]) -> None:
    lines = screen(change(small_season()))

    assert words(lines, "meta model")[-1] == "n/a"
    assert not [line for line in lines if "nan" in line.lower() or "inf" in line.lower()]


def test_the_path_of_the_report_is_whole_whatever_it_holds_and_however_narrow_the_screen() -> None:
    report = Path("/home/ann") / "a folder [bold] with a name" / ("x" * 60) / "report.html"

    assert screen(small_season(), report=report, width=40)[-1].endswith(f"look at {report}")
