"""`crowdalpha serve --demo`: something to show at once, and rounds that go on by the clock."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from crowdalpha.rules.round import RoundState
from crowdalpha.server import open_platform
from crowdalpha.server.rounds.service import Round, list_rounds
from crowdalpha.server.submissions.service import list_submissions
from tests.docs.pages import BLOCK, DOCS
from tests.fixtures.served import Served, serving

SESSION_S = 10
PATIENCE_S = 90
FIRST_SUBMISSION_S = 60
"""From an invitation to a submission."""
TUTORIAL = DOCS / "tutorials" / "first-submission.md"


def played(served: Served) -> list[Round]:
    with open_platform(served.settings) as platform, platform.session() as session:
        return list_rounds(session)


@pytest.fixture
def hurried() -> Iterator[Served]:
    with serving("--demo", "--demo-session", str(SESSION_S)) as one:
        yield one


@pytest.fixture
def demo() -> Iterator[Served]:
    with serving("--demo") as one:
        yield one


def test_a_demo_has_resolved_rounds_an_open_one_and_goes_on(hurried: Served) -> None:
    first = played(hurried)
    assert {RoundState.RESOLVED, RoundState.SCORING} <= {row.state for row in first}
    last = first[-1].number

    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        now = {row.number: row.state for row in played(hurried)}
        if now.get(last) is RoundState.SCORING and max(now) > last:
            break
        time.sleep(1)

    assert now[last] is RoundState.SCORING
    with open_platform(hurried.settings) as platform, platform.session() as session:
        assert len(list_submissions(session, number=last)) == 12
    status = httpx2.get(f"{hurried.url}/api/v1/status").json()
    assert status["workers_alive"] == 1
    assert "score" in {step["subject"]["step"] for step in status["last_steps"] if step["state"] == "done"}


def test_an_invited_person_submits_as_the_tutorial_says(demo: Served, tmp_path: Path) -> None:
    link = re.findall(r"http://\S+/invite/\S+", demo.log)[0]
    commands = tmp_path / "bin"
    commands.mkdir()
    (commands / "crowdalpha").symlink_to(Path(sys.executable).with_name("crowdalpha"))
    environment = {
        **os.environ,
        "PATH": f"{commands}:{os.environ['PATH']}",
        "LINK": link,
        "CROWDALPHA_CREDENTIALS": str(tmp_path / "credentials.json"),
    }
    blocks = [(match[1], match[2]) for match in BLOCK.finditer(TUTORIAL.read_text())]
    (shell,) = (text for language, text in blocks if language == "bash")
    (python,) = (text for language, text in blocks if language == "python")

    def run(*line: str) -> str:
        done = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    started = time.monotonic()
    assert "receipt kept in live/live_example_preds.parquet.receipt.json" in run("bash", "-ec", shell)
    assert time.monotonic() - started < FIRST_SUBMISSION_S
    assert re.search(r"^round \d+ has [0-9a-f]{12}$", run(sys.executable, "-c", python), re.MULTILINE)
    with open_platform(demo.settings) as platform, platform.session() as session:
        origins = {each.filename for each in list_submissions(session)}
    assert "live_example_preds.parquet" in origins
