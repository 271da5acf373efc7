"""Pages for everybody: tournaments, rounds, models."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.orm import Session

from crowdalpha.rules.ids import ModelId, RoundNumber
from crowdalpha.rules.round import RoundState
from crowdalpha.server.accounts.service import get_account
from crowdalpha.server.kit.depends import Now, PlatformOf, SessionOf
from crowdalpha.server.kit.ids import ModelIdOf, NumberOf, TournamentIdOf
from crowdalpha.server.kit.links import base_of
from crowdalpha.server.leaderboards.service import ALL_ROUNDS, SPANS, RankedBy, model_board
from crowdalpha.server.models.service import get_model
from crowdalpha.server.results.service import (
    RankedScore,
    RoundView,
    current_rounds,
    get_view,
    list_days,
    list_model_scores,
    list_round_scores,
    list_views,
)
from crowdalpha.server.results.service import list_positions as page_positions
from crowdalpha.server.rounds.service import PositionView, list_positions
from crowdalpha.server.stakes.service import stake_of
from crowdalpha.server.tournaments.service import Tournament, get_tournament, list_tournaments
from crowdalpha.server.web.charts import bars, steps
from crowdalpha.server.web.pages import page, viewer_of

__all__ = ["router"]

router = APIRouter(dependencies=[Depends(viewer_of)])

N_RESULTS, N_ROUNDS, N_ROWS, N_SCORES = 8, 12, 50, 60
SCORES = {"obfuscated": ("corr", "mmc", "fnc", "cwmm"), "named": ("alpha", "mpc", "corr", "mmc")}
"""The columns of each kind of tournament, the one that boards are ranked by first."""

After = Annotated[int, Query(ge=0, le=2**62)]


@dataclass(frozen=True, slots=True)
class Contest:
    """A tournament as the first page shows it."""

    tournament: Tournament
    current: Sequence[RoundView]
    newest: RoundView | None


@router.get("/")
def home(request: Request, session: SessionOf, now: Now) -> Response:
    """Show every tournament with the round that takes submissions, and the newest results."""
    tournaments = list_tournaments(session)
    contests = [
        Contest(
            each,
            current_rounds(session, tournament_id=each.id, now=now),
            next(iter(list_views(session, tournament_id=each.id, limit=1)), None),
        )
        for each in tournaments
    ]
    results = list_views(session, state=RoundState.RESOLVED, limit=N_RESULTS)
    names = {each.id: each.name for each in tournaments}
    return page(request, "home", contests=contests, results=results, names=names, now=now)


@router.get("/guide")
def guide(request: Request, platform: PlatformOf, session: SessionOf) -> Response:
    """Tell how programs come in."""
    return page(request, "guide", base=base_of(platform, request), tournaments=list_tournaments(session))


@router.get("/tournaments/{tournament_id}")
def show_tournament(  # noqa: PLR0913, PLR0917  # what a reader may choose
    request: Request,
    session: SessionOf,
    now: Now,
    tournament_id: TournamentIdOf,
    by: RankedBy | None = None,
    board: Literal["staked", "unstaked"] = "staked",
    last: Annotated[int, Query(ge=0, le=10_000)] = ALL_ROUNDS,
    after: After = 0,
    before: After = 2**62,
) -> Response:
    """Show the rounds of a tournament and a page of one of its boards."""
    tournament = get_tournament(session, tournament_id)
    columns = SCORES[tournament.kind]
    ranked: RankedBy = by or ("alpha" if tournament.kind == "named" else "corr")
    rows = model_board(
        session,
        tournament_id=tournament_id,
        by=ranked,
        n_last=last,
        staked=board == "staked",
        after=after,
        limit=N_ROWS + 1,
    )
    views = list_views(session, tournament_id=tournament_id, before=RoundNumber(before), limit=N_ROUNDS + 1)
    return page(
        request,
        "tournament",
        tournament=tournament,
        columns=columns,
        rows=rows[:N_ROWS],
        more_rows=len(rows) > N_ROWS,
        views=views[:N_ROUNDS],
        more_rounds=len(views) > N_ROUNDS,
        chosen={"by": ranked, "board": board, "last": last, "after": after},
        spans=SPANS,
        now=now,
    )


@router.get("/rounds/{number}")
def show_round(
    request: Request, session: SessionOf, now: Now, number: NumberOf, by: RankedScore | None = None, after: After = 0
) -> Response:
    """Show a round: its times, the meta model's scores, those of the models, payouts and proofs."""
    view = get_view(session, number)
    tournament = get_tournament(session, view.tournament_id)
    ranked: RankedScore = by or ("alpha" if tournament.kind == "named" else "corr")
    days = list_days(session, number)
    scores = list_round_scores(session, number, by=ranked, after=after, limit=N_ROWS + 1)
    closed = view.closed_at is not None
    waiting = page_positions(session, number, after=after, limit=N_ROWS + 1) if closed and not days else []
    return page(
        request,
        "round",
        view=view,
        tournament=tournament,
        columns=SCORES[tournament.kind],
        days=days,
        meta_chart=bars([str(day.day) for day in days], [day.corr for day in days]),
        scores=scores[:N_ROWS],
        positions=_positions(session, number, [row.model_id for row in scores]) if closed else {},
        waiting=waiting[:N_ROWS],
        more=max(len(scores), len(waiting)) > N_ROWS,
        chosen={"by": ranked, "after": after},
        now=now,
    )


@router.get("/models/{model_id}")
def show_model(request: Request, session: SessionOf, now: Now, model_id: ModelIdOf) -> Response:
    """Show a model: what it says of itself, its stake, its scores over rounds and what they paid."""
    model = get_model(session, model_id)
    tournament = get_tournament(session, model.tournament_id)
    scores = list_model_scores(session, model_id, limit=N_SCORES)
    positions = {each.number: each for each in list_positions(session, model_ids=[model_id])}
    in_time = scores[::-1]
    labels = [str(row.number) for row in in_time]
    columns = SCORES[tournament.kind]
    charts = [(name, bars(labels, [getattr(row, name) for row in in_time])) for name in columns[:2]]
    paid = [(number, each.delta.base) for number, each in sorted(positions.items()) if each.delta is not None]
    return page(
        request,
        "model",
        model=model,
        account=get_account(session, model.account_id),
        tournament=tournament,
        stake=stake_of(session, model_id=model_id, unit=tournament.rulebook.unit),
        columns=columns,
        scores=scores,
        most=N_SCORES,
        positions=positions,
        charts=charts,
        payout_chart=steps(paid, scale=tournament.rulebook.unit.scale),
        now=now,
    )


def _positions(session: Session, number: RoundNumber, models: Sequence[ModelId]) -> dict[ModelId, PositionView]:
    found = list_positions(session, number=number, model_ids=models) if models else []
    return {each.model_id: each for each in found}
