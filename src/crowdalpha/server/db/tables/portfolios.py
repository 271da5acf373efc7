"""What the meta model of a round was turned into."""

from datetime import datetime

from sqlalchemy import ForeignKey, ForeignKeyConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crowdalpha.server.db.tables.base import Base

__all__ = ["ContributionRoundRow", "ContributionRow", "PortfolioRow"]


class PortfolioRow(Base):
    """One rebalancing; the weights are a blob."""

    __tablename__ = "portfolio"

    round_number: Mapped[int] = mapped_column(ForeignKey("round.number"), primary_key=True, autoincrement=False)
    status: Mapped[str]
    relaxed: Mapped[list[str]] = mapped_column(JSONB)
    weights_sha256: Mapped[str]
    unit: Mapped[str]
    nav: Mapped[int]
    nav_scale: Mapped[int]
    rebalanced_at: Mapped[datetime]


class ContributionRoundRow(Base):
    """True Contribution of a round: the record that proves it, and what it was computed from."""

    __tablename__ = "contribution_round"

    round_number: Mapped[int] = mapped_column(ForeignKey("round.number"), primary_key=True, autoincrement=False)
    inputs_sha256: Mapped[str]
    record_sha256: Mapped[str]
    book_return: Mapped[int]
    recorded_at: Mapped[datetime]


class ContributionRow(Base):
    """What one model was worth in a round: integers of 1e-9, null where undefined."""

    __tablename__ = "contribution"
    __table_args__ = (
        ForeignKeyConstraint(["round_number"], ["contribution_round.round_number"]),
        ForeignKeyConstraint(["round_number", "model_id"], ["position.round_number", "position.model_id"]),
    )

    round_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    model_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, index=True)
    tc: Mapped[int | None]
    tc_error: Mapped[int | None]
    attributed: Mapped[int | None]
    mpc: Mapped[int | None]
