"""HTTP of tournaments."""

from fastapi import APIRouter

from crowdalpha.rules.ids import TournamentId
from crowdalpha.server.kit.depends import SessionOf
from crowdalpha.server.kit.ids import Id
from crowdalpha.server.tournaments import service
from crowdalpha.server.tournaments.schemas import TournamentOut

__all__ = ["router"]

router = APIRouter(prefix="/tournaments", tags=["tournaments"])


@router.get("")
def list_tournaments(session: SessionOf) -> list[TournamentOut]:
    """List every tournament by its id."""
    return [TournamentOut.of(each) for each in service.list_tournaments(session)]


@router.get("/{tournament_id}")
def get_tournament(session: SessionOf, tournament_id: Id) -> TournamentOut:
    """Read a tournament."""
    return TournamentOut.of(service.get_tournament(session, TournamentId(tournament_id)))
