"""All SQL of stakes."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from crowdalpha.rules.round import RoundState
from crowdalpha.server.db.tables import ReleaseRow, RoundRow

__all__ = ["add_release", "list_pending", "lock_active_rounds", "mark_released", "oldest_unresolved"]


def lock_active_rounds(session: Session, *, tournament_id: int) -> list[tuple[int, str]]:
    """Read (number, state) of a tournament's running rounds, and keep each in its state until this transaction ends."""
    statement = (
        select(RoundRow.number, RoundRow.state)
        .where(
            RoundRow.tournament_id == tournament_id,
            RoundRow.state.in_([RoundState.OPEN, RoundState.CLOSED, RoundState.SCORING]),
        )
        .order_by(RoundRow.number)
        .with_for_update(read=True)
    )
    return [(number, state) for number, state in session.execute(statement)]


def oldest_unresolved(session: Session) -> dict[int, int]:
    """Find each tournament's lowest number among the rounds that may still burn."""
    statement = (
        select(RoundRow.tournament_id, func.min(RoundRow.number))
        .where(RoundRow.state.in_([RoundState.CLOSED, RoundState.SCORING]))
        .group_by(RoundRow.tournament_id)
    )
    found = session.execute(statement).all()
    return {tournament_id: number for tournament_id, number in found}  # noqa: C416  # rows are no pairs to mypy


def add_release(session: Session, release: ReleaseRow) -> None:
    """Insert a release."""
    session.add(release)
    session.flush()


def list_pending(session: Session, *, unit: str, model_id: int | None = None) -> list[ReleaseRow]:
    """List every release that has not happened, or those of a model, each model's oldest first."""
    statement = (
        select(ReleaseRow)
        .where(ReleaseRow.released_at.is_(None), ReleaseRow.unit == unit)
        .order_by(ReleaseRow.model_id, ReleaseRow.id)
    )
    return list(session.scalars(statement if model_id is None else statement.where(ReleaseRow.model_id == model_id)))


def mark_released(session: Session, release_ids: Sequence[int], *, now: datetime) -> None:
    """Note that releases happened."""
    session.execute(update(ReleaseRow).where(ReleaseRow.id.in_(release_ids)).values(released_at=now))
