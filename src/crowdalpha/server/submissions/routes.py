"""HTTP of submissions: hand a file in and have it judged at once, read one's own, and after the close audit all."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response
from sqlalchemy.orm import Session

from crowdalpha.rules.errors import Conflict, Forbidden, NotFound
from crowdalpha.rules.hashing import Json
from crowdalpha.rules.ids import RoundNumber
from crowdalpha.rules.receipt import Receipt
from crowdalpha.server.bootstrap import Platform
from crowdalpha.server.kit.depends import Auditing, Now, PlatformOf, SessionOf, allowed
from crowdalpha.server.kit.files import FILE_ANSWERS, send_blob
from crowdalpha.server.kit.ids import ModelIdOf, NumberOf, SubmissionIdOf
from crowdalpha.server.kit.tables import Cursor, Format, Limit, answer, read_cursor, table_answers
from crowdalpha.server.models.service import Model, get_model, own_model
from crowdalpha.server.replays.service import once
from crowdalpha.server.results.service import current_rounds, demand_closed, get_view
from crowdalpha.server.roles import Caller
from crowdalpha.server.submissions import service
from crowdalpha.server.submissions.schemas import PreviewOut, SubmissionOut, TakenOut
from crowdalpha.server.submissions.sent import SENT_BODY, Sent, SentOf, file_of

__all__ = ["Key", "router"]

router = APIRouter(tags=["submissions"])

Sending = Annotated[Caller, Depends(allowed("upload_submission"))]
Reading = Annotated[Caller, Depends(allowed("read_submission_info"))]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[!-~]{1,100}$",
        description="Chosen by you, once per wish: a repeat is answered as the first time.",
    ),
]


@router.post("/models/{model_id}/submissions", status_code=201, openapi_extra=SENT_BODY)
def submit_predictions(
    session: SessionOf,
    platform: PlatformOf,
    caller: Sending,
    model_id: ModelIdOf,
    sent: SentOf,
    now: Now,
    key: Key = None,
) -> TakenOut:
    """Hand in predictions of one of the caller's models, for the open round or the one that is named.

    The file is read row by row before this answers. After the close a file is late: it is scored and never paid.
    """
    model = own_model(session, model_id, account_id=caller.account_id)
    given = once(
        session,
        account_id=caller.account_id,
        key=key,
        request={"model": model_id, **sent.to_json()},
        answer=lambda: _take(session, platform, model, sent, now),
        now=now,
    )
    return TakenOut.model_validate(given, by_name=True)


@router.post("/models/{model_id}/submissions/preview", openapi_extra=SENT_BODY)
def preview_predictions(
    session: SessionOf, platform: PlatformOf, caller: Sending, model_id: ModelIdOf, sent: SentOf, now: Now
) -> PreviewOut:
    """Say what would become of predictions for a named round, and hand nothing in; an uploaded file is used up."""
    model = own_model(session, model_id, account_id=caller.account_id)
    number = _open_round(session, model, now) if sent.round is None else sent.round
    file = file_of(session, platform, sent, account_id=model.account_id, now=now)
    found = service.preview(session, blobs=platform.blobs, model_id=model.id, round_number=number, content=file.content)
    return PreviewOut.of(found, number=number, model_id=model.id)


@router.get("/models/{model_id}/submissions", responses=table_answers(SubmissionOut))
def list_model_submissions(
    session: SessionOf,
    caller: Reading,
    model_id: ModelIdOf,
    limit: Limit = 100,
    cursor: Cursor = None,
    form: Format = "json",
) -> Response:
    """List what one of the caller's models handed in, newest first."""
    model = own_model(session, model_id, account_id=caller.account_id)
    before = read_cursor(cursor, 1)
    rows = service.page_submissions(
        session, model_id=model.id, before=None if before is None else before[0], limit=limit + 1
    )
    return answer(rows, SubmissionOut, form=form, limit=limit, cursor=lambda row: (row.id,))


@router.get("/rounds/{number}/submissions", responses=table_answers(SubmissionOut))
def list_round_submissions(
    session: SessionOf,
    auditor: Auditing,  # noqa: ARG001  # the guard alone is wanted
    number: NumberOf,
    limit: Limit = 1000,
    cursor: Cursor = None,
    form: Format = "json",
) -> Response:
    """List everything that was handed in for a closed round, newest first; for auditors."""
    demand_closed(session, number)
    before = read_cursor(cursor, 1)
    rows = service.page_submissions(
        session, number=number, before=None if before is None else before[0], limit=limit + 1
    )
    return answer(rows, SubmissionOut, form=form, limit=limit, cursor=lambda row: (row.id,))


@router.get("/submissions/{submission_id}")
def get_submission(session: SessionOf, caller: Reading, submission_id: SubmissionIdOf) -> TakenOut:
    """Read one of the caller's submissions with its receipt; auditors read any of a closed round."""
    found = _visible(session, caller, submission_id)
    receipt = service.receipt_of(session, submission_id)
    return TakenOut(submission=SubmissionOut.model_validate(found), receipt=receipt)


@router.head("/submissions/{submission_id}/file", include_in_schema=False)
@router.get("/submissions/{submission_id}/file", response_class=Response, responses=FILE_ANSWERS)
def download_submission(
    request: Request,
    session: SessionOf,
    platform: PlatformOf,
    caller: Annotated[Caller, Depends(allowed("download_submission"))],
    submission_id: SubmissionIdOf,
) -> Response:
    """Fetch the file of one of the caller's submissions; auditors fetch any of a closed round."""
    found = _visible(session, caller, submission_id)
    return send_blob(request, platform.blobs, sha256=found.sha256, filename=found.filename)


def _take(session: Session, platform: Platform, model: Model, sent: Sent, now: datetime) -> dict[str, Json]:
    number = _open_round(session, model, now) if sent.round is None else sent.round
    file = file_of(session, platform, sent, account_id=model.account_id, now=now)
    receipt: Receipt = service.submit(
        session,
        blobs=platform.blobs,
        model_id=model.id,
        round_number=number,
        content=file.content,
        filename=file.filename,
        source=sent.source,
        trigger_id=sent.trigger_id,
        now=now,
        signing_key=platform.signing_key,
    )
    taken = SubmissionOut.model_validate(service.submission_of(session, receipt))
    return TakenOut(submission=taken, receipt=receipt).model_dump(mode="json")


def _open_round(session: Session, model: Model, now: datetime) -> RoundNumber:
    """Name the round that takes a model's files in time."""
    rounds = current_rounds(session, tournament_id=model.tournament_id, now=now)
    if not rounds:
        raise Conflict("no round is open; name the `round` of a late file, or queue it for the next one")
    return rounds[0].number


def _visible(session: Session, caller: Caller, submission_id: int) -> service.Submission:
    """Find a submission that the caller may see: its own, or with the right to audit one of a closed round."""
    found = service.get_submission(session, submission_id)
    if get_model(session, found.model_id).account_id == caller.account_id:
        return found
    if "audit" not in caller.scopes:
        raise NotFound("submission", submission_id)
    if get_view(session, found.number).closed_at is None:
        raise Forbidden(f"submissions to round {found.number} are sealed until its close")
    return found
