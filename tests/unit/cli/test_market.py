import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crowdalpha.cli.market import market
from crowdalpha.errors import InputError
from tests.fixtures.panels import random_panel

RUN = CliRunner()


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    path = tmp_path / "p.parquet"
    random_panel(n_assets=31, n_days=300, n_delisted=1).prices.write_parquet(path)
    return path


def test_the_screen_shows_markets_and_rules(prices: Path) -> None:
    shown = RUN.invoke(market, ["check", str(prices)], env={"COLUMNS": "120"})

    assert shown.exit_code == 0
    assert "weeks after warm-up are eras" in shown.output
    assert "sector_unknown" in shown.output


def test_files_are_written(prices: Path, tmp_path: Path) -> None:
    wanted = ["--json", str(tmp_path / "c.json"), "--html", str(tmp_path / "c.html")]
    shown = RUN.invoke(market, ["check", f"{prices}@US:USD", *wanted])

    assert shown.exit_code == 0
    assert json.loads((tmp_path / "c.json").read_text())["markets"][0]["currencies"] == ["USD"]
    assert "<svg" in (tmp_path / "c.html").read_text()


def test_json_on_the_screen_is_nothing_else(prices: Path) -> None:
    shown = RUN.invoke(market, ["check", str(prices), "--json", "-"])

    assert json.loads(shown.output)["sources"] == ["p.parquet"]


def test_a_refused_file_is_shown_and_gives_status_2(prices: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("date,ticker,close\n2024-01-02,A,[b]\n")
    shown = RUN.invoke(market, ["check", str(bad), str(prices)])

    assert shown.exit_code == 2
    assert "refused price file bad.csv, column close, row 1: '[b]' is not a number" in shown.output
    assert "sector_unknown" in shown.output


def test_a_folder_that_is_not_there_is_an_input_error(prices: Path, tmp_path: Path) -> None:
    shown = RUN.invoke(market, ["check", str(prices), "--html", str(tmp_path / "no" / "c.html")])

    assert isinstance(shown.exception, InputError)


def test_a_download_without_the_package_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yfinance", None)
    options = ["--start", "2024-01-02", "--end", "2024-01-03", "--out", str(tmp_path / "p.parquet")]
    shown = RUN.invoke(market, ["download", "AAPL", *options])

    assert "pip install 'crowdalpha[yahoo]'" in str(shown.exception)
