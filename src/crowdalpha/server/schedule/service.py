"""What is due by the clock, in the order of time, and the jobs that do it: one step of a tournament at a time.

A step that waits for the operator's data does not keep the others from theirs. A worker that comes late finds every
step that was missed and does them in order; but a round whose time to submit has passed is not opened any more.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.rules.hashing import Json
from crowdalpha.rules.ids import RoundNumber, TournamentId
from crowdalpha.rules.round import RoundState
from crowdalpha.server.jobs import service as jobs
from crowdalpha.server.jobs.service import Job
from crowdalpha.server.rounds.service import Round, get_round, list_rounds
from crowdalpha.server.schedule import repository
from crowdalpha.server.scores.service import list_meta_model_scores
from crowdalpha.server.tournaments import timetable as times
from crowdalpha.server.tournaments.service import Tournament, get_tournament
from crowdalpha.server.tournaments.timetable import Timetable, data_sessions, reach_of, read_timetable, sessions_between

__all__ = [
    "KIND",
    "Step",
    "StepName",
    "due_steps",
    "hold_round_numbers",
    "opening_on",
    "plan_next",
    "request_step",
    "step_of",
    "step_on",
]

KIND = "round_step"
"""Kind of the jobs of the schedule."""

StepName = Literal["close", "score", "resolve", "open"]
ORDER: Mapping[StepName, int] = {"close": 0, "score": 1, "resolve": 2, "open": 3}
"""Of steps of the same moment."""

DEADLINE = timedelta(days=1)
AGAIN_AFTER = timedelta(minutes=15)
"""When a failed step is run again by itself."""
PRIORITY = 10

Sessions = Callable[[Timetable, datetime, datetime], Sequence[times.Session]]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is due: `session` is the label of the round's data, `day` how far its target goes."""

    name: StepName
    tournament_id: TournamentId
    at: datetime
    session: str
    number: RoundNumber | None = None
    day: int | None = None

    @property
    def key(self) -> str:
        """The same for the same step: it is done by one job."""
        parts = (self.name, self.tournament_id, self.number or self.session, self.day)
        return "round:" + ":".join(str(part) for part in parts if part is not None)


def due_steps(
    session: Session, tournament: Tournament, *, now: datetime, sessions: Sessions = sessions_between
) -> list[Step]:
    """List what is due now: of each round its next step, and the opening of a round; in the order of time."""
    timetable = read_timetable(tournament.timetable)
    if timetable is None:
        return []
    rounds = [each for each in list_rounds(session) if each.tournament_id == tournament.id]
    running = [each for each in rounds if each.state in (RoundState.OPEN, RoundState.CLOSED, RoundState.SCORING)]
    first = min([each.opens_at for each in running], default=now)
    days = sessions(timetable, first - reach_of(timetable), now + reach_of(timetable))
    steps = [_next_of(session, each, days, now) for each in running]
    newest = max((each.opens_at for each in rounds), default=None)
    steps.append(_opening(tournament, timetable, days, newest=newest, now=now))
    return sorted((step for step in steps if step is not None), key=lambda step: (step.at, ORDER[step.name], step.key))


def plan_next(
    session: Session, tournament: Tournament, *, now: datetime, sessions: Sessions = sessions_between
) -> Job | None:
    """Queue the first due step that no job has, unless one of the tournament is under way; safe to be called by many.

    A step that failed is run again after a while.
    """
    repository.hold_plan(session, tournament.id)
    for step in due_steps(session, tournament, now=now, sessions=sessions):
        job = jobs.find_job(session, key=step.key)
        if job is None:
            return _queue(session, step, now)
        if job.state == "failed" and job.finished_at is not None and now - job.finished_at >= AGAIN_AFTER:
            return jobs.retry_job(session, job_id=job.id, now=now)
        if job.state in ("queued", "running") and job.error_code is None:
            return None
    return None


def step_on(session: Session, name: StepName, number: RoundNumber, *, now: datetime) -> Step:
    """Name a step of a round that an operator wants now, whatever the timetable says.

    Raises
    ------
    NotFound
        If there is no such round.
    InputError
        If it is a score, and no session of the round's target is over that was not scored.
    """
    row = get_round(session, number)
    tournament = get_tournament(session, row.tournament_id)
    timetable = read_timetable(tournament.timetable)
    days: Sequence[times.Session] = []
    if timetable is not None:
        days = sessions_between(timetable, row.opens_at - reach_of(timetable), now + reach_of(timetable))
    if name == "score":
        due = _next_of(session, row, days, now)
        if due is None or due.name != "score":
            raise InputError(f"round {number} is {row.state}, and no day of its target is over that was not scored")
        return due
    label = next((each.label for each in reversed(days) if each.evening <= row.opens_at), "")
    return Step(name, row.tournament_id, row.closes_at if name == "close" else row.resolves_at, label, number=number)


def opening_on(session: Session, tournament_id: TournamentId, *, label: str | None, now: datetime) -> Step:
    """Name the opening of a round that an operator wants now.

    Raises
    ------
    NotFound
        If there is no such tournament.
    InputError
        If it has no timetable, or the session has no round or is not over.
    """
    tournament = get_tournament(session, tournament_id)
    timetable = read_timetable(tournament.timetable)
    if timetable is None:
        raise InputError(f"tournament {tournament_id} has no timetable; give it one, or open rounds from a folder")
    days = sessions_between(timetable, now - reach_of(timetable), now + reach_of(timetable))
    over = [days[place] for place in data_sessions(timetable, days) if days[place].evening <= now]
    found = [each for each in over if label in (None, each.label)]
    if not found:
        raise InputError(
            f"session {label or 'of a round'}: none that is over; the last one is "
            f"{over[-1].label if over else 'still to come'}"
        )
    return Step("open", tournament_id, found[-1].evening, found[-1].label)


def request_step(session: Session, step: Step, *, now: datetime) -> Job:
    """Queue a step that an operator wants; one that failed is run again, one that was done stays done."""
    job = _queue(session, step, now)
    return jobs.retry_job(session, job_id=job.id, now=now) if job.state == "failed" else job


def hold_round_numbers(session: Session) -> None:
    """Let no other transaction number a round until this one ends."""
    repository.hold_numbers(session)


def step_of(job: Job) -> Step:
    """Read the step that a job is to do."""
    subject = job.subject
    number, day = subject.get("number"), subject.get("day")
    return Step(
        name=_name(str(subject["step"])),
        tournament_id=TournamentId(int(str(subject["tournament_id"]))),
        at=datetime.fromisoformat(str(subject["at"])),
        session=str(subject["session"]),
        number=None if number is None else RoundNumber(int(str(number))),
        day=None if day is None else int(str(day)),
    )


def _queue(session: Session, step: Step, now: datetime) -> Job:
    subject: dict[str, Json] = {
        "step": step.name,
        "tournament_id": step.tournament_id,
        "at": step.at.isoformat(),
        "session": step.session,
        "number": step.number,
        "day": step.day,
    }
    return jobs.enqueue(
        session, kind=KIND, subject=subject, deadline=DEADLINE, key=step.key, priority=PRIORITY, now=now
    )


def _next_of(session: Session, row: Round, days: Sequence[times.Session], now: datetime) -> Step | None:
    """Find the next step of a round, if its time has come."""
    place = max((place for place, each in enumerate(days) if each.evening <= row.opens_at), default=None)
    if place is None:
        return None
    label = days[place].label
    if row.state is RoundState.OPEN:
        step = Step("close", row.tournament_id, row.closes_at, label, number=row.number)
        return step if step.at <= now else None
    scored = list_meta_model_scores(session, number=row.number, final=False)
    if any(each.is_final for each in scored):
        step = Step("resolve", row.tournament_id, row.resolves_at, label, number=row.number)
        return step if step.at <= now else None
    last = max((each.day for each in scored), default=0)
    start = place + row.rulebook.lag_days
    ended = [day for day in range(last + 1, row.rulebook.horizon_days + 1) if _is_over(days, start + day, row, now)]
    if not ended:
        return None
    day = ended[0]
    return Step("score", row.tournament_id, days[start + day].evening, label, number=row.number, day=day)


def _is_over(days: Sequence[times.Session], place: int, row: Round, now: datetime) -> bool:
    return place < len(days) and row.closes_at <= days[place].evening <= now


def _opening(
    tournament: Tournament,
    timetable: Timetable,
    days: Sequence[times.Session],
    *,
    newest: datetime | None,
    now: datetime,
) -> Step | None:
    """Find the round whose time to submit is now and that was not opened yet."""
    for place in reversed(data_sessions(timetable, days)):
        if days[place].evening > now:
            continue
        if (newest is not None and newest >= days[place].evening) or days[place + 1].morning <= now:
            return None
        return Step("open", tournament.id, days[place].evening, days[place].label)
    return None


def _name(text: str) -> StepName:
    return next(name for name in ORDER if name == text)
