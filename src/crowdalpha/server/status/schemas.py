"""What the status looks like from outside."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from crowdalpha.server.jobs.schemas import JobOut
from crowdalpha.server.status.service import Disk, Status

__all__ = ["DiskOut", "StatusOut"]


class DiskOut(BaseModel):
    """Space where the data folder is, in bytes."""

    model_config = ConfigDict(frozen=True)

    free: int
    total: int


class StatusOut(BaseModel):
    """How the platform is; `disk` and `last_failures` are shown to those who run it alone."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    clock_offset_s: float
    workers_alive: int
    worker_last_seen: datetime | None
    jobs: dict[str, dict[str, int]]
    oldest_waiting_s: float | None
    rounds: dict[str, int]
    submissions: int
    last_steps: list[JobOut]
    last_failures: list[JobOut] | None
    disk: DiskOut | None

    @classmethod
    def of(cls, status: Status, *, disk: Disk | None) -> "StatusOut":
        """Show a status; without a disk, as participants see it."""
        counts: dict[str, dict[str, int]] = {}
        for (kind, state), count in sorted(status.jobs.items()):
            counts.setdefault(kind, {})[state] = count
        return cls(
            at=status.at,
            clock_offset_s=round(status.clock_offset_s, 3),
            workers_alive=status.workers_alive,
            worker_last_seen=status.worker_last_seen,
            jobs=counts,
            oldest_waiting_s=status.waits_s,
            rounds=dict(status.rounds),
            submissions=status.submissions,
            last_steps=[JobOut.of(job, full=disk is not None) for job in status.last_steps],
            last_failures=None if disk is None else [JobOut.of(job) for job in status.last_failures],
            disk=None if disk is None else DiskOut(free=disk.free, total=disk.total),
        )
