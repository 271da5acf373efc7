"""Keep a file for the next round, and hand it in when that round opens; or hand in that of the round before again.

A file is read when its round opens, because only then are the ids known. Ids of an obfuscated tournament are new in
every round: a file made before cannot have them, is refused then, and its owner reads why. For the same reason only
models of named tournaments can roll over.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.release import PredictionFileError
from crowdalpha.release.predictions import MAX_BYTES
from crowdalpha.rules.errors import RoundClosed
from crowdalpha.rules.hashing import Json
from crowdalpha.rules.ids import ModelId, RoundNumber
from crowdalpha.rules.round import RoundState
from crowdalpha.server.blobs import BlobStore
from crowdalpha.server.db.tables import WaitingSubmissionRow
from crowdalpha.server.log import get_log
from crowdalpha.server.models.service import get_model
from crowdalpha.server.queued import repository
from crowdalpha.server.rounds.service import Round, get_round
from crowdalpha.server.submissions.service import Origin, list_submissions, submit
from crowdalpha.server.webhooks.service import emit

__all__ = ["HandedIn", "Waiting", "hand_in", "list_waiting", "queue"]

log = get_log(__name__)

BATCH = 100


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file for the next round: `waiting`, `replaced` by a newer one, `taken` into a round, or `refused` by it."""

    id: int
    model_id: ModelId
    origin: str
    sha256: str
    filename: str
    state: str
    number: RoundNumber | None
    reason: str | None
    received_at: datetime
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class HandedIn:
    """What one call of `hand_in` did; `is_done` once nothing is left for the round."""

    taken: int
    refused: int
    is_done: bool


def queue(
    session: Session,
    *,
    blobs: BlobStore,
    model_id: ModelId,
    content: bytes,
    filename: str,
    source: str | None = None,
    trigger_id: str | None = None,
    now: datetime,
) -> Waiting:
    """Keep a file for the next round of the model's tournament; it takes the place of one that waits already.

    Raises
    ------
    NotFound
        If there is no such model.
    InputError
        If the file is empty or larger than a submission may be.
    """
    model = get_model(session, model_id)
    if not 0 < len(content) <= MAX_BYTES:
        raise InputError(f"predictions of {model.name} have {len(content)} bytes; send 1 to {MAX_BYTES}")
    repository.replace_waiting(session, model_id, now=now)
    row = WaitingSubmissionRow(
        model_id=model_id,
        origin="queued",
        sha256=blobs.put(content),
        filename=filename,
        source=source,
        trigger_id=trigger_id,
        received_at=now,
        state="waiting",
    )
    repository.add(session, row)
    log.info("submission_queued", model_id=model_id, sha256=row.sha256)
    return _waiting(row)


def list_waiting(session: Session, model_id: ModelId) -> list[Waiting]:
    """List what waits for a model's next round, and what became of what waited before, newest first."""
    return [_waiting(row) for row in repository.list_of_model(session, model_id)]


def hand_in(
    session: Session,
    *,
    blobs: BlobStore,
    number: RoundNumber,
    now: datetime,
    signing_key: bytes,
    limit: int = BATCH,
) -> HandedIn:
    """Hand in what waits for a round that has opened, and files of models that roll over; some at a time.

    Call again, each time in a transaction of its own, until the answer is done. A repeat after that finds nothing.

    Raises
    ------
    NotFound
        If there is no such round.
    """
    row = get_round(session, number)
    if row.state is not RoundState.OPEN or now >= row.closes_at:
        return HandedIn(0, 0, is_done=True)  # nobody was there to open it; the files wait for the next round
    waiting = repository.list_waiting(session, tournament_id=row.tournament_id, now=row.opens_at, limit=limit)
    refused = 0
    for each in waiting:
        refused += not _hand_in(session, blobs, row, each, now=now, signing_key=signing_key)
    if len(waiting) == limit or row.rulebook.kind != "named":
        return HandedIn(len(waiting) - refused, refused, is_done=len(waiting) < limit)
    rolled = repository.list_roll_overs(
        session, number=number, tournament_id=row.tournament_id, opens_at=row.opens_at, limit=limit
    )
    for model in rolled:
        again = WaitingSubmissionRow(
            model_id=model.model_id,
            origin="rolled_over",
            sha256=model.sha256,
            filename=model.filename,
            received_at=now,
            state="refused",  # until it is taken, so that it never stands beside a file that waits
            round_number=number,
        )
        repository.add(session, again)
        refused += not _hand_in(session, blobs, row, again, now=now, signing_key=signing_key)
    n = len(waiting) + len(rolled)
    return HandedIn(n - refused, refused, is_done=len(rolled) < limit)


def _hand_in(
    session: Session, blobs: BlobStore, row: Round, waiting: WaitingSubmissionRow, *, now: datetime, signing_key: bytes
) -> bool:
    """Submit one file and note what became of it; says whether it was taken."""
    origin: Origin = "queued" if waiting.origin == "queued" else "rolled_over"
    reason: str | None = None
    if list_submissions(session, number=row.number, model_id=ModelId(waiting.model_id)):
        reason = f"round {row.number} has a newer file of this model"
    else:
        try:
            submit(
                session,
                blobs=blobs,
                model_id=ModelId(waiting.model_id),
                round_number=row.number,
                content=blobs.get(waiting.sha256),
                filename=waiting.filename,
                source=waiting.source,
                trigger_id=waiting.trigger_id,
                origin=origin,
                now=now,
                signing_key=signing_key,
            )
        except (PredictionFileError, RoundClosed) as error:
            reason = str(error)
            _tell(session, row, waiting, code=error.code, reason=reason, now=now)
    state = "taken" if reason is None else "refused"
    repository.decide(session, waiting.id, state=state, number=row.number, reason=reason, now=now)
    log.info("waiting_submission_decided", model_id=waiting.model_id, round=row.number, state=state)
    return reason is None


def _tell(
    session: Session, row: Round, waiting: WaitingSubmissionRow, *, code: str, reason: str, now: datetime
) -> None:
    """Tell the owner's webhooks, because nobody waited for the answer."""
    model = get_model(session, ModelId(waiting.model_id))
    payload: dict[str, Json] = {
        "round": row.number,
        "model_id": model.id,
        "model": model.name,
        "filename": waiting.filename,
        "code": code,
        "message": reason,
    }
    emit(
        session,
        event="submission.failed",
        tournament_id=row.tournament_id,
        payload=payload,
        account_id=model.account_id,
        now=now,
    )


def _waiting(row: WaitingSubmissionRow) -> Waiting:
    return Waiting(
        id=row.id,
        model_id=ModelId(row.model_id),
        origin=row.origin,
        sha256=row.sha256,
        filename=row.filename,
        state=row.state,
        number=None if row.round_number is None else RoundNumber(row.round_number),
        reason=row.reason,
        received_at=row.received_at,
        decided_at=row.decided_at,
    )
