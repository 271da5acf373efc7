"""Once a day, delete what has ended: logins, letters, attempts, and messages of webhooks that were kept long enough."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from crowdalpha.rules.hashing import Json
from crowdalpha.server.bootstrap import Platform
from crowdalpha.server.deliveries import service as deliveries
from crowdalpha.server.jobs.service import Job, enqueue, find_job
from crowdalpha.server.logins import service as logins

__all__ = ["KIND", "queue_tidying", "tidy"]

KIND = "server.tidy"
"""The kind of the job."""

DEADLINE = timedelta(hours=1)


def queue_tidying(platform: Platform, now: datetime) -> None:
    """Queue the job of the day, if nobody has; every worker does this now and then."""
    key = f"{KIND}:{now:%Y-%m-%d}"
    with platform.session() as session:
        if find_job(session, key=key) is None:
            enqueue(session, kind=KIND, subject={}, deadline=DEADLINE, key=key, now=now)


def tidy(platform: Platform, job: Job, now: datetime) -> Mapping[str, Json]:  # noqa: ARG001  # the shape of a task
    """Delete what has ended."""
    with platform.session() as session:
        logins.forget_old(session, now=now)
    with platform.session() as session:
        deliveries.tidy(session, now=now)
    return {}
