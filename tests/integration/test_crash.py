"""Kill the process at points spread over a season, run it again, and compare with a recomputation."""

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from crowdalpha.rules.ledger import BURNED, REWARDS, stake, unstake
from crowdalpha.rules.money import POINTS
from crowdalpha.rules.verify import verify_round
from crowdalpha.server import Platform, open_platform
from crowdalpha.server.ledger import service as ledger
from crowdalpha.server.models.service import list_models
from crowdalpha.server.rounds.service import list_positions, list_rounds, resolve_round
from crowdalpha.server.scores.service import list_scores
from tests.fixtures import tournament as make
from tests.fixtures.database import Cluster, settings_for

REPOSITORY = Path(__file__).parents[2]
QUANTUM = 10**9
SIGKILLED = -9


def run(folder: Path, url: str, step: str, place: str) -> int:
    command = [sys.executable, "-W", "error", "-m", "tests.fixtures.killable", str(folder), url, step, place]
    return subprocess.run(command, check=False, cwd=REPOSITORY, timeout=120).returncode  # our own module


def recomputed(session: Session) -> dict[str, int]:
    """Books by hand, from the frozen positions and recorded scores alone: 2 x MMC, clipped at 5 %."""
    start = make.points("100").base
    books = {str(stake(model.id)): start for model in list_models(session)}
    books |= {str(unstake(model.id)): 0 for model in list_models(session)}
    first = list_models(session)[0].id
    leaving = make.points("30").base
    books[str(stake(first))] -= leaving
    for each in list_rounds(session):
        scores = {score.model_id: score.mmc or 0 for score in list_scores(session, number=each.number)}
        for view in list_positions(session, number=each.number):
            rate = max(-50_000_000, min(50_000_000, 2 * scores[view.model_id]))
            books[str(stake(view.model_id))] += int(Fraction(view.at_risk.base * rate, QUANTUM))
    return books


def check(platform: Platform, session: Session) -> None:
    expected = recomputed(session)
    balances = {str(ref): amount.base for ref, amount in ledger.balances(session).items()}
    moved = [view.delta.base for view in list_positions(session) if view.delta is not None]

    assert {ref: balances.get(ref, 0) for ref in expected} == expected
    assert balances[str(REWARDS)] == make.points("10000").base - sum(delta for delta in moved if delta > 0)
    assert balances.get(str(BURNED), 0) == -sum(delta for delta in moved if delta < 0)
    assert ledger.sum_of_balances(session, POINTS) == 0
    assert ledger.audit(session) > 0
    for each in list_rounds(session):
        resolution = resolve_round(session, blobs=platform.blobs, number=each.number, now=make.resolves_at(each.number))
        assert verify_round(platform.blobs.get(resolution.bundle_sha256)).ok


@pytest.mark.parametrize(
    "kills",
    [
        [("close 1", "6"), ("close 1", "commit"), ("close 2", "after"), ("decrease", "12"), ("score 1", "commit")],
        [
            ("resolve 1", "12"),
            ("resolve 1", "20"),
            ("resolve 1", "commit"),
            ("resolve 2", "25"),
            ("resolve 2", "after"),
        ],
    ],
)
def test_a_season_killed_anywhere_ends_in_the_recomputed_balances(
    cluster: Cluster, tmp_path: Path, kills: list[tuple[str, str]]
) -> None:
    url = cluster.new_database()
    address = url.render_as_string(hide_password=False)
    died = [run(tmp_path, address, step, place) for step, place in kills]
    finished = run(tmp_path, address, "nowhere", "never")

    assert (died, finished) == ([SIGKILLED] * len(kills), 0)
    with open_platform(settings_for(url, tmp_path)) as platform, platform.session() as session:
        check(platform, session)
