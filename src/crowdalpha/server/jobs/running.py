"""One run of a job: call its task, and record what came of it."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog

from crowdalpha.errors import CrowdalphaError
from crowdalpha.rules.hashing import Json
from crowdalpha.server.bootstrap import Platform
from crowdalpha.server.errors import ServerError, TryLater
from crowdalpha.server.jobs import service
from crowdalpha.server.jobs.service import Job
from crowdalpha.server.log import get_log

__all__ = ["Task", "Tasks", "run_job"]

log = get_log(__name__)

Task = Callable[[Platform, Job, datetime], Mapping[str, Json]]
"""Does the work of one kind of job: opens its own sessions, is safe to repeat, gives what the job is to show."""

Tasks = Mapping[str, Task]

MAX_RUNS = 8
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=10)
UNEXPECTED = "the server made a mistake; the log of the workers has it under job {job}"


def run_job(platform: Platform, tasks: Tasks, *, job_id: int, worker: str, clock: Callable[[], datetime]) -> None:
    """Run a job once, and record its result, its failure, or when it is to be tried again.

    A refusal (a rule, an input) fails the job at once: another run would be refused too. Anything else may pass, and is
    tried again after longer and longer waits, until `MAX_RUNS` or the deadline.
    """
    with platform.session() as session:
        job = service.start_job(session, job_id=job_id, worker=worker, now=clock())
    if job is None:
        return
    with structlog.contextvars.bound_contextvars(job_id=job.id, job_kind=job.kind):
        try:
            result = _task(tasks, job.kind)(platform, job, clock())
        except TryLater as later:
            _put_back(platform, job, wait=later.after, code=later.code, message=str(later))
        except ServerError as error:
            _stumbled(platform, job, code=error.code, message=str(error), clock=clock)
        except CrowdalphaError as refusal:
            with platform.session() as session:
                service.fail_job(session, job=job, code=refusal.code, message=str(refusal), now=clock())
        except Exception:  # the boundary of a task: whatever it was, the job must say so
            log.exception("task_raised")
            message = UNEXPECTED.format(job=job.id)
            _stumbled(platform, job, code="internal_error", message=message, clock=clock)
        else:
            with platform.session() as session:
                service.finish_job(session, job=job, result=result, now=clock())


def _task(tasks: Tasks, kind: str) -> Task:
    if kind not in tasks:
        raise ServerError(f"this worker knows no jobs of kind {kind}; start workers of the version that queued it")
    return tasks[kind]


def _stumbled(platform: Platform, job: Job, *, code: str, message: str, clock: Callable[[], datetime]) -> None:
    """Try again what may pass, a number of times."""
    now = clock()
    wait = min(FIRST_WAIT * 2 ** (job.attempts - 1), LONGEST_WAIT)
    if job.attempts < MAX_RUNS and now + wait < job.deadline_at:
        _put_back(platform, job, wait=wait, code=code, message=message)
        return
    with platform.session() as session:
        service.fail_job(session, job=job, code=code, message=message, now=now)


def _put_back(platform: Platform, job: Job, *, wait: timedelta, code: str, message: str) -> None:
    with platform.session() as session:
        service.put_back(session, job=job, wait=wait, code=code, message=message)
