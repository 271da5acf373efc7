"""Make the calls that are due: many at once, each with its own limits, and each recorded as it ends."""

import ssl
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime, timedelta

from crowdalpha.rules.hashing import Json
from crowdalpha.server.bootstrap import Platform
from crowdalpha.server.deliveries import service
from crowdalpha.server.deliveries.calling import Answer, call
from crowdalpha.server.deliveries.signing import secret_of, sign
from crowdalpha.server.jobs.service import Job, enqueue

__all__ = ["Delivered", "deliver", "deliver_due", "post_call", "queue_due"]

AT_ONCE = 8
BATCH = 64
WORK_S = 60.0
DEADLINE = timedelta(minutes=10)
EVERY_S = 10


@dataclass(frozen=True, slots=True)
class Delivered:
    """What came of a run."""

    n_delivered: int
    n_again: int
    n_failed: int


def post_call(
    platform: Platform, each: service.Call, *, now: datetime, context: ssl.SSLContext | None = None
) -> Answer:
    """Sign and send one message, as it is at this second."""
    body, timestamp = each.body.encode(), int(now.timestamp())
    secret = secret_of(platform.signing_key, each.salt)
    headers = {
        "webhook-id": each.message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secret, message_id=each.message_id, timestamp=timestamp, body=body),
    }
    settings = platform.settings
    return call(
        each.url,
        body=body,
        headers=headers,
        networks=settings.webhook_networks,
        timeout_s=settings.webhook_timeout.total_seconds(),
        context=context,
    )


def deliver_due(platform: Platform, now: datetime, *, context: ssl.SSLContext | None = None) -> Delivered:
    """Make the calls that are due at `now`, for a minute at most.

    A worker that is killed loses nothing: its calls are due again after a lease, with the id that they had, by which
    a receiver knows what it has seen.
    """
    started = time.monotonic()
    states: list[service.DeliveryState] = []

    def later() -> datetime:
        return now + timedelta(seconds=time.monotonic() - started)

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook") as pool:
        while time.monotonic() - started < WORK_S:
            with platform.session() as session:
                calls = service.claim_due(session, limit=BATCH, now=now)
            if not calls:
                break
            running = {pool.submit(post_call, platform, each, now=later(), context=context): each for each in calls}
            for done in as_completed(running):
                with platform.session() as session:
                    states.append(
                        service.record(
                            session,
                            call=running[done],
                            answer=done.result(),
                            disable_after=platform.settings.webhook_disabled_after,
                            now=later(),
                        )
                    )
    return Delivered(*(states.count(state) for state in ("delivered", "queued", "failed")))


def deliver(platform: Platform, job: Job, now: datetime) -> Mapping[str, Json]:  # noqa: ARG001  # the shape of a task
    """Run `deliver_due` as a job."""
    done = deliver_due(platform, now)
    return {"delivered": done.n_delivered, "again": done.n_again, "failed": done.n_failed}


def queue_due(platform: Platform, now: datetime) -> None:
    """Queue a job while calls are due, one every ten seconds at most; every worker does this now and then."""
    with platform.session() as session:
        if service.has_due(session, now=now):
            key = f"{service.KIND}:{int(now.timestamp()) // EVERY_S}"
            enqueue(session, kind=service.KIND, subject={}, deadline=DEADLINE, key=key, now=now)
