"""When the rounds of a tournament open, close and resolve, and where their data come from.

The data of a round are those of one session of the market: it opens when that session's prices are in, closes on the
next session before the market opens, and resolves when the last session of its target is over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from math import ceil
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from crowdalpha.errors import InputError
from crowdalpha.market.calendars import EXCHANGES, exchange_sessions
from crowdalpha.rules.calendar import RoundWindow
from crowdalpha.rules.hashing import Json
from crowdalpha.rules.rulebook import Rulebook, describe

__all__ = [
    "Feed",
    "MarketTimetable",
    "Session",
    "SteadyTimetable",
    "Timetable",
    "data_sessions",
    "reach_of",
    "read_timetable",
    "sessions_between",
    "sessions_from",
    "window_on",
]

WEEKDAYS = "weekdays"
SATURDAY = 5
DAYS_A_SESSION = timedelta(days=1.6)
PAUSE = timedelta(days=21)
"""Longer than any pause of a market."""


def _template(*names: str) -> AfterValidator:
    def check(text: str) -> str:
        try:
            Path(text.format(**dict.fromkeys(names, "0")))
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError(f"{text!r}: use {' and '.join(f'{{{name}}}' for name in names)} and no other") from error
        return text

    return AfterValidator(check)


def _timezone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is no time zone; write one such as 'America/New_York' or 'UTC'")
    return name


def _calendar(name: str) -> str:
    if name != WEEKDAYS and name not in EXCHANGES.values():
        raise ValueError(f"{name!r} is no calendar; write {WEEKDAYS!r} or the code of an exchange such as 'XNYS'")
    return name


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Feed(_Frozen):
    """Where the operator puts the data of the rounds.

    `live` is a folder that `crowdalpha dataset live` made, `targets` a Parquet file with the columns `id` and `target`:
    the target as it is known `day` sessions into it. A step whose data are not there yet waits for them.
    """

    dataset: str
    live: Annotated[str, _template("round", "session")]
    targets: Annotated[str, _template("round", "session", "day")]
    features: str | None = "medium"


class MarketTimetable(_Frozen):
    """Rounds by the sessions of a market; times are of `timezone`, in summer and in winter.

    `calendar` is the code of an exchange, or every weekday; `holidays` are taken out of either. A round is on each
    session, or on the last one of each week.
    """

    kind: Literal["market"] = "market"
    calendar: Annotated[str, AfterValidator(_calendar)] = WEEKDAYS
    timezone: Annotated[str, AfterValidator(_timezone)] = "UTC"
    opens: time = time(22)
    closes: time = time(12)
    every: Literal["session", "week"] = "week"
    starts: date
    holidays: tuple[date, ...] = ()
    feed: Feed


class SteadyTimetable(_Frozen):
    """Rounds of a market without nights: sessions of equal length, one after the other; for demonstrations and tests.

    Session 0 is over at `starts`; every session has a round, which closes when the next one is over.
    """

    kind: Literal["steady"]
    starts: AwareDatetime
    session_s: Annotated[int, Field(ge=1)]
    feed: Feed


Timetable = MarketTimetable | SteadyTimetable
_READER: TypeAdapter[Timetable] = TypeAdapter(Annotated[Timetable, Field(discriminator="kind")])


@dataclass(frozen=True, slots=True)
class Session:
    """One session: `label` is its date or its number; at `evening` its prices are in, until `morning` they are not."""

    label: str
    morning: datetime
    evening: datetime


def read_timetable(content: Mapping[str, Json]) -> Timetable | None:
    """Read a timetable from its plain value; None for a tournament that is run by hand.

    Raises
    ------
    InputError
        If a field is missing, unknown or refused; names each and the fix.
    """
    if not content:
        return None
    try:
        return _READER.validate_python({"kind": "market", **content})
    except ValidationError as error:
        raise InputError(f"timetable: {describe(error)}") from error


def sessions_between(timetable: Timetable, first: datetime, last: datetime) -> list[Session]:
    """List the sessions whose evening is from `first` to `last`, both in UTC.

    Raises
    ------
    MissingPackageError
        If the calendar is of an exchange and `exchange_calendars` is not installed.
    """
    if isinstance(timetable, SteadyTimetable):
        return _steady(timetable, first, last)
    days = _days(timetable, first.date() - timedelta(days=1), last.date() + timedelta(days=1))
    zone = ZoneInfo(timetable.timezone)
    sessions = [
        Session(
            label=day.isoformat(),
            morning=datetime.combine(day, timetable.closes, zone).astimezone(UTC),
            evening=datetime.combine(day, timetable.opens, zone).astimezone(UTC),
        )
        for day in days
    ]
    return [each for each in sessions if first <= each.evening <= last]


def sessions_from(timetable: Timetable, first: datetime, *, n: int) -> list[Session]:
    """List `n` sessions whose evening is `first` or later; fewer where the calendar ends."""
    if isinstance(timetable, SteadyTimetable):
        return _steady(timetable, first, first + n * timedelta(seconds=timetable.session_s))[:n]
    return sessions_between(timetable, first, first + n * DAYS_A_SESSION + PAUSE)[:n]


def reach_of(timetable: Timetable) -> timedelta:
    """Give a time that is longer than any pause between two sessions."""
    return 3 * timedelta(seconds=timetable.session_s) if isinstance(timetable, SteadyTimetable) else PAUSE


def data_sessions(timetable: Timetable, sessions: Sequence[Session]) -> list[int]:
    """Give the places of the sessions that have a round.

    The last one of a list is none where nobody knows yet whether it is the last of its week.
    """
    if isinstance(timetable, SteadyTimetable):
        return [place for place, each in enumerate(sessions) if int(each.label) >= 0]
    first = timetable.starts.isoformat()
    if timetable.every == "session":
        return [place for place, each in enumerate(sessions) if each.label >= first]
    weeks = [date.fromisoformat(each.label).isocalendar()[:2] for each in sessions]
    ends = [place for place, (one, after) in enumerate(pairwise(weeks)) if one != after]
    return [place for place in ends if sessions[place].label >= first]


def window_on(sessions: Sequence[Session], place: int, *, rulebook: Rulebook) -> RoundWindow | None:
    """Place a round on a session; None if the list does not reach far enough."""
    last = place + rulebook.lag_days + rulebook.horizon_days
    if last >= len(sessions):
        return None
    return RoundWindow(
        opens_at=sessions[place].evening,
        closes_at=sessions[place + 1].morning,
        resolves_at=sessions[last].evening,
    )


def _steady(timetable: SteadyTimetable, first: datetime, last: datetime) -> list[Session]:
    start, step = timetable.starts.astimezone(UTC), timedelta(seconds=timetable.session_s)
    evenings = range(ceil((first - start) / step), (last - start) // step + 1)
    return [Session(str(each), start + each * step, start + each * step) for each in evenings]


def _days(timetable: MarketTimetable, first: date, last: date) -> list[date]:
    if timetable.calendar == WEEKDAYS:
        every = (first + timedelta(days=place) for place in range((last - first).days + 1))
        days = [day for day in every if day.weekday() < SATURDAY]
    else:
        bounds = np.datetime64(first.isoformat()), np.datetime64(last.isoformat())
        days = [date.fromisoformat(str(day)) for day in exchange_sessions(timetable.calendar, *bounds)]
    return [day for day in days if day not in timetable.holidays]
