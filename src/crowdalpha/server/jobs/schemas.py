"""What the routes of jobs give."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, JsonValue

from crowdalpha.server.jobs.service import Job, JobState

__all__ = ["JobOut"]

HIDDEN = "hidden"


class JobOut(BaseModel):
    """One piece of work and how far it is; a queued one with an error waits to be tried again."""

    model_config = ConfigDict(frozen=True)

    id: int
    kind: str
    subject: dict[str, JsonValue]
    state: JobState
    account_id: int | None
    attempts: int
    worker: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    deadline_at: datetime
    error_code: str | None
    error_message: str | None
    result: dict[str, JsonValue] | None

    @classmethod
    def of(cls, job: Job, *, full: bool = True) -> "JobOut":
        """Show a job; not in full leaves out what tells of the operator's machines."""
        return cls(
            id=job.id,
            kind=job.kind,
            subject=dict(job.subject),
            state=job.state,
            account_id=job.account_id,
            attempts=job.attempts,
            worker=job.worker if full else None,
            created_at=job.created_at,
            started_at=job.started_at,
            finished_at=job.finished_at,
            deadline_at=job.deadline_at,
            error_code=job.error_code,
            error_message=job.error_message if full or job.error_message is None else HIDDEN,
            result=None if job.result is None else dict(job.result),
        )
