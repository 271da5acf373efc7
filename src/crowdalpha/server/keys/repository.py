"""All SQL of API keys."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from crowdalpha.server.db.tables import AccountRow, ApiKeyRow

__all__ = ["add", "find_with_account", "list_of_account", "lock_of_account", "mark_used", "revoke"]


def add(session: Session, row: ApiKeyRow) -> None:
    """Insert a key."""
    session.add(row)
    session.flush()


def find_with_account(session: Session, public_id: str) -> tuple[ApiKeyRow, AccountRow] | None:
    """Find a key by its public half, with the account that it belongs to."""
    statement = (
        select(ApiKeyRow, AccountRow)
        .join(AccountRow, AccountRow.id == ApiKeyRow.account_id)
        .where(ApiKeyRow.public_id == public_id)
    )
    found = session.execute(statement).one_or_none()
    return None if found is None else (found[0], found[1])


def list_of_account(session: Session, account_id: int) -> list[ApiKeyRow]:
    """List the keys of an account, oldest first."""
    return list(session.scalars(select(ApiKeyRow).where(ApiKeyRow.account_id == account_id).order_by(ApiKeyRow.id)))


def lock_of_account(session: Session, key_id: int, *, account_id: int) -> ApiKeyRow | None:
    """Find a key of an account, and hold it until the transaction ends."""
    statement = select(ApiKeyRow).where(ApiKeyRow.id == key_id, ApiKeyRow.account_id == account_id)
    return session.scalars(statement.with_for_update().execution_options(populate_existing=True)).one_or_none()


def mark_used(session: Session, key_id: int, *, now: datetime, unless_after: datetime) -> None:
    """Note that a key was used, unless that was noted a moment ago."""
    statement = update(ApiKeyRow).where(
        ApiKeyRow.id == key_id, ApiKeyRow.last_used_at.is_(None) | (ApiKeyRow.last_used_at < unless_after)
    )
    session.execute(statement.values(last_used_at=now))


def revoke(session: Session, key_id: int, *, account_id: int, now: datetime) -> bool:
    """End a key of an account; says whether there was one that had not ended."""
    statement = (
        update(ApiKeyRow)
        .where(ApiKeyRow.id == key_id, ApiKeyRow.account_id == account_id, ApiKeyRow.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(ApiKeyRow.id)
    )
    return session.scalars(statement).one_or_none() is not None
