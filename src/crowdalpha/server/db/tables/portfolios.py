"""What the meta model of a round was turned into."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crowdalpha.server.db.tables.base import Base

__all__ = ["PortfolioRow"]


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
