"""All SQL of submissions."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdalpha.rules.ids import ModelId, RoundNumber
from crowdalpha.server.db.tables import ModelRow, RoundRow, SubmissionRow

__all__ = ["add", "find_latest", "find_same", "list_of_round", "lock_model", "lock_state"]


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


def list_of_round(session: Session, number: RoundNumber) -> list[SubmissionRow]:
    """List the uploads of a round by model and sequence."""
    statement = select(SubmissionRow).where(SubmissionRow.round_number == number)
    return list(session.scalars(statement.order_by(SubmissionRow.model_id, SubmissionRow.sequence)))
