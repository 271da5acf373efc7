"""What operators do by hand, and what they see, over HTTP."""

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from crowdalpha.server import Platform
from crowdalpha.server.accounts.service import Role, create_account
from crowdalpha.server.app import API, create_app
from crowdalpha.server.jobs.service import enqueue
from crowdalpha.server.keys.service import create_key
from crowdalpha.server.tasks import TASKS
from crowdalpha.server.worker import Worker
from tests.fixtures import feed
from tests.fixtures import tournament as make

NOW = datetime(2024, 1, 1, 0, 30, tzinfo=make.START.tzinfo)


@dataclass
class Desk:
    """An operator and a participant before one platform."""

    platform: Platform
    operator: TestClient
    participant: TestClient

    def work(self) -> None:
        """Let a worker do what was asked for, without a schedule."""
        assert Worker(self.platform, TASKS, (), lambda: NOW, concurrency=1).run(threading.Event(), wait=False)


def client(platform: Platform, name: str, role: Role) -> TestClient:
    with platform.session() as session:
        account = create_account(session, name=name, role=role, now=make.START)
        made = create_key(session, account_id=account.id, name="key", now=make.START)
    headers = {"Authorization": f"Token {made.key.public_id}${made.secret}"}
    return TestClient(create_app(platform, clock=lambda: NOW), headers=headers)


@pytest.fixture
def desk(fresh_platform: Platform, tmp_path: Path) -> Desk:
    with fresh_platform.session() as session:
        make.dataset(session, fresh_platform.blobs, tmp_path / "dataset")
    return Desk(fresh_platform, client(fresh_platform, "op", "operator"), client(fresh_platform, "ann", "participant"))


def created(desk: Desk, folder: Path) -> None:
    body = {"id": 8, "name": "classic", "rulebook": {"min_stake": "2"}, "timetable": feed.timetable(folder)}
    answer = desk.operator.post(f"{API}/tournaments", json=body)
    assert (answer.status_code, answer.json()["rulebook"]["min_stake"]) == (201, "2")


def test_an_operator_creates_and_changes_a_tournament(desk: Desk, tmp_path: Path) -> None:
    created(desk, tmp_path)

    answer = desk.operator.patch(f"{API}/tournaments/8", json={"rulebook": {"clip": "0.1"}})

    rules = answer.json()["rulebook"]
    assert (answer.status_code, rules["clip"], rules["min_stake"]) == (200, "0.1", "2")
    refused = desk.operator.patch(f"{API}/tournaments/8", json={"timetable": {"kind": "steady"}})
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "invalid_input")


def test_a_round_is_opened_by_a_job_and_voided_at_once(desk: Desk, tmp_path: Path) -> None:
    created(desk, tmp_path)
    feed.put_live(tmp_path, 0)

    asked = desk.operator.post(f"{API}/tournaments/8/rounds", json={})
    desk.work()
    job = desk.operator.get(f"{API}/jobs/{asked.json()['id']}").json()

    assert (asked.status_code, job["state"], job["result"]) == (202, "done", {"round": 1, "handed_in": 0})
    voided = desk.operator.post(f"{API}/rounds/1/void")
    assert (voided.status_code, voided.json()["state"]) == (200, "void")


def test_a_step_that_comes_too_early_fails_and_can_be_asked_for_again(desk: Desk, tmp_path: Path) -> None:
    created(desk, tmp_path)
    feed.put_live(tmp_path, 0)
    desk.operator.post(f"{API}/tournaments/8/rounds", json={})
    desk.work()

    asked = desk.operator.post(f"{API}/rounds/1/close")
    desk.work()
    job = desk.operator.get(f"{API}/jobs/{asked.json()['id']}").json()
    again = desk.operator.post(f"{API}/jobs/{job['id']}/retry").json()

    assert (job["state"], job["error_code"]) == ("failed", "conflict")
    assert job["error_message"].startswith("round 1 closes at")
    assert (again["id"], again["state"]) == (job["id"], "queued")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/tournaments"),
        ("PATCH", "/tournaments/8"),
        ("POST", "/tournaments/8/rounds"),
        ("POST", "/rounds/1/close"),
        ("POST", "/rounds/1/score"),
        ("POST", "/rounds/1/resolve"),
        ("POST", "/rounds/1/void"),
    ],
)
def test_participants_operate_nothing(desk: Desk, method: str, path: str) -> None:
    body = {"id": 8, "name": "classic"} if path == "/tournaments" else {}

    assert desk.participant.request(method, API + path, json=body).status_code == 403


def test_a_job_is_seen_by_its_owner_and_by_the_operator(desk: Desk) -> None:
    with desk.platform.session() as session:
        ann = create_account(session, name="ann", now=make.START)
        bob = create_account(session, name="bob", now=make.START)
        mine, other = (
            enqueue(session, kind="x", subject={}, account_id=each.id, deadline=timedelta(hours=1), now=NOW).id
            for each in (ann, bob)
        )

    assert [job["id"] for job in desk.participant.get(f"{API}/jobs").json()] == [mine]
    assert desk.participant.get(f"{API}/jobs/{other}").status_code == 404
    assert [job["id"] for job in desk.operator.get(f"{API}/jobs").json()] == [other, mine]


def test_the_status_shows_the_machine_to_operators_alone(desk: Desk) -> None:
    with desk.platform.session() as session:
        enqueue(session, kind="x", subject={}, deadline=timedelta(hours=1), now=NOW - timedelta(seconds=90))

    seen = desk.participant.get(f"{API}/status").json()
    known = desk.operator.get(f"{API}/status").json()

    assert (seen["jobs"], seen["oldest_waiting_s"], seen["disk"], seen["last_failures"]) == (
        {"x": {"queued": 1}},
        90,
        None,
        None,
    )
    assert 0 < known["disk"]["free"] <= known["disk"]["total"]


def test_metrics_count_requests_by_route_and_jobs_by_state(desk: Desk) -> None:
    with desk.platform.session() as session:
        enqueue(session, kind="x", subject={}, deadline=timedelta(hours=1), now=NOW)
    for number in (1, 2):
        desk.operator.get(f"{API}/tournaments/{number}")

    text = desk.operator.get("/metrics").text

    route = f'method="GET",route="{API}/tournaments/{{tournament_id}}"'
    assert f'crowdalpha_requests_total{{{route},status="404"}} 2.0' in text
    assert f"crowdalpha_request_seconds_count{{{route}}} 2.0" in text
    assert 'crowdalpha_jobs{kind="x",state="queued"} 1.0' in text
    assert desk.participant.get("/metrics").status_code == 403
