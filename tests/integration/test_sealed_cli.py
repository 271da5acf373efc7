"""The operator's commands, on a platform that a test opened before: keygen, publish, open."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crowdalpha.cli.sealed import sealed as commands
from crowdalpha.client.sealed import open_sealed
from crowdalpha.release.sealed import LinearModel, Sources, run_plan, write_submission
from crowdalpha.rules.ids import RoundNumber
from crowdalpha.server import Platform
from crowdalpha.server.rounds.service import open_round
from crowdalpha.server.sealed.service import list_offers, submit_sealed
from tests.fixtures import tournament as make

RUNNER = CliRunner()
ONE = RoundNumber(1)
PROFILE = "bfv-linear-1"


@pytest.fixture
def commanded(fresh_platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Platform:
    """A platform that the commands find by the environment."""
    address = fresh_platform.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("CROWDALPHA_DATABASE_URL", address)
    monkeypatch.setenv("CROWDALPHA_DATA_DIR", str(fresh_platform.settings.data_dir))
    return fresh_platform


def run(*arguments: str | Path) -> str:
    result = RUNNER.invoke(commands, [str(argument) for argument in arguments])
    return result.stdout if result.exception is None else str(result.exception)


def test_an_operator_draws_keys_publishes_and_opens(commanded: Platform, tmp_path: Path) -> None:
    closes_at = datetime.now(UTC) + timedelta(seconds=60)
    make.features(1).write_parquet(tmp_path / "live.parquet")
    with commanded.session() as session:
        model = make.tournament(commanded, session, tmp_path / "data")[0]
        open_round(
            session, number=ONE, tournament_id=make.TOURNAMENT, rulebook=make.RULEBOOK, dataset_version=make.VERSION,
            live_ids=make.LIVE_IDS[::-1], era="0001", opens_at=make.START, closes_at=closes_at,
            resolves_at=closes_at + timedelta(days=30), now=make.START,
        )  # fmt: skip

    assert "no key that serves no round" in run("publish", "--round", "1", "--live", tmp_path / "live.parquet")
    assert re.match(rf"{PROFILE}: key [0-9a-f]{{12}}, secret in", run("keygen", "--profile", PROFILE))
    assert "141 answers left" in run("publish", "--round", "1", "--live", tmp_path / "live.parquet")
    with commanded.session() as session:
        (offer,) = list_offers(session, number=ONE)
        folder = tmp_path / "fetched"
        folder.mkdir()
        for part, sha256 in (("public", offer.public_sha256), ("era", offer.era_sha256)):
            (folder / f"{part}.sealed").write_bytes(commanded.blobs.get(sha256))
        files = open_sealed(folder)
        plan = LinearModel({"feature_1": 1}).plan(Sources(files.era))
        written = write_submission(plan, run_plan(plan, files.public), tmp_path / "mine.sealed").path
        submit_sealed(
            session, blobs=commanded.blobs, model_id=model.id, round_number=ONE, content=written.read_bytes(),
            now=datetime.now(UTC), signing_key=make.SIGNING_KEY,
        )  # fmt: skip
    assert "opened then" in run("open", "--round", "1")
