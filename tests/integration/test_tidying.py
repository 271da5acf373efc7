from datetime import timedelta

from sqlalchemy import text

from crowdalpha.server import Platform
from crowdalpha.server.deliveries.calling import Answer
from crowdalpha.server.deliveries.service import claim_due, record
from crowdalpha.server.jobs.running import run_job
from crowdalpha.server.jobs.service import list_jobs
from crowdalpha.server.logins.service import note_attempt
from crowdalpha.server.tasks import ROUTINES, TASKS
from crowdalpha.server.tidying import queue_tidying
from crowdalpha.server.webhooks.service import create_webhook, emit
from tests.fixtures import tournament as make
from tests.fixtures.people import Watch, person
from tests.fixtures.tournament import START


def remember(platform: Platform) -> None:
    ann = person(platform, "ann")
    with platform.session() as session:
        make.contest(session)
        note_attempt(session, name="ann", address="192.0.2.1", now=START)
        url = "https://h.example.org/"
        create_webhook(
            session, account_id=ann.account_id, url=url, events=["round.closed"], signing_key=b"key", now=START
        )
        emit(session, event="round.closed", tournament_id=make.TOURNAMENT, payload={"round": 1}, now=START)
        (call,) = claim_due(session, limit=1, now=START)
        answer = Answer(200, None, "", 1)
        record(session, call=call, answer=answer, disable_after=timedelta(days=5), now=START)


def tidy_on(platform: Platform, watch: Watch) -> list[int]:
    for _ in range(2):
        queue_tidying(platform, watch.now)
    with platform.session() as session:
        for job in list_jobs(session, kind="server.tidy", state="queued"):
            run_job(platform, TASKS, job_id=job.id, worker="w", clock=watch)
        counts = (
            session.execute(text(f"SELECT count(*) FROM {name}"))  # noqa: S608  # our own names
            for name in ("failed_login", "webhook_delivery", "webhook_try", "webhook")
        )
        return [count.scalar_one() for count in counts]


def test_what_has_ended_is_deleted_a_day_or_a_month_later(fresh_platform: Platform) -> None:
    remember(fresh_platform)

    assert queue_tidying in ROUTINES
    assert tidy_on(fresh_platform, Watch(START)) == [3, 1, 1, 1]
    assert tidy_on(fresh_platform, Watch(START + timedelta(days=1))) == [0, 1, 1, 1]
    assert tidy_on(fresh_platform, Watch(START + timedelta(days=31))) == [0, 0, 0, 1]
    with fresh_platform.session() as session:
        assert [job.state for job in list_jobs(session, kind="server.tidy")] == ["done"] * 3
