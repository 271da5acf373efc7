"""HTTP of leaderboards."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from crowdalpha.server.kit.depends import SessionOf
from crowdalpha.server.kit.ids import TournamentIdOf
from crowdalpha.server.kit.tables import Cursor, Format, Limit, answer, read_cursor, table_answers
from crowdalpha.server.leaderboards import service
from crowdalpha.server.leaderboards.schemas import AccountStandingOut, ModelStandingOut

__all__ = ["router"]

router = APIRouter(prefix="/tournaments/{tournament_id}/leaderboards", tags=["leaderboards"])

Last = Annotated[
    int,
    Query(
        alias="last",
        description=f"Over how many of the last resolved rounds: {', '.join(map(str, service.SPANS))}; 0 is all.",
        ge=0,
        le=10_000,
    ),
]
Staked = Annotated[bool, Query(description="Rounds with something at risk, or those with nothing.")]


@router.get("/models", responses=table_answers(ModelStandingOut))
def list_model_leaderboard(
    session: SessionOf,
    tournament_id: TournamentIdOf,
    *,
    by: service.RankedBy = "corr",
    last: Last = service.ALL_ROUNDS,
    staked: Staked = True,
    limit: Limit = 100,
    cursor: Cursor = None,
    form: Format = "json",
) -> Response:
    """Rank the models of a tournament by their resolved rounds."""
    after = read_cursor(cursor, 1)
    rows = service.model_board(
        session,
        tournament_id=tournament_id,
        by=by,
        n_last=last,
        staked=staked,
        after=0 if after is None else after[0],
        limit=limit + 1,
    )
    return answer(rows, ModelStandingOut, form=form, limit=limit, cursor=lambda row: (row.place,))


@router.get("/accounts", responses=table_answers(AccountStandingOut))
def list_account_leaderboard(
    session: SessionOf,
    tournament_id: TournamentIdOf,
    *,
    by: service.RankedBy = "profit",
    last: Last = service.ALL_ROUNDS,
    staked: Staked = True,
    limit: Limit = 100,
    cursor: Cursor = None,
    form: Format = "json",
) -> Response:
    """Rank the accounts of a tournament by the resolved rounds of their models."""
    after = read_cursor(cursor, 1)
    rows = service.account_board(
        session,
        tournament_id=tournament_id,
        by=by,
        n_last=last,
        staked=staked,
        after=0 if after is None else after[0],
        limit=limit + 1,
    )
    return answer(rows, AccountStandingOut, form=form, limit=limit, cursor=lambda row: (row.place,))
