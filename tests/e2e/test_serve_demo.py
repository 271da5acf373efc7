"""`crowdalpha serve --demo`: something to show at once, and rounds that go on by the clock."""

import time
from collections.abc import Iterator

import httpx2
import pytest

from crowdalpha.rules.round import RoundState
from crowdalpha.server import open_platform
from crowdalpha.server.rounds.service import Round, list_rounds
from crowdalpha.server.submissions.service import list_submissions
from tests.fixtures.served import Served, serving

SESSION_S = 10
PATIENCE_S = 90


def played(served: Served) -> list[Round]:
    with open_platform(served.settings) as platform, platform.session() as session:
        return list_rounds(session)


@pytest.fixture(scope="module")
def demo() -> Iterator[Served]:
    with serving("--demo", "--demo-session", str(SESSION_S)) as one:
        yield one


def test_a_demo_has_resolved_rounds_an_open_one_and_goes_on(demo: Served) -> None:
    first = played(demo)
    assert {RoundState.RESOLVED, RoundState.SCORING} <= {row.state for row in first}
    last = first[-1].number

    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        now = {row.number: row.state for row in played(demo)}
        if now.get(last) is RoundState.SCORING and max(now) > last:
            break
        time.sleep(1)

    assert now[last] is RoundState.SCORING
    with open_platform(demo.settings) as platform, platform.session() as session:
        assert len(list_submissions(session, number=last)) == 12
    status = httpx2.get(f"{demo.url}/api/v1/status").json()
    assert status["workers_alive"] == 1
    assert "score" in {step["subject"]["step"] for step in status["last_steps"] if step["state"] == "done"}
