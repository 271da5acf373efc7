"""The commands of participants against a platform that is served over HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from crowdalpha.cli.app import app
from crowdalpha.client import Refused
from crowdalpha.client.errors import NotLoggedIn
from crowdalpha.errors import InputError
from crowdalpha.release import PredictionFileError
from crowdalpha.server import Platform
from crowdalpha.server.kit.depends import utc_now
from tests.fixtures.contest import SHARES, invitation, open_contest
from tests.fixtures.serving import serving


@pytest.fixture(scope="module")
def server(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a platform with two open rounds to every test of this module."""
    open_contest(platform, tmp_path_factory.mktemp("contest"), now=utc_now())
    with serving(platform) as url:
        yield url


@pytest.fixture
def ann(server: str, platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Log in as a new participant, in a folder of the test; gives the name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CROWDALPHA_CREDENTIALS", str(tmp_path / "key.json"))
    monkeypatch.delenv("CROWDALPHA_DATA_DIR", raising=False)
    name = tmp_path.name.removeprefix("test_")[:40]
    link = f"{server}/invite/{invitation(platform, now=utc_now())}"
    said = run("login", link, "--name", name, "--password", "three words more")
    assert said == f"logged in to {server} as {name}; the key is kept in {tmp_path / 'key.json'}\n"
    return name


def run(*line: str, stdin: str | None = None) -> str:
    """Run a command; what it refuses is raised, as the command line then prints it."""
    done = CliRunner().invoke(app, [*line], input=stdin, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def told(*line: str) -> object:
    return json.loads(run(*line, "--json"))


def rows(*line: str) -> list[dict[str, object]]:
    found = told(*line)
    assert isinstance(found, list)
    return found


def handed_in(model: str) -> str:
    run("data", "--live", "--to", "live")
    return run("submit", "live/live_example_preds.parquet", "--model", model, "--create")


def test_the_example_is_handed_in_and_seen(ann: str) -> None:
    assert "round 1 has file 1 of" in handed_in(ann)
    assert Path("live/live_example_preds.parquet.receipt.json").exists()
    assert f"{ann} in tournament 8: round 1 has a file until" in run("status")
    row = rows("status")[0]
    assert (row["model"], row["round"], row["stake"]) == (ann, 1, "0.000000000")


def test_data_come_once_and_are_checked(ann: str) -> None:
    assert ann
    assert "train.parquet" in run("data", "--list")
    first, again = told("data"), told("data")

    assert first == again
    assert str(first).count("parquet") > 3


def test_a_bad_file_is_refused_by_name(ann: str) -> None:
    handed_in(ann)
    Path("bad.csv").write_text("id,prediction\nx,1\n")

    with pytest.raises(PredictionFileError, match=r"bad\.csv"):
        run("submit", "bad.csv", "--model", ann)


def test_a_named_file_is_previewed(ann: str) -> None:
    names = SHARES.to_frame()["numerai_ticker"]
    pl.DataFrame({"numerai_ticker": names, "signal": [(place % 7) / 7 for place in range(len(names))]}).write_csv(
        "s.csv"
    )
    line = ("submit", "s.csv", "--model", ann, "--tournament", "11")

    preview = run(*line, "--create", "--preview")
    waits = run(*line, "--next")

    assert preview.startswith("120 of 120 live assets have a value; 100 are needed\nwould be taken")
    assert "waits for the next round" in waits
    assert "s.csv waits for the next round" in run("status")


def test_a_stake_goes_up_and_down_once_a_key(ann: str) -> None:
    handed_in(ann)

    run("stake", ann, "--up", "10", "--key", "k1")
    assert run("stake", ann, "--up", "10", "--key", "k1") == "10.000000000 points at stake\n"
    assert run("stake", ann, "--down", "4") == "6.000000000 points at stake\n"
    assert told("stake", ann) == {
        "model_id": rows("status")[0]["model_id"],
        "unit": "points",
        "stake": "6.000000000",
        "pending": [],
    }


@pytest.mark.parametrize("amount", ["-1", "0", "ten", "NaN"])
def test_what_is_no_amount_is_refused(ann: str, amount: str) -> None:
    with pytest.raises(InputError, match=r"amount|above zero"):
        run("stake", ann, f"--up={amount}")


def test_lists_that_are_empty_are_shown(ann: str) -> None:
    handed_in(ann)

    assert told("scores", ann) == []
    assert told("leaderboard") == []
    assert "CORR" in run("leaderboard")


def test_a_second_computer_logs_in_with_name_and_password(ann: str, server: str, tmp_path: Path) -> None:
    (tmp_path / "key.json").unlink()
    with pytest.raises(NotLoggedIn):
        run("status")

    run("login", server, stdin=f"{ann}\nthree words more\n")

    assert "no model yet" in run("status")
    with pytest.raises(Refused):
        run("login", server, "--name", ann, "--password", "something else")


def test_a_key_that_one_has_is_used(ann: str, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = json.loads((tmp_path / "key.json").read_text())
    (tmp_path / "key.json").unlink()
    monkeypatch.setenv("CROWDALPHA_SECRET_KEY", kept["secret"])

    run("login", server, "--public-id", kept["public_id"])

    assert json.loads((tmp_path / "key.json").read_text()) == kept
    assert ann in run("login", server, "--public-id", kept["public_id"])
