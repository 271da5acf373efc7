"""HTTP of what operators do: tournaments at once, steps of rounds as jobs that a worker does."""

from typing import Literal, cast

from fastapi import APIRouter

from crowdalpha.rules.hashing import Json
from crowdalpha.rules.ids import RoundNumber, TournamentId
from crowdalpha.rules.rulebook import default_rulebook, read_rulebook
from crowdalpha.server.jobs.schemas import JobOut
from crowdalpha.server.kit.depends import Now, Operating, SessionOf
from crowdalpha.server.kit.ids import Id
from crowdalpha.server.operations.schemas import Opening, OperatedRound, TournamentChange, TournamentIn
from crowdalpha.server.rounds.service import void_round
from crowdalpha.server.schedule.service import opening_on, request_step, step_on
from crowdalpha.server.tournaments.schemas import TournamentOut
from crowdalpha.server.tournaments.service import change_tournament, create_tournament, get_tournament

__all__ = ["router"]

router = APIRouter(tags=["operations"])


@router.post("/tournaments", status_code=201)
def create(session: SessionOf, now: Now, wanted: TournamentIn, _: Operating) -> TournamentOut:
    """Create a tournament; a repeat with the same values gives the same one."""
    rules = default_rulebook(tournament=wanted.name).to_json()
    made = create_tournament(
        session,
        tournament_id=TournamentId(wanted.id),
        name=wanted.name,
        kind=wanted.kind,
        rulebook=read_rulebook({**rules, "kind": wanted.kind, **_plain(wanted.rulebook)}),
        timetable=_plain(wanted.timetable),
        now=now,
    )
    return TournamentOut.of(made)


@router.patch("/tournaments/{tournament_id}")
def change(session: SessionOf, tournament_id: Id, wanted: TournamentChange, _: Operating) -> TournamentOut:
    """Change what the next rounds of a tournament open with; open ones keep their rules."""
    before = get_tournament(session, TournamentId(tournament_id)).rulebook.to_json()
    rulebook = None if wanted.rulebook is None else read_rulebook({**before, **_plain(wanted.rulebook)})
    timetable = None if wanted.timetable is None else _plain(wanted.timetable)
    changed = change_tournament(
        session, tournament_id=TournamentId(tournament_id), rulebook=rulebook, timetable=timetable
    )
    return TournamentOut.of(changed)


@router.post("/tournaments/{tournament_id}/rounds", status_code=202)
def open_round(session: SessionOf, now: Now, tournament_id: Id, wanted: Opening, _: Operating) -> JobOut:
    """Open a round on the operator's live data, as the timetable would."""
    step = opening_on(session, TournamentId(tournament_id), label=wanted.session, now=now)
    return JobOut.of(request_step(session, step, now=now))


@router.post("/rounds/{number}/void")
def void(session: SessionOf, now: Now, number: Id, _: Operating) -> OperatedRound:
    """End a round that pays and burns nothing."""
    return OperatedRound.of(void_round(session, number=RoundNumber(number), now=now))


@router.post("/rounds/{number}/{step}", status_code=202)
def do(session: SessionOf, now: Now, number: Id, step: Literal["close", "score", "resolve"], _: Operating) -> JobOut:
    """Close a round, score its next day, or resolve it, as the timetable would."""
    return JobOut.of(request_step(session, step_on(session, step, RoundNumber(number), now=now), now=now))


def _plain(value: object) -> dict[str, Json]:
    """Take what the request's schema has checked to be JSON."""
    return cast("dict[str, Json]", value)
