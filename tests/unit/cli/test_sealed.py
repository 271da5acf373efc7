import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from crowdalpha.cli.sealed import sealed
from crowdalpha.release.sealed.opener import decrypted
from tests.fixtures.sealed import SealedRound, random_bins, sealed_round

RUNNER = CliRunner()


@pytest.fixture(scope="module")
def offered(tmp_path_factory: pytest.TempPathFactory) -> SealedRound:
    """A round's files as `download` leaves them."""
    folder = tmp_path_factory.mktemp("data") / "bfv-linear-1"
    folder.mkdir()
    return sealed_round(folder, "bfv-linear-1", random_bins(60, 3))


def run(*arguments: str | Path) -> tuple[int, str]:
    result = RUNNER.invoke(sealed, [str(argument) for argument in arguments], catch_exceptions=True)
    return result.exit_code, result.stdout if result.exception is None else str(result.exception)


def model(folder: Path, **fields: object) -> Path:
    path = folder / "model.json"
    path.write_text(json.dumps(fields))
    return path


def test_a_model_file_is_run_and_its_submission_opens(offered: SealedRound, tmp_path: Path) -> None:
    written = model(tmp_path, kind="linear", weights={"feature_0": 2, "feature_2": -1})
    code, shown = run("run", written, "--out", tmp_path / "mine.sealed", "--data", offered.folder.parent)

    assert code == 0, shown
    assert "for round 12" in shown
    predictions = decrypted(offered.keys, tmp_path / "mine.sealed", offered.expected)
    assert (predictions == (offered.bins - 2) @ np.array([2, 0, -1])).all()


def test_a_plan_is_told_as_json(offered: SealedRound, tmp_path: Path) -> None:
    written = model(tmp_path, kind="linear", weights={"feature_0": 2})
    _, shown = run("plan", written, "--data", offered.folder.parent, "--json")

    assert json.loads(shown)["profile"] == "bfv-linear-1"
    assert (json.loads(shown)["levels"], json.loads(shown)["products"]) == (0, 0)


def test_a_model_that_is_too_deep_says_what_to_download(offered: SealedRound, tmp_path: Path) -> None:
    written = model(tmp_path, kind="additive", tables={"feature_0": [0, 1, 0, 1, 3]})

    assert "bfv-trees-1" in run("plan", written, "--data", offered.folder.parent)[1]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"kind": "oracle"}, "kind"),
        ({"kind": "linear"}, "weights"),
        ({"kind": "linear", "weights": {}, "eval": "1"}, "eval"),
        ({"kind": "additive", "tables": {"feature_0": [1]}}, "tables.feature_0"),
        ({"kind": "square_net", "features": ["a"], "weights": [[1, 2]], "biases": [0], "output": [1]}, "each row"),
    ],
)
def test_a_model_file_that_is_none_is_refused(
    offered: SealedRound, tmp_path: Path, fields: dict[str, object], problem: str
) -> None:
    code, shown = run("plan", model(tmp_path, **fields), "--data", offered.folder.parent)

    assert code == 1
    assert problem in shown


def test_without_a_download_the_command_says_so(tmp_path: Path) -> None:
    assert "download first" in run("plan", model(tmp_path, kind="moment_ridge"), "--data", tmp_path)[1]


def test_a_participant_needs_no_server(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['sqlalchemy'] = None; from crowdalpha.cli.sealed import sealed; "
        "from typer.testing import CliRunner; print(CliRunner().invoke(sealed, ['keygen']).exception); "
        f"print(CliRunner().invoke(sealed, ['plan', 'x', '--data', '{tmp_path}']).exception)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    operator, participant = done.stdout.splitlines()
    assert "pip install 'crowdalpha[sealed,server]'" in operator
    assert "x: cannot be read as a model" in participant
