"""The sealed track: keys, what is offered under them, submissions, what became of them, and answers about a key."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crowdalpha.rules.hashing import Json
from crowdalpha.server.db.tables.base import Base

__all__ = ["SealedAnswerRow", "SealedKeyRow", "SealedOfferRow", "SealedOpeningRow", "SealedSubmissionRow"]


class SealedKeyRow(Base):
    """The public side of an epoch's keys; the secret is a file that no table and no blob knows."""

    __tablename__ = "sealed_key"
    __table_args__ = (CheckConstraint("answers_allowed > 0", name="sealed_key_allows_answers"),)

    key_id: Mapped[str] = mapped_column(primary_key=True)
    profile: Mapped[str]
    public_sha256: Mapped[str]
    answers_allowed: Mapped[int]
    created_at: Mapped[datetime]
    wiped_at: Mapped[datetime | None]


class SealedOfferRow(Base):
    """An encrypted era of a round; a key serves one round alone."""

    __tablename__ = "sealed_offer"

    round_number: Mapped[int] = mapped_column(ForeignKey("round.number"), primary_key=True, autoincrement=False)
    profile: Mapped[str] = mapped_column(primary_key=True)
    key_id: Mapped[str] = mapped_column(ForeignKey("sealed_key.key_id"), unique=True)
    era_sha256: Mapped[str]
    moments_sha256: Mapped[str | None]
    row_order: Mapped[str]
    n_rows: Mapped[int]
    published_at: Mapped[datetime]


class SealedSubmissionRow(Base):
    """One accepted sealed upload; the highest `sequence` of a model in a round counts."""

    __tablename__ = "sealed_submission"
    __table_args__ = (UniqueConstraint("round_number", "model_id", "sequence"),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    round_number: Mapped[int] = mapped_column(ForeignKey("round.number"))
    model_id: Mapped[int] = mapped_column(ForeignKey("model.id"), index=True)
    sequence: Mapped[int]
    key_id: Mapped[str] = mapped_column(ForeignKey("sealed_key.key_id"), index=True)
    sha256: Mapped[str]
    filename: Mapped[str]
    receipt: Mapped[dict[str, Json]] = mapped_column(JSONB)
    received_at: Mapped[datetime]


class SealedOpeningRow(Base):
    """What became of a sealed upload at the close: predictions, a refusal, or nothing for a later plain upload."""

    __tablename__ = "sealed_opening"
    __table_args__ = (
        CheckConstraint("outcome IN ('opened', 'rejected', 'superseded')", name="sealed_opening_outcome_known"),
        CheckConstraint("(outcome = 'opened') = (submission_id IS NOT NULL)", name="sealed_opening_has_predictions"),
    )

    sealed_submission_id: Mapped[int] = mapped_column(
        ForeignKey("sealed_submission.id"), primary_key=True, autoincrement=False
    )
    outcome: Mapped[str]
    submission_id: Mapped[int | None] = mapped_column(ForeignKey("submission.id"), unique=True)
    opened_at: Mapped[datetime]


class SealedAnswerRow(Base):
    """Answers that a key owes: those of a model, or of the hashes that a round publishes (no model)."""

    __tablename__ = "sealed_answer"
    __table_args__ = (
        CheckConstraint("answers > 0", name="sealed_answer_positive"),
        Index("sealed_answer_once", "key_id", "model_id", unique=True, postgresql_nulls_not_distinct=True),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    key_id: Mapped[str] = mapped_column(ForeignKey("sealed_key.key_id"))
    model_id: Mapped[int | None] = mapped_column(ForeignKey("model.id"), index=True)
    answers: Mapped[int]
    reserved_at: Mapped[datetime]
