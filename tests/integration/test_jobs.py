"""Jobs on the real queue: when they exist, who runs them, and that none hangs."""

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.rules.errors import Conflict
from crowdalpha.rules.hashing import Json
from crowdalpha.server import Platform
from crowdalpha.server.accounts.service import create_account
from crowdalpha.server.errors import TooManyRequests, TryLater
from crowdalpha.server.jobs import service as jobs
from crowdalpha.server.jobs.running import Task, run_job
from crowdalpha.server.jobs.service import Job
from crowdalpha.server.worker import Worker
from tests.fixtures import tournament as make

NOW = make.START
HOUR = timedelta(hours=1)


def at(moment: datetime) -> "Clock":
    return Clock(moment)


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def queued(session: Session, kind: str = "add", **subject: Json) -> Job:
    return jobs.enqueue(session, kind=kind, subject=subject, deadline=HOUR, now=NOW)


def add(_: Platform, job: Job, __: datetime) -> Mapping[str, Json]:
    return {"sum": int(str(job.subject["a"])) + int(str(job.subject["b"]))}


def work(platform: Platform, task: Task, *, kind: str = "add", now: datetime = NOW) -> None:
    """Let one worker empty the queue."""
    assert Worker(platform, {kind: task}, (), at(now)).run(threading.Event(), wait=False)


def state(platform: Platform, job: Job) -> Job:
    with platform.session() as session:
        return jobs.get_job(session, job.id)


def test_a_worker_runs_what_was_committed_and_nothing_else(fresh_platform: Platform) -> None:
    with fresh_platform.session() as session:
        kept = queued(session, a=2, b=3)
    with fresh_platform.sessions() as session:
        queued(session, a=1, b=1)
        session.rollback()

    work(fresh_platform, add)

    with fresh_platform.session() as session:
        (listed,) = jobs.list_jobs(session)
    assert (listed.id, listed.state, listed.attempts, listed.result) == (kept.id, "done", 1, {"sum": 5})
    with fresh_platform.session() as session:
        assert session.scalar(text("SELECT count(*) FROM procrastinate.procrastinate_jobs")) == 0


def test_a_key_makes_one_job(session: Session) -> None:
    first = jobs.enqueue(session, kind="add", subject={}, deadline=HOUR, key="k", now=NOW)
    second = jobs.enqueue(session, kind="add", subject={"a": 1}, deadline=HOUR, key="k", now=NOW + HOUR)

    assert second == first
    assert jobs.find_job(session, key="k") == first


def test_a_refusal_fails_the_job_at_once_and_says_why(fresh_platform: Platform) -> None:
    def refuse(_: Platform, __: Job, ___: datetime) -> Mapping[str, Json]:
        raise InputError("row 3: prediction is NaN; leave no value out")

    with fresh_platform.session() as session:
        job = queued(session)
    work(fresh_platform, refuse)

    ended = state(fresh_platform, job)
    assert (ended.state, ended.error_code, ended.attempts) == ("failed", "invalid_input", 1)
    assert ended.error_message == "row 3: prediction is NaN; leave no value out"


def test_a_failed_job_runs_again_when_asked(fresh_platform: Platform) -> None:
    with fresh_platform.session() as session:
        job = queued(session, "gone", a=2, b=2)
        session.execute(text("UPDATE job SET state = 'failed', error_code = 'x', finished_at = created_at"))
    with fresh_platform.session() as session:
        again = jobs.retry_job(session, job_id=job.id, now=NOW + HOUR)

    work(fresh_platform, add, kind="gone", now=NOW + HOUR)

    assert (again.state, again.deadline_at) == ("queued", NOW + 2 * HOUR)
    assert state(fresh_platform, job).state == "done"
    with fresh_platform.session() as session, pytest.raises(Conflict, match="is done"):
        jobs.retry_job(session, job_id=job.id, now=NOW + HOUR)


def test_what_may_pass_is_put_back_with_its_reason(fresh_platform: Platform) -> None:
    def stumble(_: Platform, __: Job, ___: datetime) -> Mapping[str, Json]:
        raise RuntimeError("a secret path")

    with fresh_platform.session() as session:
        job = queued(session)
    work(fresh_platform, stumble)

    waiting = state(fresh_platform, job)
    assert (waiting.state, waiting.error_code) == ("queued", "internal_error")
    assert "secret" not in str(waiting.error_message)
    with fresh_platform.session() as session:
        after = text("SELECT scheduled_at > now() + interval '3 seconds' FROM procrastinate.procrastinate_jobs")
        assert session.scalar(after) is True


def test_a_job_that_always_stumbles_fails_in_the_end(fresh_platform: Platform) -> None:
    def stumble(_: Platform, __: Job, ___: datetime) -> Mapping[str, Json]:
        raise RuntimeError

    with fresh_platform.session() as session:
        job = queued(session)
    for _ in range(20):
        run_job(fresh_platform, {"add": stumble}, job_id=job.id, worker="w", clock=at(NOW))

    ended = state(fresh_platform, job)
    assert (ended.state, ended.attempts) == ("failed", 8)


def test_a_task_says_when_to_try_again(fresh_platform: Platform) -> None:
    def wait(_: Platform, __: Job, ___: datetime) -> Mapping[str, Json]:
        raise TryLater("the file is not there yet", after=timedelta(seconds=90))

    with fresh_platform.session() as session:
        job = queued(session)
    for _ in range(20):
        run_job(fresh_platform, {"add": wait}, job_id=job.id, worker="w", clock=at(NOW))

    waiting = state(fresh_platform, job)
    assert (waiting.state, waiting.error_code, waiting.error_message) == (
        "queued",
        "try_later",
        "the file is not there yet",
    )


def test_the_job_of_a_lost_worker_is_taken_over_and_its_late_answer_ignored(fresh_platform: Platform) -> None:
    with fresh_platform.session() as session:
        job = queued(session, a=1, b=1)
    with fresh_platform.session() as session:
        lost = jobs.start_job(session, job_id=job.id, worker="lost", now=NOW)
        session.execute(text("SET LOCAL search_path = procrastinate"))
        worker = session.scalar(text("SELECT procrastinate_register_worker_v1()"))
        session.execute(text("SELECT procrastinate_fetch_job_v2(NULL, :worker)"), {"worker": worker})
        session.execute(text("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '31 seconds'"))

    work(fresh_platform, add)

    assert lost is not None
    ended = state(fresh_platform, job)
    assert (ended.state, ended.attempts, ended.result) == ("done", 2, {"sum": 2})
    with fresh_platform.session() as session:
        assert not jobs.finish_job(session, job=lost, result={"sum": 0}, now=NOW)


def test_a_worker_that_tells_that_it_lives_keeps_its_job(fresh_platform: Platform) -> None:
    with fresh_platform.session() as session:
        job = queued(session, a=1, b=1)
    with fresh_platform.session() as session:
        jobs.start_job(session, job_id=job.id, worker="alive", now=NOW)
        session.execute(text("SET LOCAL search_path = procrastinate"))
        worker = session.scalar(text("SELECT procrastinate_register_worker_v1()"))
        session.execute(text("SELECT procrastinate_fetch_job_v2(NULL, :worker)"), {"worker": worker})

    work(fresh_platform, add)

    assert (state(fresh_platform, job).state, state(fresh_platform, job).worker) == ("running", "alive")


@pytest.mark.parametrize("started", [True, False])
def test_a_deadline_that_passed_fails_the_job(session: Session, *, started: bool) -> None:
    job = queued(session)
    if started:
        jobs.start_job(session, job_id=job.id, worker="w", now=NOW)

    assert jobs.end_overdue(session, now=NOW + HOUR - timedelta(seconds=1)) == []
    (ended,) = jobs.end_overdue(session, now=NOW + HOUR)

    assert (ended.id, ended.state, ended.error_code) == (job.id, "failed", "deadline")
    assert jobs.start_job(session, job_id=job.id, worker="w", now=NOW + HOUR) is None


def test_failed_jobs_do_not_count_against_a_quota(session: Session) -> None:
    ann = create_account(session, name="ann", now=NOW).id
    job = jobs.enqueue(session, kind="diagnose", subject={}, account_id=ann, deadline=HOUR, now=NOW)
    quota = {"account_id": ann, "kind": "diagnose", "limit": 1, "window": HOUR, "now": NOW + HOUR / 2}

    with pytest.raises(TooManyRequests):
        jobs.demand_quota(session, **quota)  # type: ignore[arg-type]  # one dictionary of all arguments
    running = jobs.start_job(session, job_id=job.id, worker="w", now=NOW)
    assert running is not None
    jobs.fail_job(session, job=running, code="x", message="y", now=NOW)

    jobs.demand_quota(session, **quota)  # type: ignore[arg-type]  # one dictionary of all arguments


def test_the_queue_is_counted(session: Session) -> None:
    before = jobs.queue_of(session)
    queued(session, "counted")

    queue = jobs.queue_of(session)

    assert before.oldest_waiting is None
    assert (queue.counts["counted", "queued"], queue.oldest_waiting) == (1, NOW)
