from datetime import UTC, date, datetime, timedelta

import pytest

from crowdalpha.errors import InputError
from crowdalpha.rules.calendar import RoundWindow, round_window
from crowdalpha.rules.rulebook import default_rulebook

RULEBOOK = default_rulebook()
# Weekdays from Friday 2 January 2026 on.
DAYS = [day for day in (date(2026, 1, 2) + timedelta(days=n) for n in range(70)) if day.weekday() < 5]
OPENS = datetime(2026, 1, 2, 22, tzinfo=UTC)


def test_a_round_on_friday_closes_before_monday_and_resolves_after_lag_and_horizon() -> None:
    # 2 + 20 weekdays after Friday 2 January is Tuesday 3 February.
    window = round_window(DAYS, 0, rulebook=RULEBOOK)

    assert window.opens_at == OPENS
    assert window.closes_at == datetime(2026, 1, 5, 12, tzinfo=UTC)
    assert window.resolves_at == datetime(2026, 2, 3, 22, tzinfo=UTC)


def test_the_window_takes_submissions_until_just_before_the_close() -> None:
    window = round_window(DAYS, 0, rulebook=RULEBOOK)

    assert window.takes_submissions(window.opens_at)
    assert window.takes_submissions(window.closes_at - timedelta(microseconds=1))
    assert not window.takes_submissions(window.closes_at)
    assert not window.takes_submissions(window.opens_at - timedelta(microseconds=1))


@pytest.mark.parametrize("row", [-1, 21])
def test_a_round_beyond_the_known_days_is_refused(row: int) -> None:
    with pytest.raises(InputError, match="add trading days"):
        round_window(DAYS[:43], row, rulebook=RULEBOOK)


def test_the_last_round_that_fits_is_placed() -> None:
    assert round_window(DAYS[:43], 20, rulebook=RULEBOOK).resolves_at.date() == DAYS[42]


def test_days_that_do_not_rise_are_refused() -> None:
    with pytest.raises(InputError, match="do not rise"):
        round_window([*DAYS[:5], DAYS[4], *DAYS[5:]], 0, rulebook=RULEBOOK)


def test_moments_out_of_order_are_refused() -> None:
    with pytest.raises(InputError, match="out of order"):
        RoundWindow(OPENS, OPENS, OPENS + timedelta(days=1))


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(InputError, match=r"closes_at .* not in UTC"):
        RoundWindow(OPENS, OPENS.replace(tzinfo=None), OPENS)
