"""All SQL of submissions."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from crowdalpha.rules.ids import ModelId, RoundNumber, TournamentId
from crowdalpha.server.db.tables import ModelRow, RoundRow, ScoreDayRow, SubmissionReportRow, SubmissionRow

__all__ = [
    "Earlier",
    "RoundStage",
    "add",
    "add_report",
    "find",
    "find_latest",
    "find_report",
    "find_same",
    "has_final_scores",
    "list_earlier",
    "list_late",
    "list_rows",
    "lock_model",
    "lock_round",
    "page_rows",
]

LATE = text("""
    SELECT latest.model_id, latest.sha256 FROM (
        SELECT DISTINCT ON (model_id) model_id, sha256, is_late FROM submission
        WHERE round_number = :number
        ORDER BY model_id, is_late, sequence DESC
    ) AS latest
    WHERE latest.is_late
    ORDER BY latest.model_id
""")


@dataclass(frozen=True, slots=True)
class Earlier:
    """A round before, and what a model submitted to it, if it did."""

    number: RoundNumber
    live_ids_sha256: str
    universe_sha256: str
    sha256: str | None


@dataclass(frozen=True, slots=True)
class RoundStage:
    """How far a round is."""

    state: str
    has_final_scores: bool


def lock_round(session: Session, number: RoundNumber) -> RoundStage | None:
    """Read how far a round is and keep it there until this transaction ends; uploads do not wait for each other."""
    statement = select(RoundRow.state).where(RoundRow.number == number).with_for_update(read=True)
    state = session.scalars(statement).one_or_none()
    return None if state is None else RoundStage(state, has_final_scores(session, number))


def has_final_scores(session: Session, number: RoundNumber) -> bool:
    """Whether the scores that pay are there."""
    statement = select(ScoreDayRow.day).where(ScoreDayRow.round_number == number, ScoreDayRow.is_final)
    return session.scalars(statement).one_or_none() is not None


def lock_model(session: Session, model_id: ModelId) -> None:
    """Take a model's uploads one at a time until this transaction ends."""
    session.execute(select(ModelRow.id).where(ModelRow.id == model_id).with_for_update(key_share=True))


def find_latest(
    session: Session, *, number: RoundNumber, model_id: ModelId, in_time: bool = False
) -> SubmissionRow | None:
    """Find a model's last upload; with `in_time` that which counts."""
    statement = (
        select(SubmissionRow)
        .where(SubmissionRow.round_number == number, SubmissionRow.model_id == model_id)
        .order_by(SubmissionRow.sequence.desc())
        .limit(1)
    )
    return session.scalars(statement.where(~SubmissionRow.is_late) if in_time else statement).one_or_none()


def find(session: Session, submission_id: int) -> SubmissionRow | None:
    """Find an upload by its id."""
    return session.get(SubmissionRow, submission_id)


def find_same(session: Session, *, number: RoundNumber, model_id: ModelId, sha256: str) -> SubmissionRow | None:
    """Find the last upload of the same content."""
    statement = (
        select(SubmissionRow)
        .where(SubmissionRow.round_number == number, SubmissionRow.model_id == model_id, SubmissionRow.sha256 == sha256)
        .order_by(SubmissionRow.sequence.desc())
        .limit(1)
    )
    return session.scalars(statement).one_or_none()


def add(session: Session, row: SubmissionRow) -> None:
    """Insert an upload."""
    session.add(row)
    session.flush()


def list_rows(session: Session, *, number: RoundNumber | None, model_id: ModelId | None) -> list[SubmissionRow]:
    """List uploads by round, model and sequence."""
    statement = select(SubmissionRow)
    if number is not None:
        statement = statement.where(SubmissionRow.round_number == number)
    if model_id is not None:
        statement = statement.where(SubmissionRow.model_id == model_id)
    order = (SubmissionRow.round_number, SubmissionRow.model_id, SubmissionRow.sequence)
    return list(session.scalars(statement.order_by(*order)))


def add_report(session: Session, row: SubmissionReportRow) -> None:
    """Insert the report on an upload."""
    session.add(row)
    session.flush()


def find_report(session: Session, *, number: RoundNumber, model_id: ModelId) -> SubmissionReportRow | None:
    """Find the report on a model's upload that counts."""
    latest = find_latest(session, number=number, model_id=model_id, in_time=True)
    return None if latest is None else session.get(SubmissionReportRow, latest.id)


def list_earlier(
    session: Session, *, tournament_id: TournamentId, model_id: ModelId, before: datetime, lookback: int
) -> list[Earlier]:
    """List the last named rounds that had closed at a time, newest first, with what a model had in them at the end."""
    statement = (
        select(RoundRow.number, RoundRow.live_ids_sha256, RoundRow.universe_sha256)
        .where(RoundRow.tournament_id == tournament_id, RoundRow.closes_at <= before)
        .order_by(RoundRow.closes_at.desc(), RoundRow.number.desc())
        .limit(lookback)
    )
    rounds = [(RoundNumber(number), ids, universe) for number, ids, universe in session.execute(statement)]
    uploads = (
        select(SubmissionRow.round_number, SubmissionRow.sha256)
        .where(
            SubmissionRow.model_id == model_id,
            SubmissionRow.round_number.in_([number for number, _, _ in rounds]),
            ~SubmissionRow.is_late,
        )
        .order_by(SubmissionRow.round_number, SubmissionRow.sequence)
    )
    # of several uploads to a round the last one stays
    found = {each.round_number: each.sha256 for each in session.execute(uploads)}
    return [Earlier(number, ids, universe, found.get(number)) for number, ids, universe in rounds if universe]


def page_rows(
    session: Session, *, number: RoundNumber | None, model_id: ModelId | None, before: int | None, limit: int
) -> list[SubmissionRow]:
    """List a page of uploads, newest first."""
    statement = select(SubmissionRow).order_by(SubmissionRow.id.desc()).limit(limit)
    if number is not None:
        statement = statement.where(SubmissionRow.round_number == number)
    if model_id is not None:
        statement = statement.where(SubmissionRow.model_id == model_id)
    return list(session.scalars(statement if before is None else statement.where(SubmissionRow.id < before)))


def list_late(session: Session, number: RoundNumber) -> list[tuple[ModelId, str]]:
    """List (model, hash) of the last late upload of each model that had none in time, by model."""
    return [(ModelId(row.model_id), row.sha256) for row in session.execute(LATE, {"number": number})]
