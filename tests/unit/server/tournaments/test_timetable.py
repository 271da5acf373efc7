from datetime import UTC, date, datetime

import pytest

from crowdalpha.errors import InputError
from crowdalpha.rules.hashing import Json
from crowdalpha.rules.rulebook import default_rulebook
from crowdalpha.server.tournaments.timetable import (
    MarketTimetable,
    SteadyTimetable,
    Timetable,
    data_sessions,
    read_timetable,
    sessions_between,
    sessions_from,
    window_on,
)

FEED: dict[str, Json] = {"dataset": "v1", "live": "live/{session}", "targets": "targets/{round}-{day}.parquet"}
START = datetime(2026, 3, 2, tzinfo=UTC)
NEW_YORK: dict[str, Json] = {
    "calendar": "XNYS",
    "timezone": "America/New_York",
    "opens": "18:00",
    "closes": "08:30",
    "starts": "2026-03-01",
    "feed": FEED,
}


def read(**changes: Json) -> Timetable:
    timetable = read_timetable({**NEW_YORK, **changes})
    assert timetable is not None
    return timetable


def test_times_follow_the_summer_of_the_market() -> None:
    friday, monday = sessions_between(read(), datetime(2026, 3, 6, tzinfo=UTC), datetime(2026, 3, 10, tzinfo=UTC))[-2:]

    # New York is 5 hours behind until 8 March 2026 and 4 from then on
    assert friday.evening == datetime(2026, 3, 6, 23, tzinfo=UTC)
    assert (monday.morning, monday.evening) == (
        datetime(2026, 3, 9, 12, 30, tzinfo=UTC),
        datetime(2026, 3, 9, 22, tzinfo=UTC),
    )


def test_a_holiday_of_the_exchange_is_no_session() -> None:
    # Good Friday is 3 April 2026: the last session of that week is Thursday
    days = sessions_between(read(), datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 4, 11, tzinfo=UTC))

    assert [days[place].label for place in data_sessions(read(), days)] == ["2026-04-02"]
    assert [day.label for day in days[:6]] == [
        f"2026-{day}" for day in ("03-30", "03-31", "04-01", "04-02", "04-06", "04-07")
    ]


def test_an_explicit_holiday_is_taken_out_of_the_weekdays() -> None:
    timetable = read(calendar="weekdays", timezone="UTC", holidays=["2026-03-06"])

    days = sessions_between(timetable, START, datetime(2026, 3, 10, tzinfo=UTC))

    assert [day.label for day in days] == ["2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05", "2026-03-09"]


def test_every_session_has_a_round_when_asked() -> None:
    timetable = read(every="session", starts="2026-03-04")
    days = sessions_between(timetable, START, datetime(2026, 3, 7, tzinfo=UTC))

    assert [days[place].label for place in data_sessions(timetable, days)] == ["2026-03-04", "2026-03-05", "2026-03-06"]


def test_a_round_closes_on_the_next_session_and_resolves_with_its_target() -> None:
    days = sessions_from(read(), datetime(2026, 3, 6, 23, tzinfo=UTC), n=23)

    window = window_on(days, 0, rulebook=default_rulebook())

    assert window is not None
    assert window.opens_at == datetime(2026, 3, 6, 23, tzinfo=UTC)
    assert window.closes_at == datetime(2026, 3, 9, 12, 30, tzinfo=UTC)
    # 22 sessions after Friday 6 March, with Good Friday on 3 April left out
    assert window.resolves_at == datetime(2026, 4, 8, 22, tzinfo=UTC)
    assert window_on(days[:-1], 0, rulebook=default_rulebook()) is None


def test_steady_sessions_are_counted_from_their_start() -> None:
    timetable = read_timetable({"kind": "steady", "starts": "2026-03-02T00:00:00Z", "session_s": 60, "feed": FEED})

    assert isinstance(timetable, SteadyTimetable)
    days = sessions_between(
        timetable, datetime(2026, 3, 2, 0, 0, 30, tzinfo=UTC), datetime(2026, 3, 2, 0, 3, tzinfo=UTC)
    )
    assert [(day.label, day.evening.minute) for day in days] == [("1", 1), ("2", 2), ("3", 3)]
    assert [day.label for day in sessions_from(timetable, START, n=2)] == ["0", "1"]


def test_no_timetable_is_a_tournament_run_by_hand() -> None:
    assert read_timetable({}) is None


def test_what_is_not_said_is_the_usual() -> None:
    timetable = read_timetable({"starts": "2026-03-02", "feed": FEED})

    assert isinstance(timetable, MarketTimetable)
    assert (timetable.calendar, timetable.every, timetable.starts) == ("weekdays", "week", date(2026, 3, 2))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"calendar": "NYSE"}, "calendar"),
        ({"timezone": "New York"}, "timezone"),
        ({"every": "month"}, "every"),
        ({"opens": "25:00"}, "opens"),
        ({"oepns": "22:00"}, "oepns"),
        ({"feed": {**FEED, "live": "live/{number}"}}, "feed.live"),
        ({"feed": {**FEED, "targets": "{"}}, "feed.targets"),
        ({"kind": "sometimes"}, "kind"),
    ],
)
def test_a_field_that_cannot_be_used_is_named(change: dict[str, Json], named: str) -> None:
    with pytest.raises(InputError, match=f"timetable: .*{named}"):
        read(**change)
