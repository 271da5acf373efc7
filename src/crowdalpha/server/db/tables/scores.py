"""Recorded scores: integers of 1e-9, null where undefined."""

from datetime import datetime

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from crowdalpha.server.db.tables.base import Base

__all__ = ["ScoreDayRow", "ScoreRow"]


class ScoreDayRow(Base):
    """One scoring of a round: what it was made from, and the meta model's own correlation."""

    __tablename__ = "score_day"
    __table_args__ = (Index("score_day_final_idx", "round_number", unique=True, postgresql_where=text("is_final")),)

    round_number: Mapped[int] = mapped_column(ForeignKey("round.number"), primary_key=True, autoincrement=False)
    day: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    is_final: Mapped[bool]
    targets_sha256: Mapped[str]
    features_sha256: Mapped[str | None]
    meta_model_corr: Mapped[int | None]
    scored_at: Mapped[datetime]


class ScoreRow(Base):
    """The scores of one model on one day of a round."""

    __tablename__ = "score"
    __table_args__ = (
        ForeignKeyConstraint(["round_number", "day"], ["score_day.round_number", "score_day.day"]),
        ForeignKeyConstraint(["round_number", "model_id"], ["position.round_number", "position.model_id"]),
    )

    round_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    day: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    model_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, index=True)
    corr: Mapped[int | None]
    mmc: Mapped[int | None]
    fnc: Mapped[int | None]
    cwmm: Mapped[int | None]
    max_exposure: Mapped[int | None]
    alpha: Mapped[int | None]
    mpc: Mapped[int | None]
