import json
from pathlib import Path

import typer
from typer.testing import CliRunner

from crowdalpha.cli.ensemble import ensemble
from crowdalpha.ensemble import METHODS
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
