"""All SQL of replays."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crowdalpha.rules.hashing import Json
from crowdalpha.server.db.tables import ReplayRow

__all__ = ["add", "find", "keep_answer"]


def add(session: Session, *, account_id: int, key: str, request_sha256: str, now: datetime) -> bool:
    """Insert unless the key is there, waiting for a transaction that uses it just now; says whether it was inserted."""
    values = {"account_id": account_id, "key": key, "request_sha256": request_sha256, "created_at": now}
    statement = insert(ReplayRow).values(values).on_conflict_do_nothing().returning(ReplayRow.key)
    return session.scalars(statement).one_or_none() is not None


def find(session: Session, *, account_id: int, key: str) -> ReplayRow | None:
    """Find what was answered to a key."""
    return session.get(ReplayRow, (account_id, key), populate_existing=True)


def keep_answer(session: Session, *, account_id: int, key: str, answer: dict[str, Json]) -> None:
    """Note what is answered to a key."""
    statement = update(ReplayRow).where(ReplayRow.account_id == account_id, ReplayRow.key == key)
    session.execute(statement.values(answer=answer))
