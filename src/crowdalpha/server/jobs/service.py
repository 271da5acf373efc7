"""Work that a request leaves for a worker: it exists exactly when what caused it was committed.

    queued ─► running ─► done
      ▲          │  └──► failed ─► (retry) queued
      └──────────┘ again later, or the worker was lost

Each run of a job has its number (`attempts`): a worker that was taken for lost and comes back cannot end the run of
another. A job whose deadline has passed fails, whatever its worker does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal, cast

from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.rules.errors import Conflict, NotFound
from crowdalpha.rules.hashing import Json
from crowdalpha.rules.ids import AccountId
from crowdalpha.server.db.tables import JobRow
from crowdalpha.server.errors import TooManyRequests
from crowdalpha.server.jobs import repository
from crowdalpha.server.log import get_log

__all__ = [
    "LOST_AFTER",
    "Job",
    "JobState",
    "Queue",
    "demand_quota",
    "end_overdue",
    "enqueue",
    "fail_job",
    "find_job",
    "finish_job",
    "get_job",
    "list_jobs",
    "put_back",
    "queue_of",
    "retry_job",
    "start_job",
    "take_over",
    "tidy",
]

log = get_log(__name__)

JobState = Literal["queued", "running", "done", "failed"]
LOST_AFTER = timedelta(seconds=30)
"""How long a worker may be silent before its jobs are given to others."""
KEEP_DONE = timedelta(days=30)
OVERDUE = "the job was not done by {deadline}; run it again, and see the log of the workers if it fails again"


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work and how far it is."""

    id: int
    kind: str
    subject: Mapping[str, Json]
    key: str | None
    account_id: AccountId | None
    state: JobState
    attempts: int
    worker: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    deadline_at: datetime
    error_code: str | None
    error_message: str | None
    result: Mapping[str, Json] | None


@dataclass(frozen=True, slots=True)
class Queue:
    """How many jobs there are, by kind and state, and since when the oldest waits."""

    counts: Mapping[tuple[str, str], int]
    oldest_waiting: datetime | None


def enqueue(
    session: Session,
    *,
    kind: str,
    subject: Mapping[str, Json],
    account_id: AccountId | None = None,
    deadline: timedelta,
    key: str | None = None,
    priority: int = 0,
    now: datetime,
) -> Job:
    """Leave a job for the workers, who hear of it when the caller commits, and never if the caller does not.

    Parameters
    ----------
    session : Session
        Of the caller, who commits.
    kind : str
        Which task runs it; the worker knows them by name.
    subject : mapping
        What the task is told.
    account_id : AccountId, optional
        Who owns it, may see it and run it again.
    deadline : timedelta
        From now; a job that is not done by then has failed.
    key : str, optional
        A second job of the same key is the first one.
    priority : int, default=0
        The higher is run first.
    now : datetime
        Time of the call.

    Returns
    -------
    Job
        Queued; for a key that is taken, the job that has it, as it is.
    """
    if deadline <= timedelta(0):
        raise InputError(f"deadline {deadline}: must be above zero")
    row = JobRow(
        kind=kind,
        subject=dict(subject),
        key=key,
        account_id=account_id,
        state="queued",
        priority=priority,
        attempts=0,
        allowed_s=max(1, int(deadline.total_seconds())),
        created_at=now,
        deadline_at=now + deadline,
    )
    job_id = repository.add(session, row)
    if job_id is None:
        found = None if key is None else repository.find_by_key(session, key)
        if found is None:
            raise Conflict(f"another job has the key {key!r}; call again")
        return _job(found)
    row.id = job_id
    repository.put_in_queue(session, row)
    log.info("job_queued", job=job_id, kind=kind)
    return _job(row)


def demand_quota(
    session: Session, *, account_id: AccountId, kind: str, limit: int, window: timedelta, now: datetime
) -> None:
    """Refuse with `TooManyRequests` when an account had its number of jobs; failed ones do not count."""
    used = repository.count_recent(session, account_id=account_id, kind=kind, since=now - window)
    if used >= limit:
        raise TooManyRequests(f"jobs of kind {kind}", retry_after=int(window.total_seconds()) // limit)


def get_job(session: Session, job_id: int) -> Job:
    """Read a job, or refuse with `NotFound`."""
    row = repository.find(session, job_id)
    if row is None:
        raise NotFound("job", job_id)
    return _job(row)


def find_job(session: Session, *, key: str) -> Job | None:
    """Find the job of a key."""
    row = repository.find_by_key(session, key)
    return None if row is None else _job(row)


def list_jobs(  # one filter a column
    session: Session,
    *,
    state: JobState | None = None,
    kind: str | None = None,
    account_id: AccountId | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Job]:
    """List jobs, the newest first; `before` is the id of the last one of the page before."""
    rows = repository.list_all(session, state=state, kind=kind, account_id=account_id, before=before, limit=limit)
    return [_job(row) for row in rows]


def queue_of(session: Session) -> Queue:
    """Count the jobs."""
    return Queue(MappingProxyType(repository.count_by_state(session)), repository.oldest_waiting(session))


def retry_job(session: Session, *, job_id: int, now: datetime) -> Job:
    """Run a failed job again, with the same time as it had; one that waits or runs stays as it is.

    Raises
    ------
    Conflict
        If the job ended well.
    """
    row = _locked(session, job_id)
    if row.state == "done":
        raise Conflict(f"job {job_id} is done; there is nothing to run again")
    if row.state == "failed":
        row.state = "queued"
        row.error_code = row.error_message = row.finished_at = None
        row.deadline_at = now + timedelta(seconds=row.allowed_s)
        repository.put_in_queue(session, row)
        session.flush()
        log.info("job_retried", job=job_id, kind=row.kind)
    return _job(row)


def start_job(session: Session, *, job_id: int, worker: str, now: datetime) -> Job | None:
    """Begin a run of a job; None when there is nothing to run any more."""
    row = repository.find(session, job_id, lock=True)
    if row is None or row.state in ("done", "failed"):
        return None
    if row.deadline_at <= now:
        _fail_overdue(row, now)
        session.flush()
        return None
    row.state, row.worker, row.started_at = "running", worker, now
    row.attempts += 1
    session.flush()
    return _job(row)


def finish_job(session: Session, *, job: Job, result: Mapping[str, Json], now: datetime) -> bool:
    """Record that this run of a job ended well; False if the job went on without it."""
    row = _own_run(session, job)
    if row is None:
        return False
    row.state, row.finished_at, row.result = "done", now, dict(result)
    row.error_code = row.error_message = None
    session.flush()
    log.info("job_done", job=row.id, kind=row.kind, seconds=round((now - (row.started_at or now)).total_seconds(), 3))
    return True


def fail_job(session: Session, *, job: Job, code: str, message: str, now: datetime) -> bool:
    """Record why this run of a job failed for good; False if the job went on without it."""
    row = _own_run(session, job)
    if row is None:
        return False
    _fail(row, code=code, message=message, now=now)
    session.flush()
    return True


def put_back(session: Session, *, job: Job, wait: timedelta, code: str, message: str) -> bool:
    """Put a job back into the queue for a later run, and note why; False if the job went on without this one."""
    row = _own_run(session, job)
    if row is None:
        return False
    row.state, row.error_code, row.error_message = "queued", code, message
    repository.put_in_queue(session, row, wait=wait)
    session.flush()
    log.info("job_put_back", job=row.id, kind=row.kind, wait=str(wait), code=code)
    return True


def end_overdue(session: Session, *, now: datetime) -> list[Job]:
    """Fail every job whose deadline has passed."""
    rows = repository.list_overdue(session, now)
    for row in rows:
        _fail_overdue(row, now)
    session.flush()
    return [_job(row) for row in rows]


def take_over(session: Session) -> list[Job]:
    """Give a place in the queue to every job that lost it with a worker."""
    repository.drop_lost_places(session, lost_after=LOST_AFTER)
    rows = repository.list_unqueued(session)
    for row in rows:
        row.state = "queued"
        repository.put_in_queue(session, row)
        log.info("job_taken_over", job=row.id, kind=row.kind, worker=row.worker)
    session.flush()
    return [_job(row) for row in rows]


def tidy(session: Session, *, now: datetime) -> int:
    """Delete the jobs that ended well long ago."""
    return repository.delete_done(session, before=now - KEEP_DONE)


def _locked(session: Session, job_id: int) -> JobRow:
    row = repository.find(session, job_id, lock=True)
    if row is None:
        raise NotFound("job", job_id)
    return row


def _own_run(session: Session, job: Job) -> JobRow | None:
    """Lock a job if the run that it is in is the caller's."""
    row = repository.find(session, job.id, lock=True)
    if row is None or row.state != "running" or row.attempts != job.attempts:
        log.info("run_overtaken", job=job.id, run=job.attempts)
        return None
    return row


def _fail_overdue(row: JobRow, now: datetime) -> None:
    _fail(row, code="deadline", message=OVERDUE.format(deadline=row.deadline_at.isoformat()), now=now)


def _fail(row: JobRow, *, code: str, message: str, now: datetime) -> None:
    row.state, row.finished_at, row.error_code, row.error_message = "failed", now, code, message
    log.warning("job_failed", job=row.id, kind=row.kind, code=code, reason=message)


def _job(row: JobRow) -> Job:
    return Job(
        id=row.id,
        kind=row.kind,
        subject=MappingProxyType(dict(row.subject)),
        key=row.key,
        account_id=None if row.account_id is None else AccountId(row.account_id),
        state=cast("JobState", row.state),
        attempts=row.attempts,
        worker=row.worker,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        deadline_at=row.deadline_at,
        error_code=row.error_code,
        error_message=row.error_message,
        result=None if row.result is None else MappingProxyType(dict(row.result)),
    )
