"""All SQL of invitations."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from crowdalpha.server.db.tables import InviteRow

__all__ = ["add", "delete_open", "find_open", "list_all", "lock_open"]


def add(session: Session, row: InviteRow) -> None:
    """Insert an invitation."""
    session.add(row)
    session.flush()


def lock_open(session: Session, token_sha256: str, *, now: datetime) -> InviteRow | None:
    """Find an invitation that can be used, and hold it until the transaction ends, so that it is used once."""
    statement = select(InviteRow).where(
        InviteRow.token_sha256 == token_sha256, InviteRow.used_at.is_(None), InviteRow.expires_at > now
    )
    return session.scalars(statement.with_for_update().execution_options(populate_existing=True)).one_or_none()


def find_open(session: Session, *, email: str, now: datetime) -> list[InviteRow]:
    """Find and hold the invitations to an address that can be used, oldest first."""
    statement = select(InviteRow).where(
        InviteRow.email == email, InviteRow.used_at.is_(None), InviteRow.expires_at > now
    )
    return list(session.scalars(statement.order_by(InviteRow.id).with_for_update()))


def list_all(session: Session) -> list[InviteRow]:
    """List invitations, newest first."""
    return list(session.scalars(select(InviteRow).order_by(InviteRow.id.desc())))


def delete_open(session: Session, invite_id: int) -> bool:
    """Delete an invitation that was not used; says whether there was one."""
    statement = delete(InviteRow).where(InviteRow.id == invite_id, InviteRow.used_at.is_(None)).returning(InviteRow.id)
    return session.scalars(statement).one_or_none() is not None
