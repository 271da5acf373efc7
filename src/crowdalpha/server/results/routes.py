"""HTTP of rounds and of what came out of them; public, but for what is sealed until its time."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from crowdalpha.rules.ids import ModelId, RoundNumber, TournamentId
from crowdalpha.rules.round import RoundState
from crowdalpha.server.datasets.schemas import DatasetOut
from crowdalpha.server.datasets.service import blob_of, get_live
from crowdalpha.server.kit.depends import Auditing, MaybeCaller, Now, PlatformOf, SessionOf
from crowdalpha.server.kit.files import FILE_ANSWERS, FOR_ALL, send_blob
from crowdalpha.server.kit.ids import ModelIdOf, NumberOf
from crowdalpha.server.kit.tables import Cursor, Format, Limit, answer, read_cursor, table_answers
from crowdalpha.server.models.service import get_model
from crowdalpha.server.results import service
from crowdalpha.server.results.schemas import (
    DayOut,
    LiveIdsOut,
    ModelScoreOut,
    PositionOut,
    RoundOut,
    RoundScoreOut,
)
from crowdalpha.server.rounds import service as rounds

__all__ = ["router"]

router = APIRouter(tags=["rounds"])

TournamentQuery = Annotated[int | None, Query(alias="tournament", ge=1, le=2**62, description="Of one tournament.")]


@router.get("/rounds", responses=table_answers(RoundOut))
def list_rounds(
    session: SessionOf,
    tournament: TournamentQuery = None,
    state: RoundState | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
    form: Format = "json",
) -> Response:
    """List rounds, newest first."""
    before = read_cursor(cursor, 1)
    views = service.list_views(
        session,
        tournament_id=None if tournament is None else TournamentId(tournament),
        state=state,
        before=None if before is None else RoundNumber(before[0]),
        limit=limit + 1,
    )
    return answer(views, RoundOut, form=form, limit=limit, cursor=lambda view: (view.number,))


@router.get("/rounds/current")
def list_current_rounds(session: SessionOf, now: Now, tournament: TournamentQuery = None) -> list[RoundOut]:
    """List the rounds that take submissions now, newest first."""
    tournament_id = None if tournament is None else TournamentId(tournament)
    views = service.current_rounds(session, tournament_id=tournament_id, now=now)
    return [RoundOut.model_validate(view) for view in views]


@router.get("/rounds/{number}")
def get_round(session: SessionOf, number: NumberOf) -> RoundOut:
    """Read a round."""
    return RoundOut.model_validate(service.get_view(session, number))


@router.get("/rounds/{number}/rulebook")
def get_rulebook(session: SessionOf, number: NumberOf) -> dict[str, object]:
    """Read the rules that a round is bound to, as they are hashed."""
    return dict(rounds.get_round(session, number).rulebook.to_json())


@router.get("/rounds/{number}/live-ids")
def get_live_ids(session: SessionOf, number: NumberOf) -> LiveIdsOut:
    """Read the ids that a submission must cover."""
    return LiveIdsOut(number=number, ids=list(rounds.live_ids(session, number)))


@router.get("/rounds/{number}/files")
def list_live_files(session: SessionOf, platform: PlatformOf, number: NumberOf) -> DatasetOut:
    """List the live files of a round; they are out when the round has opened."""
    service.get_view(session, number)
    return DatasetOut.of(get_live(session, number), blobs=platform.blobs)


@router.head("/rounds/{number}/files/{name}", include_in_schema=False)
@router.get("/rounds/{number}/files/{name}", response_class=Response, responses=FILE_ANSWERS)
def download_live_file(
    request: Request, session: SessionOf, platform: PlatformOf, number: NumberOf, name: str
) -> Response:
    """Fetch a live file of a round, or a range of it."""
    service.get_view(session, number)
    sha256 = blob_of(get_live(session, number), name)
    return send_blob(request, platform.blobs, sha256=sha256, filename=name, cache=FOR_ALL)


@router.get("/rounds/{number}/positions", responses=table_answers(PositionOut))
def list_positions(
    session: SessionOf, number: NumberOf, limit: Limit = 1000, cursor: Cursor = None, form: Format = "json"
) -> Response:
    """List what each model had at risk in a closed round and what became of it, by model."""
    after = read_cursor(cursor, 1)
    rows = service.list_positions(session, number, after=0 if after is None else after[0], limit=limit + 1)
    return answer(rows, PositionOut, form=form, limit=limit, cursor=lambda row: (row.model_id,))


@router.get("/rounds/{number}/days")
def list_days(session: SessionOf, number: NumberOf) -> list[DayOut]:
    """List the days on which a round was scored, with the meta model's own score."""
    return [DayOut.model_validate(day) for day in service.list_days(session, number)]


@router.get("/rounds/{number}/scores", responses=table_answers(RoundScoreOut))
def list_round_scores(
    session: SessionOf,
    number: NumberOf,
    day: Annotated[int | None, Query(ge=0, le=2**31, description="The last scored day if left out.")] = None,
    by: service.RankedScore = "corr",
    limit: Limit = 100,
    cursor: Cursor = None,
    form: Format = "json",
) -> Response:
    """List the scores of a day of a round, best first, late submissions too."""
    after = read_cursor(cursor, 1)
    place = 0 if after is None else after[0]
    rows = service.list_round_scores(session, number, day=day, by=by, after=place, limit=limit + 1)
    return answer(rows, RoundScoreOut, form=form, limit=limit, cursor=lambda row: (row.place,))


@router.get("/models/{model_id}/scores", responses=table_answers(ModelScoreOut))
def list_model_scores(
    session: SessionOf,
    model_id: ModelIdOf,
    *,
    final: Annotated[bool, Query(description="Only scores that pay; without it those of every day.")] = True,
    limit: Limit = 100,
    cursor: Cursor = None,
    form: Format = "json",
) -> Response:
    """List the scores of a model, newest round and day first."""
    found: ModelId = get_model(session, model_id).id
    before = read_cursor(cursor, 2)
    rows = service.list_model_scores(
        session, found, final=final, before=None if before is None else (before[0], before[1]), limit=limit + 1
    )
    return answer(rows, ModelScoreOut, form=form, limit=limit, cursor=lambda row: (row.number, row.day))


@router.head("/rounds/{number}/meta-model", include_in_schema=False)
@router.get("/rounds/{number}/meta-model", response_class=Response, responses=FILE_ANSWERS)
def download_meta_model(
    request: Request, session: SessionOf, platform: PlatformOf, caller: MaybeCaller, now: Now, number: NumberOf
) -> Response:
    """Fetch the meta model of a round as Parquet; auditors after the close, everybody some days later."""
    auditing = caller is not None and "audit" in caller.scopes
    delay = platform.settings.meta_model_delay * (not auditing)
    sha256 = service.meta_model_file(session, number, delay=delay, now=now)
    return send_blob(request, platform.blobs, sha256=sha256, filename=f"meta_model_{number}.parquet")


@router.head("/rounds/{number}/closed-record", include_in_schema=False)
@router.get("/rounds/{number}/closed-record", response_class=Response, responses=FILE_ANSWERS)
def download_closed_record(request: Request, session: SessionOf, platform: PlatformOf, number: NumberOf) -> Response:
    """Fetch what the close of a round fixed, before any target was known."""
    sha256 = service.demand_closed(session, number).closed_hash or ""
    return send_blob(request, platform.blobs, sha256=sha256, filename=f"closed_{number}.json", cache=FOR_ALL)


@router.head("/rounds/{number}/bundle", include_in_schema=False)
@router.get("/rounds/{number}/bundle", response_class=Response, responses=FILE_ANSWERS)
def download_bundle(request: Request, session: SessionOf, platform: PlatformOf, number: NumberOf) -> Response:
    """Fetch the evidence bundle of a resolved round, which proves what it paid."""
    sha256 = service.demand_resolved(session, number).bundle_sha256 or ""
    return send_blob(request, platform.blobs, sha256=sha256, filename=f"bundle_{number}.json", cache=FOR_ALL)


@router.head("/rounds/{number}/targets", include_in_schema=False)
@router.get("/rounds/{number}/targets", response_class=Response, responses=FILE_ANSWERS)
def download_targets(
    request: Request,
    session: SessionOf,
    platform: PlatformOf,
    auditor: Auditing,  # noqa: ARG001  # the guard alone is wanted
    number: NumberOf,
) -> Response:
    """Fetch the final targets of a resolved round as Parquet; for auditors."""
    sha256 = service.demand_resolved(session, number).targets_sha256 or ""
    return send_blob(request, platform.blobs, sha256=sha256, filename=f"targets_{number}.parquet")
