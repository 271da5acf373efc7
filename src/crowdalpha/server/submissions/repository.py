"""All SQL of submissions."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdalpha.rules.ids import ModelId, RoundNumber, TournamentId
from crowdalpha.server.db.tables import ModelRow, RoundRow, SubmissionReportRow, SubmissionRow

__all__ = [
    "Earlier",
    "add",
    "add_report",
    "find_latest",
    "find_report",
    "find_same",
    "list_earlier",
    "list_rows",
    "lock_model",
    "lock_state",
]


@dataclass(frozen=True, slots=True)
class Earlier:
    """A round before, and what a model submitted to it, if it did."""

    number: RoundNumber
    live_ids_sha256: str
    universe_sha256: str
    sha256: str | None


def lock_state(session: Session, number: RoundNumber) -> str | None:
    """Read a round's state and keep it from closing until this transaction ends; uploads do not wait for each other."""
    statement = select(RoundRow.state).where(RoundRow.number == number).with_for_update(read=True)
    return session.scalars(statement).one_or_none()


def lock_model(session: Session, model_id: ModelId) -> None:
    """Take a model's uploads one at a time until this transaction ends."""
    session.execute(select(ModelRow.id).where(ModelRow.id == model_id).with_for_update(key_share=True))


def find_latest(session: Session, *, number: RoundNumber, model_id: ModelId) -> SubmissionRow | None:
    """Find a model's upload that counts."""
    statement = (
        select(SubmissionRow)
        .where(SubmissionRow.round_number == number, SubmissionRow.model_id == model_id)
        .order_by(SubmissionRow.sequence.desc())
        .limit(1)
    )
    return session.scalars(statement).one_or_none()


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
    latest = find_latest(session, number=number, model_id=model_id)
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
