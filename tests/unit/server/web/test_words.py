from datetime import UTC, datetime, timedelta, timezone

import pytest

from crowdalpha.rules.money import POINTS, Amount, Unit
from crowdalpha.server.web import words

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (5, "in 5 s"),
        (65, "in 1 min 5 s"),
        (7_500, "in 2 h 5 min"),
        (-7_200, "2 h ago"),
        (-90_000, "1 d 1 h ago"),
        (0, "0 s ago"),
    ],
)
def test_a_time_is_told_in_its_two_largest_units(seconds: int, said: str) -> None:
    assert words.ago(NOW + timedelta(seconds=seconds), NOW) == said


def test_times_are_written_in_utc() -> None:
    assert words.moment(NOW.astimezone(timezone(timedelta(hours=5)))) == "2026-01-02 12:00 UTC"


def test_whole_numbers_are_recorded_scores() -> None:
    assert words.score(12_345_678) == "+0.0123"
    assert words.score(-0.25) == "-0.2500"


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        (Amount.parse("12.345678912", POINTS), "12.3456"),
        (Amount.parse("-0.00019", POINTS), "-0.0001"),
        (Amount(7, Unit("yen", 0)), "7"),
        (Amount(725, Unit("cents", 2)), "7.25"),
    ],
)
def test_money_is_cut_and_never_rounded(amount: Amount, said: str) -> None:
    assert words.money(amount) == said


def test_what_is_not_there_is_a_dash() -> None:
    assert {words.moment(None), words.ago(None, NOW), words.score(None), words.money(None)} == {words.NOTHING}


@pytest.mark.parametrize(
    ("n_bytes", "said"), [(999, "999 B"), (1_500, "1.5 kB"), (2e12, "2.0 TB"), (5e15, "5000.0 TB")]
)
def test_sizes_have_a_unit(n_bytes: float, said: str) -> None:
    assert words.size(n_bytes) == said
