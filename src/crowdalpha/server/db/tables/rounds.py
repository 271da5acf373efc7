"""Datasets, rounds and everything that is frozen with a round."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Identity, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crowdalpha.rules.hashing import Json
from crowdalpha.server.db.tables.base import Base

__all__ = [
    "ClosingRow",
    "DatasetRow",
    "LiveIdsRow",
    "PayoutRow",
    "PositionRow",
    "ResolutionRow",
    "RoundRow",
    "SubmissionReportRow",
    "SubmissionRow",
    "UploadRow",
    "WaitingSubmissionRow",
]


class DatasetRow(Base):
    """A published version; `files` maps each name to the hash of its blob."""

    __tablename__ = "dataset"

    version: Mapped[str] = mapped_column(primary_key=True)
    manifest_sha256: Mapped[str]
    files: Mapped[dict[str, str]] = mapped_column(JSONB)
    published_at: Mapped[datetime]


class RoundRow(Base):
    """One run of the contest; nothing but `state` ever changes."""

    __tablename__ = "round"
    __table_args__ = (
        CheckConstraint(
            "state IN ('scheduled', 'open', 'closed', 'scoring', 'resolved', 'void')", name="round_state_known"
        ),
        CheckConstraint("opens_at < closes_at AND closes_at < resolves_at", name="round_times_ordered"),
    )

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    tournament_id: Mapped[int] = mapped_column(ForeignKey("tournament.id"), index=True)
    state: Mapped[str]
    rulebook: Mapped[dict[str, Json]] = mapped_column(JSONB)
    rulebook_hash: Mapped[str]
    dataset_version: Mapped[str] = mapped_column(ForeignKey("dataset.version"))
    era: Mapped[str]
    live_ids_sha256: Mapped[str]
    universe_sha256: Mapped[str | None]
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    resolves_at: Mapped[datetime]


class LiveIdsRow(Base):
    """The ids that a submission of a round must cover, in their order."""

    __tablename__ = "round_live_ids"

    round_number: Mapped[int] = mapped_column(ForeignKey("round.number"), primary_key=True, autoincrement=False)
    ids: Mapped[list[str]] = mapped_column(ARRAY(Text))


class SubmissionRow(Base):
    """One accepted upload; the highest `sequence` of a model in a round counts."""

    __tablename__ = "submission"
    __table_args__ = (
        UniqueConstraint("round_number", "model_id", "sequence"),
        CheckConstraint("origin IN ('upload', 'queued', 'rolled_over')", name="submission_origin_known"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    round_number: Mapped[int] = mapped_column(ForeignKey("round.number"))
    model_id: Mapped[int] = mapped_column(ForeignKey("model.id"), index=True)
    sequence: Mapped[int]
    sha256: Mapped[str]
    filename: Mapped[str]
    origin: Mapped[str] = mapped_column(server_default="upload")
    is_late: Mapped[bool] = mapped_column(server_default=text("false"))
    source: Mapped[str | None]
    trigger_id: Mapped[str | None]
    dropped_unknown: Mapped[int]
    receipt: Mapped[dict[str, Json]] = mapped_column(JSONB)
    received_at: Mapped[datetime]


class SubmissionReportRow(Base):
    """What the reader found in an upload to a named round: coverage, and how much it changed, in 1e-9."""

    __tablename__ = "submission_report"

    submission_id: Mapped[int] = mapped_column(ForeignKey("submission.id"), primary_key=True, autoincrement=False)
    coverage: Mapped[dict[str, Json]] = mapped_column(JSONB)
    n_compared: Mapped[int]
    churn: Mapped[int]
    turnover: Mapped[int]
    within_limits: Mapped[bool]


class WaitingSubmissionRow(Base):
    """A file for the next round, and what became of it when that round opened."""

    __tablename__ = "waiting_submission"
    __table_args__ = (
        CheckConstraint("origin IN ('queued', 'rolled_over')", name="waiting_submission_origin_known"),
        CheckConstraint("state IN ('waiting', 'replaced', 'taken', 'refused')", name="waiting_submission_state_known"),
        Index("waiting_submission_one_idx", "model_id", unique=True, postgresql_where=text("state = 'waiting'")),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("model.id"), index=True)
    origin: Mapped[str]
    sha256: Mapped[str]
    filename: Mapped[str]
    source: Mapped[str | None]
    trigger_id: Mapped[str | None]
    received_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(server_default="waiting")
    round_number: Mapped[int | None] = mapped_column(ForeignKey("round.number"), index=True)
    reason: Mapped[str | None]
    decided_at: Mapped[datetime | None]


class UploadRow(Base):
    """A place for one file that a client was told to put it at, before it says what the file is for."""

    __tablename__ = "upload"

    token: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    filename: Mapped[str]
    sha256: Mapped[str | None]
    n_bytes: Mapped[int | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ClosingRow(Base):
    """What the close of a round fixed."""

    __tablename__ = "round_closing"

    round_number: Mapped[int] = mapped_column(ForeignKey("round.number"), primary_key=True, autoincrement=False)
    total_at_risk: Mapped[int]
    snapshot_root: Mapped[str]
    closed_hash: Mapped[str]
    predictions_sha256: Mapped[str]
    meta_model_sha256: Mapped[str]
    closed_at: Mapped[datetime]


class PositionRow(Base):
    """A model's frozen part in a round: its submission and what it risks."""

    __tablename__ = "position"
    __table_args__ = (CheckConstraint("at_risk >= 0", name="position_at_risk_not_negative"),)

    round_number: Mapped[int] = mapped_column(ForeignKey("round.number"), primary_key=True, autoincrement=False)
    model_id: Mapped[int] = mapped_column(ForeignKey("model.id"), primary_key=True, autoincrement=False, index=True)
    submission_sha256: Mapped[str]
    at_risk: Mapped[int]


class ResolutionRow(Base):
    """What a round paid and burned, and the proof of it."""

    __tablename__ = "round_resolution"

    round_number: Mapped[int] = mapped_column(ForeignKey("round.number"), primary_key=True, autoincrement=False)
    batch_id: Mapped[int] = mapped_column(ForeignKey("ledger_batch.id"))
    paid: Mapped[int]
    burned: Mapped[int]
    payout_factor: Mapped[int]
    funding: Mapped[int]
    payout_root: Mapped[str]
    bundle_sha256: Mapped[str]
    resolved_at: Mapped[datetime]


class PayoutRow(Base):
    """What a round did to one model; `earned` is signed and by the rule, the others are what moved."""

    __tablename__ = "round_payout"
    __table_args__ = (
        ForeignKeyConstraint(["round_number", "model_id"], ["position.round_number", "position.model_id"]),
        CheckConstraint("paid >= 0 AND burned >= 0 AND burned_pending >= 0", name="round_payout_not_negative"),
    )

    round_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    model_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, index=True)
    rate: Mapped[int]
    earned: Mapped[int]
    paid: Mapped[int]
    burned: Mapped[int]
    burned_pending: Mapped[int]
