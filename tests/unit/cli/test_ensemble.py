import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from crowdalpha.cli.ensemble import ensemble
from crowdalpha.ensemble import METHODS
from crowdalpha.errors import InputError
from tests.fixtures.evidence import season_folder


def run(*arguments: str | Path) -> str:
    app = typer.Typer()
    app.command()(ensemble)
    result = CliRunner(env={"COLUMNS": "80"}).invoke(app, list(map(str, arguments)), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_the_screen_has_a_line_a_method(tmp_path: Path) -> None:
    shown = run("compare", season_folder(tmp_path, n_rounds=8))

    assert shown.startswith("8 rounds, 6 models; scores are known 5 rounds later")
    assert "too few rounds to tell regimes" in shown
    for method in METHODS:
        assert method.replace("_", " ") in shown


def test_json_has_no_nan(tmp_path: Path) -> None:
    found = json.loads(run("compare", season_folder(tmp_path, n_rounds=8), "--json"), parse_constant=lambda _: 1 / 0)

    assert found["stressed"] is None
    assert [each["method"] for each in found["results"]] == list(METHODS)
    assert found["results"][1]["gain"].keys() == {"value", "low", "high"}


def test_clusters_are_listed_with_what_they_repeat(tmp_path: Path) -> None:
    folder = season_folder(tmp_path, n_rounds=3)

    assert "round 3: 6 models with weight" in run("clusters", folder)
    assert json.loads(run("clusters", folder, "--round", "2", "--json"))["models"] == 5


def test_a_model_has_a_screen_a_page_and_json(tmp_path: Path) -> None:
    folder, page = season_folder(tmp_path, n_rounds=2, contributions=True), tmp_path / "model.html"
    shown = run("model", folder, "3", "--html", page)

    assert "from score to profit" in shown
    assert "contributions/0002.json: attributed, book_return" in shown
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert json.loads(run("model", folder, "3", "--json"))["model_id"] == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["model"], "name the model after the season"),
        (["clusters", "--html", "page.html"], "only `crowdalpha ensemble model` has a page"),
        (["model", "3", "--html", "/no/such/folder/page.html"], "name a file in a folder that exists"),
    ],
)
def test_what_cannot_be_asked_is_said(tmp_path: Path, arguments: list[str], message: str) -> None:
    folder = season_folder(tmp_path, n_rounds=1, contributions=True)

    with pytest.raises(InputError, match=message):
        run(arguments[0], folder, *arguments[1:])
