"""Recorded scores, integers of 1e-9, null where undefined; and their sums by model."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Computed, ForeignKey, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from crowdalpha.server.db.tables.base import Base

__all__ = ["ScoreDayRow", "ScoreRow", "StandingRoundRow", "StandingRow"]


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
        ForeignKeyConstraint(["round_number", "position_model_id"], ["position.round_number", "position.model_id"]),
        Index("score_model_id_round_number_day_idx", "model_id", "round_number", "day"),
    )

    round_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    day: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    model_id: Mapped[int] = mapped_column(ForeignKey("model.id"), primary_key=True, autoincrement=False)
    corr: Mapped[int | None]
    mmc: Mapped[int | None]
    fnc: Mapped[int | None]
    cwmm: Mapped[int | None]
    max_exposure: Mapped[int | None]
    alpha: Mapped[int | None]
    mpc: Mapped[int | None]
    is_late: Mapped[bool] = mapped_column(server_default=text("false"))
    position_model_id: Mapped[int | None] = mapped_column(
        Computed("CASE WHEN is_late THEN NULL ELSE model_id END", persisted=True)
    )


class StandingRoundRow(Base):
    """A resolved round that is in the standings."""

    __tablename__ = "standing_round"

    round_number: Mapped[int] = mapped_column(ForeignKey("round.number"), primary_key=True, autoincrement=False)


class StandingRow(Base):
    """Sums of one model over the last `n_last` resolved rounds of a tournament, over all where that is 0.

    Staked and unstaked rounds are added up apart; `corr` and the like are sums of 1e-9 over `n_corr` defined scores.
    """

    __tablename__ = "standing"

    tournament_id: Mapped[int] = mapped_column(ForeignKey("tournament.id"), primary_key=True, autoincrement=False)
    unit: Mapped[str] = mapped_column(primary_key=True)
    n_last: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    is_staked: Mapped[bool] = mapped_column(primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("model.id"), primary_key=True, autoincrement=False, index=True)
    n_rounds: Mapped[int]
    corr: Mapped[int]
    n_corr: Mapped[int]
    mmc: Mapped[int]
    n_mmc: Mapped[int]
    fnc: Mapped[int]
    n_fnc: Mapped[int]
    cwmm: Mapped[int]
    n_cwmm: Mapped[int]
    alpha: Mapped[int]
    n_alpha: Mapped[int]
    mpc: Mapped[int]
    n_mpc: Mapped[int]
    at_risk: Mapped[Decimal]
    paid: Mapped[Decimal]
    burned: Mapped[Decimal]
