"""Take predictions in, and answer with a signed receipt."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Literal, cast

from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.release import read_predictions
from crowdalpha.rules.calendar import RoundWindow
from crowdalpha.rules.errors import Conflict, NotFound, RoundClosed
from crowdalpha.rules.hashing import Json, canonical_json, sha256_hex
from crowdalpha.rules.ids import ModelId, RoundNumber
from crowdalpha.rules.receipt import HmacSigner, Receipt, issue_receipt, read_receipt
from crowdalpha.rules.round import RoundState
from crowdalpha.server.blobs import BlobStore
from crowdalpha.server.db.tables import SubmissionReportRow, SubmissionRow
from crowdalpha.server.log import get_log
from crowdalpha.server.models.service import get_model
from crowdalpha.server.rounds.service import Round, get_round, live_ids
from crowdalpha.server.rounds.universe import read_stored, universe_of
from crowdalpha.server.submissions import repository
from crowdalpha.server.submissions.named import EarlierFile, Preview, preview_of

__all__ = [
    "Origin",
    "Preview",
    "Submission",
    "SubmissionReport",
    "find_report",
    "get_submission",
    "hold_open",
    "late_submissions",
    "latest_received_at",
    "list_submissions",
    "page_submissions",
    "preview",
    "receipt_of",
    "submission_of",
    "submit",
    "take_opened",
]

log = get_log(__name__)

Origin = Literal["upload", "queued", "rolled_over"]
"""How a file came to its round: sent to it, sent before it opened, or taken over from the round before."""

OPEN_STATES = (RoundState.OPEN,)
LATE_STATES = (RoundState.OPEN, RoundState.CLOSED, RoundState.SCORING)


@dataclass(frozen=True, slots=True)
class Submission:
    """One accepted file; of a model's files for a round the highest `sequence` that is not late counts."""

    id: int
    number: RoundNumber
    model_id: ModelId
    sequence: int
    sha256: str
    filename: str
    origin: str
    is_late: bool
    source: str | None
    trigger_id: str | None
    dropped_unknown: int
    received_at: datetime


@dataclass(frozen=True, slots=True)
class SubmissionReport:
    """What was found in an upload to a named round; `churn` and `turnover` are integers of 1e-9."""

    coverage: Mapping[str, Json]
    n_compared: int
    churn: int
    turnover: int
    within_limits: bool


@dataclass(frozen=True, slots=True, eq=False)
class _File:
    """What is recorded of a file that was read."""

    sha256: str
    filename: str
    source: str | None
    trigger_id: str | None
    dropped_unknown: int
    report: Preview | None
    origin: Origin
    is_late: bool


def submit(  # noqa: PLR0913  # everything that is recorded with a file
    session: Session,
    *,
    blobs: BlobStore,
    model_id: ModelId,
    round_number: RoundNumber,
    content: bytes,
    filename: str = "predictions",
    source: str | None = None,
    trigger_id: str | None = None,
    origin: Origin = "upload",
    now: datetime,
    signing_key: bytes,
) -> Receipt:
    """Read, store and acknowledge a prediction file; the latest before the close counts.

    From the close to the final scores a file is late: it is scored if the model has none in time, and never paid.
    A repeat of the latest content gives the first receipt, also after the close.

    Raises
    ------
    NotFound
        If there is no such model or round.
    Conflict
        If the model is of another tournament.
    RoundClosed
        If the round has its final scores, or is void.
    PredictionFileError
        If the file breaks a rule; names the file, the column and the first bad row.
    """
    model = get_model(session, model_id)
    row = get_round(session, round_number)
    if model.tournament_id != row.tournament_id:
        raise Conflict(f"model {model.name} is not of the tournament of round {round_number}; use a model of that one")
    sha256 = sha256_hex(content)
    is_late = not _is_open(row, now)
    if is_late:
        same = repository.find_same(session, number=round_number, model_id=model_id, sha256=sha256)
        if same is not None:
            return _receipt(same)
        if not _takes_late(row) or repository.has_final_scores(session, round_number):
            raise RoundClosed(round_number)
    name = f"predictions of {model.name} for round {round_number}"
    report: Preview | None = None
    if row.rulebook.kind == "named":
        report = _preview(session, blobs, row, model_id=model_id, content=content, name=name)
        if report.problem is not None:
            raise report.problem
        dropped_unknown = report.coverage.rows - report.coverage.matched
    else:
        predictions = read_predictions(
            content,
            live_ids=live_ids(session, round_number),
            name=name,
            min_overlap=float(row.rulebook.min_overlap),
        )
        dropped_unknown = predictions.dropped_unknown
    blobs.put(content)
    file = _File(sha256, filename, source, trigger_id, dropped_unknown, report, origin, is_late)
    return _accept(session, row, model_id=model_id, file=file, now=now, signing_key=signing_key)


def preview(
    session: Session, *, blobs: BlobStore, model_id: ModelId, round_number: RoundNumber, content: bytes
) -> Preview:
    """Say what would become of a file for a named round, and store nothing.

    Raises
    ------
    NotFound
        If there is no such model or round.
    InputError
        If the round is not on named assets.
    PredictionFileError
        If the file cannot be read at all; what it breaks otherwise is the preview's `problem`.
    """
    model, row = get_model(session, model_id), get_round(session, round_number)
    name = f"predictions of {model.name} for round {round_number}"
    return _preview(session, blobs, row, model_id=model_id, content=content, name=name)


def find_report(session: Session, *, number: RoundNumber, model_id: ModelId) -> SubmissionReport | None:
    """Find the report on a model's upload that counts in a named round; None if there is none."""
    row = repository.find_report(session, number=number, model_id=model_id)
    if row is None:
        return None
    return SubmissionReport(
        coverage=MappingProxyType(dict(row.coverage)),
        n_compared=row.n_compared,
        churn=row.churn,
        turnover=row.turnover,
        within_limits=row.within_limits,
    )


def list_submissions(
    session: Session, *, number: RoundNumber | None = None, model_id: ModelId | None = None
) -> list[Submission]:
    """List accepted files by round, model and sequence: all, of one round, of one model."""
    return [_submission(row) for row in repository.list_rows(session, number=number, model_id=model_id)]


def late_submissions(session: Session, number: RoundNumber) -> list[tuple[ModelId, str]]:
    """List the models that were late for a round and had nothing in time, with the hash of their last file."""
    return repository.list_late(session, number)


def get_submission(session: Session, submission_id: int) -> Submission:
    """Read an accepted file, or refuse with `NotFound`."""
    row = repository.find(session, submission_id)
    if row is None:
        raise NotFound("submission", submission_id)
    return _submission(row)


def hold_open(session: Session, row: Round, *, model_id: ModelId, now: datetime) -> bool:
    """Say whether a round takes submissions at `now`, and keep it so, for this model alone, until the commit."""
    if not _is_open(row, now) or not _held_open(session, row):
        return False
    repository.lock_model(session, model_id)
    return True


def latest_received_at(session: Session, *, number: RoundNumber, model_id: ModelId) -> datetime | None:
    """Say when a model's upload that counts came; None if there is none."""
    latest = repository.find_latest(session, number=number, model_id=model_id, in_time=True)
    return None if latest is None else latest.received_at


def take_opened(
    session: Session,
    *,
    blobs: BlobStore,
    row: Round,
    model_id: ModelId,
    content: bytes,
    receipt: dict[str, Json],
    received_at: datetime,
) -> int:
    """Take in predictions that came out of a sealed upload, under its receipt and time; gives the submission's id.

    Raises
    ------
    RoundClosed
        If the round was closed meanwhile.
    PredictionFileError
        If the predictions are not ordinary ones.
    """
    if not _held_open(session, row):
        raise RoundClosed(row.number)
    repository.lock_model(session, model_id)
    predictions = read_predictions(content, live_ids=live_ids(session, row.number), name="opened predictions")
    latest = repository.find_latest(session, number=row.number, model_id=model_id)
    submission = SubmissionRow(
        round_number=row.number,
        model_id=model_id,
        sequence=1 if latest is None else latest.sequence + 1,
        sha256=blobs.put(content),
        filename="predictions.sealed",
        dropped_unknown=predictions.dropped_unknown,
        receipt=receipt,
        received_at=received_at,
    )
    repository.add(session, submission)
    return submission.id


def submission_of(session: Session, receipt: Receipt) -> Submission:
    """Read the accepted file that a receipt is for."""
    row = repository.find_same(
        session, number=receipt.round_number, model_id=receipt.model_id, sha256=receipt.content_sha256
    )
    if row is None:
        raise NotFound("submission of content", receipt.content_sha256)
    return _submission(row)


def receipt_of(session: Session, submission_id: int) -> Receipt:
    """Read the receipt that an accepted file was answered with, or refuse with `NotFound`."""
    row = repository.find(session, submission_id)
    if row is None:
        raise NotFound("submission", submission_id)
    return _receipt(row)


def page_submissions(
    session: Session,
    *,
    number: RoundNumber | None = None,
    model_id: ModelId | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Submission]:
    """List accepted files of a round or a model, newest first, from the one before the id `before`."""
    rows = repository.page_rows(session, number=number, model_id=model_id, before=before, limit=limit)
    return [_submission(row) for row in rows]


def _accept(
    session: Session, row: Round, *, model_id: ModelId, file: _File, now: datetime, signing_key: bytes
) -> Receipt:
    """Record a valid upload, unless it is the latest already or the round went on meanwhile."""
    stage = repository.lock_round(session, row.number)
    if stage is None or stage.has_final_scores or stage.state not in (LATE_STATES if file.is_late else OPEN_STATES):
        raise RoundClosed(row.number)
    repository.lock_model(session, model_id)
    latest = repository.find_latest(session, number=row.number, model_id=model_id)
    if latest is not None and latest.sha256 == file.sha256:
        return _receipt(latest)
    receipt = issue_receipt(
        round_number=row.number,
        model_id=model_id,
        content_sha256=file.sha256,
        rulebook_hash=row.rulebook.hash,
        received_at=now.astimezone(UTC),
        signer=HmacSigner(signing_key),
    )
    submission = SubmissionRow(
        round_number=row.number,
        model_id=model_id,
        sequence=1 if latest is None else latest.sequence + 1,
        sha256=file.sha256,
        filename=file.filename,
        origin=file.origin,
        is_late=file.is_late,
        source=file.source,
        trigger_id=file.trigger_id,
        dropped_unknown=file.dropped_unknown,
        receipt=receipt.to_json(),
        received_at=now,
    )
    repository.add(session, submission)
    if file.report is not None:
        repository.add_report(session, _report_row(submission.id, file.report))
    log.info(
        "submission_accepted",
        round=row.number,
        model_id=model_id,
        sha256=file.sha256,
        sequence=submission.sequence,
        late=file.is_late,
    )
    return receipt


def _preview(
    session: Session, blobs: BlobStore, row: Round, *, model_id: ModelId, content: bytes, name: str
) -> Preview:
    return preview_of(
        content,
        universe=universe_of(blobs, row),
        rulebook=row.rulebook,
        previous=_previous(session, blobs, row, model_id=model_id),
        name=name,
    )


def _previous(session: Session, blobs: BlobStore, row: Round, *, model_id: ModelId) -> list[EarlierFile] | None:
    """Read what a model submitted to the rounds that the rule looks back to; None if there was no round before."""
    rule = row.rulebook.change
    if rule is None:
        return None
    earlier = repository.list_earlier(
        session, tournament_id=row.tournament_id, model_id=model_id, before=row.opens_at, lookback=rule.lookback
    )
    if not earlier:
        return None
    return [
        EarlierFile(
            read_stored(blobs, each.universe_sha256, number=each.number, live_ids_sha256=each.live_ids_sha256),
            blobs.get(each.sha256),
        )
        for each in earlier
        if each.sha256 is not None
    ]


def _report_row(submission_id: int, report: Preview) -> SubmissionReportRow:
    if report.change is None:
        raise InputError("a refused file has no report to keep")
    return SubmissionReportRow(
        submission_id=submission_id,
        coverage=cast("dict[str, Json]", report.coverage.to_json()),
        n_compared=report.change.compared,
        churn=report.change.churn,
        turnover=report.change.turnover,
        within_limits=report.change.within_limits,
    )


def _submission(row: SubmissionRow) -> Submission:
    return Submission(
        id=row.id,
        number=RoundNumber(row.round_number),
        model_id=ModelId(row.model_id),
        sequence=row.sequence,
        sha256=str(row.receipt["content_sha256"]),  # of a sealed upload, what was sent and never what came out of it
        filename=row.filename,
        origin=row.origin,
        is_late=row.is_late,
        source=row.source,
        trigger_id=row.trigger_id,
        dropped_unknown=row.dropped_unknown,
        received_at=row.received_at,
    )


def _held_open(session: Session, row: Round) -> bool:
    """Whether a round is still open, and stays so until this transaction ends."""
    stage = repository.lock_round(session, row.number)
    return stage is not None and stage.state in OPEN_STATES


def _is_open(row: Round, now: datetime) -> bool:
    window = RoundWindow(opens_at=row.opens_at, closes_at=row.closes_at, resolves_at=row.resolves_at)
    return row.state is RoundState.OPEN and window.takes_submissions(now)


def _takes_late(row: Round) -> bool:
    return row.state in LATE_STATES


def _receipt(row: SubmissionRow) -> Receipt:
    return read_receipt(canonical_json(row.receipt))
