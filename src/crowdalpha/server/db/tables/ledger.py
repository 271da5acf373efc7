"""Ledger tables; triggers of the migration keep the balances and refuse every change of what is written."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crowdalpha.server.db.tables.base import Base

__all__ = ["LedgerAccountRow", "LedgerBatchRow", "LedgerFlowRow", "LedgerTransferRow", "LedgerUnitRow", "ReleaseRow"]


class LedgerUnitRow(Base):
    """A unit of account and its fixed number of decimals."""

    __tablename__ = "ledger_unit"

    code: Mapped[str] = mapped_column(primary_key=True)
    scale: Mapped[int]


class LedgerAccountRow(Base):
    """What transfers are on; `balance` is credits less debits and moves by the trigger alone."""

    __tablename__ = "ledger_account"
    __table_args__ = (
        UniqueConstraint("ref", "unit"),
        CheckConstraint("balance >= 0 OR kind = 'external'", name="ledger_account_not_overdrawn"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    ref: Mapped[str]
    kind: Mapped[str]
    unit: Mapped[str] = mapped_column(ForeignKey("ledger_unit.code"))
    balance: Mapped[int] = mapped_column(server_default="0")


class LedgerFlowRow(Base):
    """One allowed way of money."""

    __tablename__ = "ledger_flow"

    code: Mapped[str] = mapped_column(primary_key=True)
    debit_kind: Mapped[str] = mapped_column(primary_key=True)
    credit_kind: Mapped[str] = mapped_column(primary_key=True)


class LedgerBatchRow(Base):
    """Transfers posted together; its hash covers theirs and the batch before."""

    __tablename__ = "ledger_batch"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(unique=True)
    body_hash: Mapped[str]
    previous_hash: Mapped[str] = mapped_column(unique=True)
    hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]


class LedgerTransferRow(Base):
    """One immutable movement of money."""

    __tablename__ = "ledger_transfer"
    __table_args__ = (
        CheckConstraint("amount > 0", name="ledger_transfer_amount_positive"),
        CheckConstraint("debit_id <> credit_id", name="ledger_transfer_two_accounts"),
        # what moved last on an account is found without sorting all that ever did
        Index("ledger_transfer_debit_id_id_idx", "debit_id", "id"),
        Index("ledger_transfer_credit_id_id_idx", "credit_id", "id"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("ledger_batch.id"), index=True)
    code: Mapped[str]
    debit_id: Mapped[int] = mapped_column(ForeignKey("ledger_account.id"))
    credit_id: Mapped[int] = mapped_column(ForeignKey("ledger_account.id"))
    amount: Mapped[int]
    key: Mapped[str] = mapped_column(unique=True)
    at: Mapped[datetime]


class ReleaseRow(Base):
    """Stake on its way out: free once every round up to `wait_round` is resolved, burnable until then."""

    __tablename__ = "stake_release"
    __table_args__ = (CheckConstraint("amount > 0", name="stake_release_amount_positive"),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("model.id"), index=True)
    unit: Mapped[str] = mapped_column(ForeignKey("ledger_unit.code"))
    amount: Mapped[int]
    wait_round: Mapped[int]
    requested_at: Mapped[datetime]
    released_at: Mapped[datetime | None]
