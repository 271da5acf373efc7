"""All SQL of accounts."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crowdalpha.server.db.tables import AccountRow

__all__ = ["add", "count_owners", "find", "find_by_email", "find_by_name", "list_all", "lock_roles"]

ROLES_LOCK = 4_201_010  # advisory lock: who is an owner is decided by one transaction at a time


def add(session: Session, *, name: str, role: str, email: str | None, now: datetime) -> AccountRow | None:
    """Insert, or give None where the name or address is taken, also by a transaction that commits just now."""
    statement = insert(AccountRow).values(name=name, role=role, email=email, created_at=now).on_conflict_do_nothing()
    return session.scalars(statement.returning(AccountRow)).one_or_none()


def find(session: Session, account_id: int) -> AccountRow | None:
    """Find an account by its id."""
    return session.get(AccountRow, account_id)


def find_by_name(session: Session, name: str) -> AccountRow | None:
    """Find an account by its name."""
    return session.scalars(select(AccountRow).where(AccountRow.name == name)).one_or_none()


def find_by_email(session: Session, email: str) -> AccountRow | None:
    """Find an account by its address, which is stored in lower case."""
    return session.scalars(select(AccountRow).where(AccountRow.email == email)).one_or_none()


def list_all(session: Session) -> list[AccountRow]:
    """List accounts by id."""
    return list(session.scalars(select(AccountRow).order_by(AccountRow.id)))


def lock_roles(session: Session) -> None:
    """Wait for every other transaction that changes who is an owner."""
    session.execute(select(func.pg_advisory_xact_lock(ROLES_LOCK)))


def count_owners(session: Session) -> int:
    """Count the owners that can still come in."""
    statement = select(func.count()).where(AccountRow.role == "owner", AccountRow.closed_at.is_(None))
    return session.scalars(statement).one()
