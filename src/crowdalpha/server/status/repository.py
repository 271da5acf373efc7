"""What the status reads past the other features: the clock of the database, and its workers."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from crowdalpha.server.db.tables import RoundRow, SubmissionRow

__all__ = ["WorkersSeen", "count_rounds", "count_submissions", "read_clock", "read_workers"]

WORKERS = text("""
    SELECT count(*) FILTER (WHERE last_heartbeat > now() - CAST(:lost_after AS interval)), max(last_heartbeat)
    FROM procrastinate.procrastinate_workers
""")


@dataclass(frozen=True, slots=True)
class WorkersSeen:
    """How many workers live, and when one last told so."""

    alive: int
    last_seen: datetime | None


def read_clock(session: Session) -> datetime:
    """Read the time of the database."""
    now: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    return now


def read_workers(session: Session, *, lost_after: timedelta) -> WorkersSeen:
    """Count the workers that told lately that they live."""
    alive, last = session.execute(WORKERS, {"lost_after": lost_after}).one()
    return WorkersSeen(alive, last)


def count_rounds(session: Session) -> dict[str, int]:
    """Count rounds by state."""
    rows = session.execute(select(RoundRow.state, func.count()).group_by(RoundRow.state))
    return dict(rows.all())


def count_submissions(session: Session) -> int:
    """Count the submissions that were accepted."""
    return session.scalars(select(func.count()).select_from(SubmissionRow)).one()
