"""Take predictions in, and answer with a signed receipt."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from crowdalpha.release import read_predictions
from crowdalpha.rules.calendar import RoundWindow
from crowdalpha.rules.errors import RoundClosed
from crowdalpha.rules.hashing import canonical_json, sha256_hex
from crowdalpha.rules.ids import ModelId, RoundNumber
from crowdalpha.rules.receipt import HmacSigner, Receipt, issue_receipt, read_receipt
from crowdalpha.rules.round import RoundState
from crowdalpha.server.blobs import BlobStore
from crowdalpha.server.db.tables import SubmissionRow
from crowdalpha.server.log import get_log
from crowdalpha.server.models.service import get_model
from crowdalpha.server.rounds.service import Round, get_round, live_ids
from crowdalpha.server.submissions import repository

__all__ = ["Submission", "list_submissions", "submit"]

log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class Submission:
    """One accepted upload; of a model's uploads for a round the highest `sequence` counts."""

    number: RoundNumber
    model_id: ModelId
    sequence: int
    sha256: str
    dropped_unknown: int
    received_at: datetime


def submit(
    session: Session,
    *,
    blobs: BlobStore,
    model_id: ModelId,
    round_number: RoundNumber,
    content: bytes,
    filename: str = "predictions",
    now: datetime,
    signing_key: bytes,
) -> Receipt:
    """Read, store and acknowledge a prediction file; the latest before the close counts.

    A repeat of the latest content gives the first receipt, also after the close.

    Raises
    ------
    NotFound
        If there is no such model or round.
    RoundClosed
        If the round takes no submissions at `now`.
    PredictionFileError
        If the file breaks a rule; names the file, the column and the first bad row.
    """
    model = get_model(session, model_id)
    row = get_round(session, round_number)
    sha256 = sha256_hex(content)
    if not _is_open(row, now):
        same = repository.find_same(session, number=round_number, model_id=model_id, sha256=sha256)
        if same is None:
            raise RoundClosed(round_number)
        return _receipt(same)
    predictions = read_predictions(
        content,
        live_ids=live_ids(session, round_number),
        name=f"predictions of {model.name} for round {round_number}",
        min_overlap=float(row.rulebook.min_overlap),
    )
    blobs.put(content)
    return _accept(
        session,
        row,
        model_id=model_id,
        sha256=sha256,
        filename=filename,
        dropped_unknown=predictions.dropped_unknown,
        now=now,
        signing_key=signing_key,
    )


def list_submissions(session: Session, *, number: RoundNumber) -> list[Submission]:
    """List every accepted upload of a round, by model and sequence."""
    return [
        Submission(
            number=number,
            model_id=ModelId(row.model_id),
            sequence=row.sequence,
            sha256=row.sha256,
            dropped_unknown=row.dropped_unknown,
            received_at=row.received_at,
        )
        for row in repository.list_of_round(session, number)
    ]


def _accept(
    session: Session,
    row: Round,
    *,
    model_id: ModelId,
    sha256: str,
    filename: str,
    dropped_unknown: int,
    now: datetime,
    signing_key: bytes,
) -> Receipt:
    """Record a valid upload, unless it is the latest already or the round was closed meanwhile."""
    if repository.lock_state(session, row.number) != RoundState.OPEN:
        raise RoundClosed(row.number)
    repository.lock_model(session, model_id)
    latest = repository.find_latest(session, number=row.number, model_id=model_id)
    if latest is not None and latest.sha256 == sha256:
        return _receipt(latest)
    receipt = issue_receipt(
        round_number=row.number,
        model_id=model_id,
        content_sha256=sha256,
        rulebook_hash=row.rulebook.hash,
        received_at=now.astimezone(UTC),
        signer=HmacSigner(signing_key),
    )
    submission = SubmissionRow(
        round_number=row.number,
        model_id=model_id,
        sequence=1 if latest is None else latest.sequence + 1,
        sha256=sha256,
        filename=filename,
        dropped_unknown=dropped_unknown,
        receipt=receipt.to_json(),
        received_at=now,
    )
    repository.add(session, submission)
    log.info("submission_accepted", round=row.number, model_id=model_id, sha256=sha256, sequence=submission.sequence)
    return receipt


def _is_open(row: Round, now: datetime) -> bool:
    window = RoundWindow(opens_at=row.opens_at, closes_at=row.closes_at, resolves_at=row.resolves_at)
    return row.state is RoundState.OPEN and window.takes_submissions(now)


def _receipt(row: SubmissionRow) -> Receipt:
    return read_receipt(canonical_json(row.receipt))
