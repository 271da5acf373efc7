"""Rounds by the clock: one worker, a clock that the test moves, and an operator's folder of data."""

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from crowdalpha.rules.ids import RoundNumber
from crowdalpha.rules.round import RoundState
from crowdalpha.server import Platform
from crowdalpha.server.jobs.service import list_jobs
from crowdalpha.server.ledger.service import fund_rewards
from crowdalpha.server.models.service import Model
from crowdalpha.server.rounds.service import get_round, list_rounds
from crowdalpha.server.schedule.service import KIND
from crowdalpha.server.scores.service import list_meta_model_scores
from crowdalpha.server.submissions.service import submit
from crowdalpha.server.tasks import ROUTINES, TASKS
from crowdalpha.server.tournaments.service import change_tournament
from crowdalpha.server.worker import Worker
from tests.fixtures import feed
from tests.fixtures import tournament as make


@dataclass
class Stage:
    """A platform, its feed, and the time."""

    platform: Platform
    folder: Path
    models: list[Model]
    now: datetime = make.START

    def work(self, now: datetime) -> None:
        """Move the clock and let a worker do what is due."""
        self.now = now
        with self.platform.session() as session:  # what waits for data is looked at again now, not in seconds
            session.execute(text("UPDATE procrastinate.procrastinate_jobs SET scheduled_at = NULL"))
        # one job at a time: a worker that does not wait does not see what a running job queues
        worker = Worker(self.platform, TASKS, ROUTINES, lambda: self.now, concurrency=1)
        assert worker.run(threading.Event(), wait=False)

    def submit(self, number: int) -> None:
        """Let every model submit."""
        for model in self.models:
            with self.platform.session() as session:
                submit(
                    session,
                    blobs=self.platform.blobs,
                    model_id=model.id,
                    round_number=RoundNumber(number),
                    content=make.predictions(100 * number + model.id),
                    filename="p.parquet",
                    now=self.now,
                    signing_key=make.SIGNING_KEY,
                )

    def states(self) -> list[str]:
        """State of each round, by number."""
        with self.platform.session() as session:
            return [each.state.value for each in list_rounds(session)]

    def steps(self) -> list[str]:
        """Name the steps that were done, in their order."""
        with self.platform.session() as session:
            jobs = [job for job in list_jobs(session, kind="round_step") if job.state == "done"]
        ordered = sorted(jobs, key=lambda job: (job.finished_at or self.now, job.id))
        return [f"{job.subject['step']} {(job.result or {})['round']}" for job in ordered]

    def days(self, number: int) -> list[tuple[int, bool]]:
        """Scored days of a round, and which one pays."""
        with self.platform.session() as session:
            scores = list_meta_model_scores(session, number=RoundNumber(number), final=False)
            return [(each.day, each.is_final) for each in scores]


@pytest.fixture
def stage(fresh_platform: Platform, tmp_path: Path) -> Stage:
    folder = tmp_path / "feed"
    folder.mkdir()
    with fresh_platform.session() as session:
        fund_rewards(session, amount=make.points("10000"), key="start", now=make.START)
        make.dataset(session, fresh_platform.blobs, tmp_path / "dataset")
        models = [make.staked_model(session, f"model-{place}") for place in range(3)]
        change_tournament(
            session, tournament_id=make.TOURNAMENT, rulebook=feed.RULEBOOK, timetable=feed.timetable(folder)
        )
    return Stage(fresh_platform, folder, models)


def test_a_round_is_opened_closed_scored_and_resolved_by_the_clock(stage: Stage) -> None:
    feed.put_live(stage.folder, 0)
    stage.work(feed.evening(0))
    assert stage.states() == ["open"]
    stage.submit(1)
    stage.work(feed.evening(1) - timedelta(seconds=1))
    assert stage.states() == ["open"]

    stage.work(feed.evening(1))
    assert stage.states()[0] == "closed"
    feed.put_targets(stage.folder, 0, 1)
    stage.work(feed.evening(2))
    assert stage.days(1) == [(1, False)]
    feed.put_targets(stage.folder, 0, 2)
    stage.work(feed.evening(3))

    assert stage.days(1) == [(1, False), (2, True)]
    assert stage.states()[0] == "resolved"
    with stage.platform.session() as session:
        row = get_round(session, RoundNumber(1))
    assert (row.opens_at, row.closes_at, row.resolves_at) == (feed.evening(0), feed.evening(1), feed.evening(3))


def test_a_step_waits_for_its_data_and_says_so(stage: Stage) -> None:
    stage.work(feed.evening(0))

    assert stage.states() == []
    with stage.platform.session() as session:
        (job,) = list_jobs(session, kind=KIND)
    assert (job.state, job.error_code) == ("queued", "try_later")
    assert str(job.error_message).startswith("round 1 waits for its live data: ")
    feed.put_live(stage.folder, 0)
    stage.work(feed.evening(0) + timedelta(minutes=1))
    assert stage.states() == ["open"]


def test_a_late_worker_does_all_that_was_missed_in_order(stage: Stage) -> None:
    for session in (0, 1):
        feed.put_live(stage.folder, session)
        stage.work(feed.evening(session))
        stage.submit(session + 1)
        for day in (1, 2):
            feed.put_targets(stage.folder, session, day)
    before = len(stage.steps())

    stage.work(feed.evening(9))

    assert stage.steps()[before:] == [
        "close 2",
        "score 1",
        "score 1",
        "score 2",
        "resolve 1",
        "score 2",
        "resolve 2",
    ]
    assert stage.states() == ["resolved", "resolved"]


def test_a_round_that_nobody_could_submit_to_is_not_opened(stage: Stage) -> None:
    for place in range(4):
        feed.put_live(stage.folder, place)

    stage.work(feed.evening(3) + feed.HOUR / 2)

    with stage.platform.session() as session:
        assert [(each.number, each.opens_at) for each in list_rounds(session)] == [(1, feed.evening(3))]


def test_a_round_in_which_nothing_is_at_risk_is_void(stage: Stage) -> None:
    feed.put_live(stage.folder, 0)
    stage.work(feed.evening(0))

    stage.work(feed.evening(1))

    assert stage.states() == [RoundState.VOID.value]


def test_a_day_without_data_is_left_out_when_a_later_one_is_known(stage: Stage) -> None:
    feed.put_live(stage.folder, 0)
    stage.work(feed.evening(0))
    stage.submit(1)
    stage.work(feed.evening(2))
    assert stage.days(1) == []

    feed.put_targets(stage.folder, 0, 2)
    stage.work(feed.evening(3))

    assert stage.days(1) == [(2, True)]
    assert stage.states()[0] == "resolved"


def test_two_workers_do_each_step_once(stage: Stage) -> None:
    feed.put_live(stage.folder, 0)
    stage.now = feed.evening(0)
    workers = [
        threading.Thread(
            target=Worker(stage.platform, TASKS, ROUTINES, lambda: stage.now, name=str(place)).run,
            args=(threading.Event(),),
            kwargs={"wait": False},
        )
        for place in range(2)
    ]
    for each in workers:
        each.start()
    for each in workers:
        each.join()

    assert stage.states() == ["open"]
    assert len(stage.steps()) == 1
