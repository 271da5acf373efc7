"""Create and read tournaments."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Literal

from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.rules.errors import Conflict, NotFound
from crowdalpha.rules.hashing import Json
from crowdalpha.rules.ids import TournamentId
from crowdalpha.rules.rulebook import Rulebook, read_rulebook
from crowdalpha.server.accounts.service import valid_name
from crowdalpha.server.db.tables import TournamentRow
from crowdalpha.server.log import get_log
from crowdalpha.server.tournaments import repository
from crowdalpha.server.tournaments.timetable import read_timetable

__all__ = [
    "Tournament",
    "TournamentKind",
    "change_tournament",
    "create_tournament",
    "get_tournament",
    "list_tournaments",
]

log = get_log(__name__)

TournamentKind = Literal["obfuscated", "named"]
"""Whether ids are hidden and new every era, or name what can be bought."""


@dataclass(frozen=True, slots=True)
class Tournament:
    """One contest; `rulebook` is what its next round opens with."""

    id: TournamentId
    name: str
    kind: TournamentKind
    rulebook: Rulebook
    timetable: Mapping[str, Json]


def create_tournament(
    session: Session,
    *,
    tournament_id: TournamentId,
    name: str,
    kind: TournamentKind = "obfuscated",
    rulebook: Rulebook,
    timetable: Mapping[str, Json] | None = None,
    now: datetime,
) -> Tournament:
    """Create a tournament; a repeat with the same values gives the same tournament.

    Raises
    ------
    InputError
        If the id is not above zero, the name cannot be used, or the rulebook is of another kind.
    Conflict
        If the id or the name is taken by another tournament.
    """
    if tournament_id < 1:
        raise InputError(f"tournament id {tournament_id}: use a whole number above 0, such as 8")
    if rulebook.kind != kind:
        raise InputError(f"tournament {tournament_id} is {kind} and its rulebook {rulebook.kind}; make them the same")
    row = TournamentRow(
        id=tournament_id,
        name=valid_name(name, what="tournament"),
        kind=kind,
        rulebook=rulebook.to_json(),
        timetable=_checked(timetable),
        created_at=now,
    )
    wanted = _tournament(row)
    if repository.add(session, row):
        log.info("tournament_created", tournament=tournament_id, rulebook=rulebook.hash)
        return wanted
    found = repository.find(session, tournament_id)
    if found is None or _tournament(found) != wanted:
        raise Conflict(f"tournament {tournament_id} or the name {name!r} is taken; choose another id and name")
    return wanted


def change_tournament(
    session: Session,
    *,
    tournament_id: TournamentId,
    rulebook: Rulebook | None = None,
    timetable: Mapping[str, Json] | None = None,
) -> Tournament:
    """Change what the next rounds of a tournament open with; rounds that are open keep theirs.

    Raises
    ------
    NotFound
        If there is no such tournament.
    InputError
        If the timetable cannot be used, or the rulebook is of another kind of tournament.
    """
    row = repository.find(session, tournament_id)
    if row is None:
        raise NotFound("tournament", tournament_id)
    if rulebook is not None:
        if rulebook.kind != row.kind:
            raise InputError(f"tournament {tournament_id} is {row.kind} and the rulebook {rulebook.kind}; give its own")
        row.rulebook = rulebook.to_json()
    if timetable is not None:
        row.timetable = _checked(timetable)
    session.flush()
    log.info("tournament_changed", tournament=tournament_id, rulebook=_tournament(row).rulebook.hash)
    return _tournament(row)


def get_tournament(session: Session, tournament_id: TournamentId) -> Tournament:
    """Read a tournament, or refuse with `NotFound`."""
    row = repository.find(session, tournament_id)
    if row is None:
        raise NotFound("tournament", tournament_id)
    return _tournament(row)


def list_tournaments(session: Session) -> list[Tournament]:
    """List every tournament by its id."""
    return [_tournament(row) for row in repository.list_all(session)]


def _tournament(row: TournamentRow) -> Tournament:
    return Tournament(
        id=TournamentId(row.id),
        name=row.name,
        kind="named" if row.kind == "named" else "obfuscated",
        rulebook=read_rulebook(row.rulebook),
        timetable=MappingProxyType(dict(row.timetable)),
    )


def _checked(timetable: Mapping[str, Json] | None) -> dict[str, Json]:
    plain = dict(timetable or {})
    read_timetable(plain)
    return plain
