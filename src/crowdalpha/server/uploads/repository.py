"""All SQL of uploads."""

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from crowdalpha.server.db.tables import UploadRow

__all__ = ["add", "count_waiting", "find", "find_by_filename", "mark_stored", "mark_used"]


def add(session: Session, row: UploadRow) -> None:
    """Insert a place for a file."""
    session.add(row)
    session.flush()


def count_waiting(session: Session, account_id: int, *, now: datetime) -> int:
    """Count the places of an account that were not used and have not expired."""
    statement = select(func.count()).where(
        UploadRow.account_id == account_id, UploadRow.used_at.is_(None), UploadRow.expires_at > now
    )
    return session.scalars(statement).one()


def find(session: Session, token: str, *, lock: bool = False) -> UploadRow | None:
    """Find a place by its token as it is now, and with `lock` keep others from filling it meanwhile."""
    statement = select(UploadRow).where(UploadRow.token == token).execution_options(populate_existing=True)
    return session.scalars(statement.with_for_update() if lock else statement).one_or_none()


def find_by_filename(session: Session, *, account_id: int, filename: str) -> UploadRow | None:
    """Find the last place that an account was given for a file of this name, and lock it."""
    statement = (
        select(UploadRow)
        .where(UploadRow.account_id == account_id, UploadRow.filename == filename)
        .order_by(UploadRow.created_at.desc(), UploadRow.token)
        .limit(1)
        .execution_options(populate_existing=True)
        .with_for_update()
    )
    return session.scalars(statement).one_or_none()


def mark_stored(session: Session, token: str, *, sha256: str, n_bytes: int) -> None:
    """Note what was put in a place, which the caller has locked."""
    session.execute(update(UploadRow).where(UploadRow.token == token).values(sha256=sha256, n_bytes=n_bytes))


def mark_used(session: Session, token: str, *, now: datetime) -> None:
    """Note that the file of a place was taken, which the caller has locked."""
    session.execute(update(UploadRow).where(UploadRow.token == token).values(used_at=now))
