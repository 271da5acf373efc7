"""All SQL of the sealed track."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crowdalpha.rules.ids import ModelId, RoundNumber
from crowdalpha.server.db.tables import (
    RoundRow,
    SealedAnswerRow,
    SealedKeyRow,
    SealedOfferRow,
    SealedOpeningRow,
    SealedSubmissionRow,
)

__all__ = [
    "add_answers",
    "add_key",
    "add_offer",
    "add_opening",
    "add_submission",
    "answers_of",
    "find_answers",
    "find_key",
    "find_latest",
    "find_offer",
    "find_opening",
    "list_counting",
    "list_finished_keys",
    "list_keys",
    "list_offers",
    "list_sealed_models",
    "mark_wiped",
]

SEALED_MODELS = text("""
    SELECT counting.model_id FROM (
        SELECT DISTINCT ON (model_id) model_id, id FROM submission
        WHERE round_number = :number AND NOT is_late
        ORDER BY model_id, sequence DESC
    ) AS counting
    JOIN sealed_opening ON sealed_opening.submission_id = counting.id
    ORDER BY counting.model_id
""")
OVER = ("closed", "scoring", "resolved", "void")


def add_key(session: Session, row: SealedKeyRow) -> bool:
    """Insert unless it is there; says whether it was inserted."""
    values = {column.key: getattr(row, column.key) for column in SealedKeyRow.__table__.columns}
    statement = insert(SealedKeyRow).values(values).on_conflict_do_nothing().returning(SealedKeyRow.key_id)
    return session.scalars(statement).one_or_none() is not None


def find_key(session: Session, key_id: str, *, lock: bool = False) -> SealedKeyRow | None:
    """Find a key as it is now, and with `lock` keep others from reserving its answers meanwhile."""
    statement = select(SealedKeyRow).where(SealedKeyRow.key_id == key_id).execution_options(populate_existing=True)
    return session.scalars(statement.with_for_update() if lock else statement).one_or_none()


def list_keys(session: Session) -> list[SealedKeyRow]:
    """List keys, the oldest first."""
    return list(session.scalars(select(SealedKeyRow).order_by(SealedKeyRow.created_at, SealedKeyRow.key_id)))


def list_finished_keys(session: Session) -> list[str]:
    """List keys whose round was closed or voided and whose secret was not wiped."""
    statement = (
        select(SealedKeyRow.key_id)
        .join(SealedOfferRow, SealedOfferRow.key_id == SealedKeyRow.key_id)
        .join(RoundRow, RoundRow.number == SealedOfferRow.round_number)
        .where(RoundRow.state.in_(OVER), SealedKeyRow.wiped_at.is_(None))
        .order_by(SealedKeyRow.key_id)
    )
    return list(session.scalars(statement))


def mark_wiped(session: Session, key_id: str, *, now: datetime) -> None:
    """Note when a secret was destroyed; the first time stays."""
    statement = update(SealedKeyRow).where(SealedKeyRow.key_id == key_id, SealedKeyRow.wiped_at.is_(None))
    session.execute(statement.values(wiped_at=now))


def add_offer(session: Session, row: SealedOfferRow) -> None:
    """Insert what a round offers."""
    session.add(row)
    session.flush()


def find_offer(session: Session, *, number: RoundNumber, profile: str) -> SealedOfferRow | None:
    """Find what a round offers in a parameter set."""
    return session.get(SealedOfferRow, (number, profile))


def list_offers(
    session: Session, *, number: RoundNumber | None = None, key_id: str | None = None
) -> list[SealedOfferRow]:
    """List offers by round and parameter set."""
    statement = select(SealedOfferRow).order_by(SealedOfferRow.round_number, SealedOfferRow.profile)
    if number is not None:
        statement = statement.where(SealedOfferRow.round_number == number)
    return list(session.scalars(statement if key_id is None else statement.where(SealedOfferRow.key_id == key_id)))


def answers_of(session: Session, key_id: str) -> int:
    """Add up the answers that a key owes."""
    statement = select(func.coalesce(func.sum(SealedAnswerRow.answers), 0)).where(SealedAnswerRow.key_id == key_id)
    return int(session.scalars(statement).one())


def find_answers(session: Session, *, key_id: str, model_id: ModelId) -> SealedAnswerRow | None:
    """Find what was reserved for a model."""
    statement = select(SealedAnswerRow).where(SealedAnswerRow.key_id == key_id, SealedAnswerRow.model_id == model_id)
    return session.scalars(statement).one_or_none()


def add_answers(session: Session, row: SealedAnswerRow) -> None:
    """Insert a reservation."""
    session.add(row)
    session.flush()


def find_latest(session: Session, *, number: RoundNumber, model_id: ModelId) -> SealedSubmissionRow | None:
    """Find a model's sealed upload that counts."""
    statement = (
        select(SealedSubmissionRow)
        .where(SealedSubmissionRow.round_number == number, SealedSubmissionRow.model_id == model_id)
        .order_by(SealedSubmissionRow.sequence.desc())
        .limit(1)
    )
    return session.scalars(statement).one_or_none()


def list_counting(session: Session, number: RoundNumber) -> Sequence[SealedSubmissionRow]:
    """List each model's latest sealed upload, by model."""
    latest = (
        select(func.max(SealedSubmissionRow.id))
        .where(SealedSubmissionRow.round_number == number)
        .group_by(SealedSubmissionRow.model_id)
    )
    statement = select(SealedSubmissionRow).where(SealedSubmissionRow.id.in_(latest))
    return list(session.scalars(statement.order_by(SealedSubmissionRow.model_id)))


def add_submission(session: Session, row: SealedSubmissionRow) -> None:
    """Insert an upload."""
    session.add(row)
    session.flush()


def find_opening(session: Session, sealed_submission_id: int) -> SealedOpeningRow | None:
    """Find what became of an upload."""
    return session.get(SealedOpeningRow, sealed_submission_id)


def add_opening(session: Session, row: SealedOpeningRow) -> None:
    """Insert what became of an upload."""
    session.add(row)
    session.flush()


def list_sealed_models(session: Session, number: RoundNumber) -> list[int]:
    """List models whose counting submission came out of a sealed one."""
    return list(session.scalars(SEALED_MODELS, {"number": number}))
