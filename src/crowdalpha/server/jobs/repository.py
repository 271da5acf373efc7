"""All SQL of jobs, and of their places in the queue."""

import json
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crowdalpha.server.db.tables import JobRow

__all__ = [
    "TASK",
    "add",
    "count_by_state",
    "count_recent",
    "delete_done",
    "drop_lost_places",
    "find",
    "find_by_key",
    "list_all",
    "list_overdue",
    "list_unqueued",
    "oldest_waiting",
    "put_in_queue",
]

TASK = "run_job"
"""The queue's one task: it is told which job."""
QUEUE = "jobs"
DEFER = text("""
    SELECT unnest(procrastinate.procrastinate_defer_jobs_v1(ARRAY[ROW(
        :queue, :task, CAST(:priority AS integer), NULL, NULL, CAST(:args AS jsonb), now() + CAST(:wait AS interval)
    )]::procrastinate.procrastinate_job_to_defer_v1[]))
""")
DROP_LOST_WORKERS = text("""
    DELETE FROM procrastinate.procrastinate_workers WHERE last_heartbeat < now() - CAST(:lost_after AS interval)
""")
DROP_LOST_PLACES = text("""
    DELETE FROM procrastinate.procrastinate_jobs AS place WHERE id IN (
        SELECT id FROM procrastinate.procrastinate_jobs
        WHERE status = 'doing' AND worker_id IS NULL
        FOR UPDATE SKIP LOCKED
    )
""")
UNQUEUED = text("""
    SELECT id FROM job
    WHERE state IN ('queued', 'running') AND NOT EXISTS (
        SELECT 1 FROM procrastinate.procrastinate_jobs AS place
        WHERE place.id = job.queue_id AND place.status IN ('todo', 'doing')
    )
    ORDER BY id
""")
ALIVE = JobRow.state.in_(("queued", "running"))


def add(session: Session, row: JobRow) -> int | None:
    """Insert unless the key is taken; gives the id of what was inserted."""
    values = {column.key: getattr(row, column.key) for column in JobRow.__table__.columns if column.key != "id"}
    statement = insert(JobRow).values(values).on_conflict_do_nothing(index_elements=["key"]).returning(JobRow.id)
    return session.scalars(statement).one_or_none()


def put_in_queue(session: Session, row: JobRow, *, wait: timedelta | None = None) -> None:
    """Give a job a place in the queue, for now or after a while; workers hear of it when this transaction commits."""
    values = {
        "queue": QUEUE,
        "task": TASK,
        "priority": row.priority,
        "args": json.dumps({"job_id": row.id}),
        "wait": wait,
    }
    row.queue_id = session.execute(DEFER, values).scalar_one()
    session.execute(update(JobRow).where(JobRow.id == row.id).values(queue_id=row.queue_id))


def find(session: Session, job_id: int, *, lock: bool = False) -> JobRow | None:
    """Find a job as it is now, and with `lock` keep others from changing it until this transaction ends."""
    statement = select(JobRow).where(JobRow.id == job_id).execution_options(populate_existing=True)
    return session.scalars(statement.with_for_update() if lock else statement).one_or_none()


def find_by_key(session: Session, key: str) -> JobRow | None:
    """Find the job of a key."""
    return session.scalars(
        select(JobRow).where(JobRow.key == key).execution_options(populate_existing=True)
    ).one_or_none()


def list_all(  # one filter a column
    session: Session,
    *,
    state: str | None,
    kind: str | None,
    account_id: int | None,
    before: int | None,
    limit: int,
) -> list[JobRow]:
    """List jobs, the newest first."""
    filters: list[ColumnElement[bool]] = []
    if state is not None:
        filters.append(JobRow.state == state)
    if kind is not None:
        filters.append(JobRow.kind == kind)
    if account_id is not None:
        filters.append(JobRow.account_id == account_id)
    if before is not None:
        filters.append(JobRow.id < before)
    return list(session.scalars(select(JobRow).where(*filters).order_by(JobRow.id.desc()).limit(limit)))


def list_overdue(session: Session, now: datetime) -> list[JobRow]:
    """Lock and list the jobs whose deadline has passed; those that others hold are left for the next time."""
    statement = select(JobRow).where(ALIVE, JobRow.deadline_at <= now).order_by(JobRow.id)
    return list(session.scalars(statement.with_for_update(skip_locked=True)))


def drop_lost_places(session: Session, *, lost_after: timedelta) -> None:
    """Forget the workers that no longer tell that they live, and the places in the queue that they held."""
    session.execute(DROP_LOST_WORKERS, {"lost_after": lost_after})
    session.execute(DROP_LOST_PLACES)


def list_unqueued(session: Session) -> list[JobRow]:
    """Lock and list the jobs that are not done and have no place in the queue, so that no worker would come to them."""
    ids = list(session.scalars(UNQUEUED))
    statement = select(JobRow).where(JobRow.id.in_(ids), ALIVE).order_by(JobRow.id)
    return list(session.scalars(statement.with_for_update(skip_locked=True)))


def count_by_state(session: Session) -> dict[tuple[str, str], int]:
    """Count jobs by kind and state."""
    statement = select(JobRow.kind, JobRow.state, func.count()).group_by(JobRow.kind, JobRow.state)
    return {(kind, state): count for kind, state, count in session.execute(statement)}


def count_recent(session: Session, *, account_id: int, kind: str, since: datetime) -> int:
    """Count the jobs of an account that were not lost."""
    statement = select(func.count()).where(
        JobRow.account_id == account_id, JobRow.kind == kind, JobRow.created_at > since, JobRow.state != "failed"
    )
    return session.scalars(statement).one()


def oldest_waiting(session: Session) -> datetime | None:
    """Tell when the oldest job that no worker has come to was made."""
    return session.scalars(select(func.min(JobRow.created_at)).where(JobRow.state == "queued")).one()


def delete_done(session: Session, *, before: datetime) -> int:
    """Delete jobs that ended well long ago."""
    statement = delete(JobRow).where(JobRow.state == "done", JobRow.finished_at < before).returning(JobRow.id)
    return len(list(session.scalars(statement)))
