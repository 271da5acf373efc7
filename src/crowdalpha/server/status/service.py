"""How the platform is now."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from crowdalpha.server.jobs import service as jobs
from crowdalpha.server.jobs.service import Job
from crowdalpha.server.schedule.service import KIND
from crowdalpha.server.status import repository

__all__ = ["Disk", "Status", "disk_of", "read_status"]

LAST_STEPS = 10


@dataclass(frozen=True, slots=True)
class Disk:
    """Space where the data folder is, in bytes."""

    free: int
    total: int


@dataclass(frozen=True, slots=True)
class Status:
    """The queue, the workers, the clock and the last steps of the schedule."""

    at: datetime
    clock_offset_s: float
    workers_alive: int
    worker_last_seen: datetime | None
    jobs: Mapping[tuple[str, str], int]
    oldest_waiting: datetime | None
    rounds: Mapping[str, int]
    submissions: int
    last_steps: tuple[Job, ...]
    last_failures: tuple[Job, ...]

    @property
    def waits_s(self) -> float | None:
        """Age of the oldest job that no worker has come to."""
        return None if self.oldest_waiting is None else (self.at - self.oldest_waiting).total_seconds()


def read_status(session: Session, *, now: datetime) -> Status:
    """Read how the platform is; costs a few small queries."""
    queue = jobs.queue_of(session)
    workers = repository.read_workers(session, lost_after=jobs.LOST_AFTER)
    return Status(
        at=now,
        clock_offset_s=(repository.read_clock(session) - now).total_seconds(),
        workers_alive=workers.alive,
        worker_last_seen=workers.last_seen,
        jobs=queue.counts,
        oldest_waiting=queue.oldest_waiting,
        rounds=repository.count_rounds(session),
        submissions=repository.count_submissions(session),
        last_steps=tuple(jobs.list_jobs(session, kind=KIND, limit=LAST_STEPS)),
        last_failures=tuple(jobs.list_jobs(session, state="failed", limit=LAST_STEPS)),
    )


def disk_of(folder: Path) -> Disk:
    """Read the space where a folder is."""
    usage = shutil.disk_usage(folder)
    return Disk(free=usage.free, total=usage.total)
