"""All SQL of accounts."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crowdalpha.server.db.tables import AccountRow

__all__ = ["add", "find", "find_by_name", "list_all"]


def add(session: Session, *, name: str, role: str, now: datetime) -> AccountRow | None:
    """Insert, or give None where the name is taken, also by a transaction that commits just now."""
    statement = insert(AccountRow).values(name=name, role=role, created_at=now).on_conflict_do_nothing()
    return session.scalars(statement.returning(AccountRow)).one_or_none()


def find(session: Session, account_id: int) -> AccountRow | None:
    """Find an account by its id."""
    return session.get(AccountRow, account_id)


def find_by_name(session: Session, name: str) -> AccountRow | None:
    """Find an account by its name."""
    return session.scalars(select(AccountRow).where(AccountRow.name == name)).one_or_none()


def list_all(session: Session) -> list[AccountRow]:
    """List accounts by id."""
    return list(session.scalars(select(AccountRow).order_by(AccountRow.id)))
