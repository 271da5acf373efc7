"""HTTP of jobs: an account's own, and all for those who run the platform."""

from typing import Annotated

from fastapi import APIRouter, Query

from crowdalpha.rules.errors import NotFound
from crowdalpha.rules.ids import AccountId
from crowdalpha.server.jobs import service
from crowdalpha.server.jobs.schemas import JobOut
from crowdalpha.server.jobs.service import Job, JobState
from crowdalpha.server.kit.depends import CallerOf, Now, SessionOf
from crowdalpha.server.kit.ids import Id
from crowdalpha.server.roles import Caller

__all__ = ["router"]

router = APIRouter(prefix="/jobs", tags=["jobs"])

MAX_PAGE = 500


@router.get("")
def list_jobs(  # one filter a parameter
    session: SessionOf,
    caller: CallerOf,
    *,
    state: JobState | None = None,
    kind: Annotated[str | None, Query(max_length=100)] = None,
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
) -> list[JobOut]:
    """List jobs, the newest first; `before` is the id of the last one of the page before."""
    found = service.list_jobs(session, state=state, kind=kind, account_id=_owner(caller), before=before, limit=limit)
    return [_shown(job, caller) for job in found]


@router.get("/{job_id}")
def get_job(session: SessionOf, caller: CallerOf, job_id: Id) -> JobOut:
    """Read a job."""
    return _shown(_own(service.get_job(session, job_id), caller), caller)


@router.post("/{job_id}/retry")
def retry_job(session: SessionOf, caller: CallerOf, now: Now, job_id: Id) -> JobOut:
    """Run a failed job again."""
    _own(service.get_job(session, job_id), caller)
    return _shown(service.retry_job(session, job_id=job_id, now=now), caller)


def _shown(job: Job, caller: Caller) -> JobOut:
    """Show a job; which machine ran it is told to those who run the platform alone."""
    shown = JobOut.of(job)
    return shown if _runs_the_platform(caller) else shown.model_copy(update={"worker": None})


def _runs_the_platform(caller: Caller) -> bool:
    return "audit" in caller.scopes or "operate" in caller.scopes


def _owner(caller: Caller) -> AccountId | None:
    return None if _runs_the_platform(caller) else caller.account_id


def _own(job: Job, caller: Caller) -> Job:
    """Refuse the job of another as if there were none."""
    if not _runs_the_platform(caller) and job.account_id != caller.account_id:
        raise NotFound("job", job.id)
    return job
