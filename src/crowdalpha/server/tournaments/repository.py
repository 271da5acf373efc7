"""All SQL of tournaments."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crowdalpha.server.db.tables import TournamentRow

__all__ = ["add", "find", "list_all"]


def add(session: Session, row: TournamentRow) -> bool:
    """Insert unless the id or the name is taken; says whether it was inserted."""
    values = {column.key: getattr(row, column.key) for column in TournamentRow.__table__.columns}
    statement = insert(TournamentRow).values(values).on_conflict_do_nothing().returning(TournamentRow.id)
    return session.scalars(statement).one_or_none() is not None


def find(session: Session, tournament_id: int) -> TournamentRow | None:
    """Find a tournament by its id, as it is now."""
    return session.get(TournamentRow, tournament_id)


def list_all(session: Session) -> list[TournamentRow]:
    """List tournaments by id."""
    return list(session.scalars(select(TournamentRow).order_by(TournamentRow.id)))
