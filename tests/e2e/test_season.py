"""A season through the front door: one command, then what it left behind."""

import json
import re
import signal
import subprocess
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import DEMO, SHORT_SEASON

PATIENCE_S = 120


def play(out: Path) -> dict[str, Any]:
    done = subprocess.run([*DEMO, *SHORT_SEASON, "--out", out], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    summary: dict[str, Any] = json.loads((out / "summary.json").read_text())
    return summary


@pytest.fixture(scope="session")
def summary(season: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((season / "summary.json").read_text())
    return loaded


def without_seconds(summary: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in summary.items() if name != "seconds"}


def test_summary_holds_what_was_played(summary: dict[str, Any]) -> None:
    assert (summary["seed"], summary["rounds_resolved"], summary["participants"]) == (3, 6, 12)
    assert set(summary["meta_model"]) == {"corr_mean", "corr_std", "corr_sharpe"}
    assert {"corr_mean", "corr_std", "corr_sharpe"} <= set(summary["best_participant"])
    assert summary["best_participant"]["corr_mean"] >= summary["median_participant"]["corr_mean"]
    assert set(summary["portfolio"]) >= {
        *("annual_return", "annual_volatility", "sharpe", "max_drawdown", "mean_turnover"),
        *("max_abs_sector_exposure", "max_abs_market_exposure"),
    }
    assert {"mean_corr", "mean_mmc", "profit_per_stake"} <= set(summary["archetypes"]["ridge"])


def test_all_balances_sum_to_zero(summary: dict[str, Any]) -> None:
    assert summary["ledger"]["sum_of_balances"] == 0
    assert summary["ledger"]["transfers"] > 0


def test_rounds_pay_and_burn(summary: dict[str, Any]) -> None:
    assert float(summary["payouts"]["paid"]) > 0
    assert float(summary["payouts"]["burned"]) > 0


def test_the_pair_earns_nothing_together(summary: dict[str, Any]) -> None:
    assert abs(summary["archetypes"]["pair"]["mean_mmc"]) < 1e-9


def test_the_optimiser_holds_the_book_neutral(summary: dict[str, Any]) -> None:
    assert summary["portfolio"]["max_abs_market_exposure"] < 0.1
    assert summary["portfolio"]["max_abs_sector_exposure"] < 0.1


def test_the_same_seed_gives_the_same_summary(summary: dict[str, Any], tmp_path: Path) -> None:
    again = play(tmp_path / "again")

    assert without_seconds(again) == without_seconds(summary)


@pytest.mark.parametrize("moment", ["platform", "dataset", "rounds/0003"])
def test_a_killed_season_ends_as_an_uncut_one(moment: str, summary: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "out"
    kill_once_there(out / moment, [*DEMO, *SHORT_SEASON, "--out", str(out)])
    assert not (out / "summary.json").exists()

    resumed = play(out)

    assert without_seconds(resumed) == without_seconds(summary)


def kill_once_there(path: Path, command: list[str]) -> None:
    """Start a season and kill it, as no handler can catch, once it has made `path`."""
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + PATIENCE_S
        while not path.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        process.kill()
    assert process.returncode == -signal.SIGKILL


class Links(HTMLParser):
    """Collects what a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.charts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.charts += tag == "svg"
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]


def test_the_report_asks_no_network_and_shows_six_charts(season: Path) -> None:
    text = (season / "report.html").read_text()
    links = Links()
    links.feed(text)

    assert links.charts == 6
    assert all(link.startswith("#") for link in links.fetched)
    assert not re.search(r"@import|<script|url\(\s*['\"]?http", text)


def test_the_report_says_what_was_synthetic(season: Path) -> None:
    assert "The market is synthetic" in (season / "report.html").read_text()


def test_published_files_name_no_company(season: Path) -> None:
    published = [path for folder in ("dataset", "rounds") for path in (season / folder).rglob("*") if path.is_file()]

    assert len(published) > 20
    assert not [path for path in published if b"SYN0" in path.read_bytes()]
