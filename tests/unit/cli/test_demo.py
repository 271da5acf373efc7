import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from crowdalpha.cli import demo as command
from crowdalpha.cli import main
from crowdalpha.lab import Progress, Season, SeasonConfig
from crowdalpha.lab.summary import archetype_results, summary_of
from tests.fixtures.panels import random_panel
from tests.fixtures.seasons import one_round, small_season

ENOUGH_DAYS = 620
"""A year to warm up, sixty weeks to learn from, six rounds, and the weeks after them."""


@dataclass(frozen=True)
class Outcome:
    """What a command left on the screen."""

    status: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        return [line for line in self.err.splitlines() if not line.endswith(" ...")]


Run = Callable[..., Outcome]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str | Path) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["crowdalpha", "demo", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        shown = capsys.readouterr()
        return Outcome(int(stop.value.code or 0), shown.out, shown.err)

    return call


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder with a finished season, which a refusal must not cost anybody."""
    folder = tmp_path / "season"
    folder.mkdir()
    (folder / ".season.json").write_text('{"fingerprint": "before", "finished": true}\n')
    (folder / "report.html").write_text("the season before")
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def rows(*changed: str) -> str:
    return "\n".join(["date,ticker,close", "2020-01-01,A,10", "2020-01-02,A,11", *changed]) + "\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("date,ticker\n2020-01-01,A\n", "price file prices.csv, column close: is missing"),
        (rows("2020-01-02,A,12"), "price file prices.csv, column date, row 3: A on 2020-01-02 stands in row 2 already"),
        (rows("2020-01-03,A,ten"), "price file prices.csv, column close, row 3: 'ten' is not a number"),
        (rows("03/01/2020,A,12"), "price file prices.csv, column date, row 3: '03/01/2020' is not a date"),
        ("", "price file prices.csv: is neither Parquet nor CSV"),
    ],
    ids=["no close", "twice", "text for a price", "no date", "empty"],
)
def test_a_price_file_that_cannot_be_used_is_refused(run: Run, out: Path, tmp_path: Path, text: str, said: str) -> None:
    prices, before = tmp_path / "prices.csv", content(out)
    prices.write_text(text)

    outcome = run("--prices", prices, "--out", out)

    assert outcome.status == 2
    assert len(outcome.errors) == 1
    assert outcome.errors[0].startswith(f"error: {said}")
    assert outcome.out == ""
    assert content(out) == before


def test_a_price_file_that_is_not_there_is_refused(run: Run, out: Path, tmp_path: Path) -> None:
    before = content(out)

    outcome = run("--prices", tmp_path / "none.csv", "--out", out)

    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err == f"error: --prices {tmp_path / 'none.csv'}: there is no such file\n"
    assert content(out) == before


def test_a_universe_without_tickers_is_refused(run: Run, out: Path, tmp_path: Path) -> None:
    prices, universe, before = tmp_path / "prices.csv", tmp_path / "universe.csv", content(out)
    prices.write_text(rows())
    universe.write_text("name,sector\nA,Energy\n")

    outcome = run("--prices", prices, "--universe", universe, "--out", out)

    assert outcome.status == 2
    assert outcome.errors == ["error: universe file universe.csv, column ticker: is missing; needed is ticker"]
    assert content(out) == before


@pytest.mark.parametrize(
    ("n_days", "said"), [(100, "26"), (420, "34 usable weeks; 6 rounds need 60 weeks")], ids=["no market", "no history"]
)
def test_a_history_that_is_too_short_is_refused(run: Run, out: Path, tmp_path: Path, n_days: int, said: str) -> None:
    prices, before = tmp_path / "prices.parquet", content(out)
    random_panel(n_assets=34, n_days=n_days).prices.write_parquet(prices)

    outcome = run("--prices", prices, "--rounds", "6", "--out", out)

    assert outcome.status == 2
    assert len(outcome.errors) == 1
    assert said in outcome.errors[0]
    assert content(out) == before


def test_a_foreign_folder_is_refused(run: Run, tmp_path: Path) -> None:
    prices, foreign = tmp_path / "prices.parquet", tmp_path / "thesis"
    random_panel(n_assets=34, n_days=ENOUGH_DAYS).prices.write_parquet(prices)
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("years of work")

    outcome = run("--prices", prices, "--rounds", "2", "--out", foreign)

    assert outcome.status == 2
    assert outcome.errors == [
        f"error: --out {foreign}: holds files that are no season; name an empty or a new folder",
    ]
    assert content(foreign) == {"thesis.txt": b"years of work"}


@pytest.mark.parametrize("arguments", [("--rounds", "many"), ("--no-such-option",), ("stray",)])
def test_a_command_line_that_cannot_be_read_is_refused(run: Run, out: Path, arguments: tuple[str, ...]) -> None:
    before = content(out)

    outcome = run(*arguments, "--out", out)

    assert outcome.status == 2
    assert "Traceback" not in outcome.err
    assert content(out) == before


@dataclass
class Player:
    """Stands in for the season: keeps what was asked for, and gives a hand-made one."""

    season: Season
    config: SeasonConfig | None = None
    out: Path | None = None
    interrupt: bool = False

    def play(self, config: SeasonConfig, *, out: Path, progress: Progress) -> Season:
        self.config, self.out = config, out
        progress.stage("playing rounds", 1)
        if self.interrupt:
            raise KeyboardInterrupt
        return self.season


@pytest.fixture
def player(monkeypatch: pytest.MonkeyPatch) -> Player:
    record = one_round(small_season())
    player = Player(Season(record, archetype_results(record), summary_of(record), Path("season/report.html")))
    monkeypatch.setattr(command, "play_season", player.play)
    return player


def test_options_reach_the_season(run: Run, player: Player, tmp_path: Path) -> None:
    prices = tmp_path / "prices.parquet"
    pl.DataFrame({"close": [1.0]}).write_parquet(prices)

    arguments = ("--rounds", "6", "--participants", "12", "--stocks", "80", "--seed", "3")
    outcome = run("--prices", prices, "--universe", prices, *arguments, "--out", tmp_path / "x")

    assert outcome.status == 0
    assert player.out == tmp_path / "x"
    assert player.config == SeasonConfig(prices=prices, universe=prices, rounds=6, participants=12, stocks=80, seed=3)


def test_without_options_it_is_the_season_of_the_readme(run: Run, player: Player) -> None:
    assert run().status == 0
    assert player.config == SeasonConfig(rounds=30, participants=40, stocks=None, seed=1)
    assert player.out == Path("season")


def test_results_go_to_the_screen_and_progress_to_stderr(run: Run, player: Player) -> None:
    outcome = run()

    assert player.season.report.name in outcome.out
    assert outcome.err == "playing rounds ...\n"


def test_json_is_the_summary_and_nothing_else_on_stdout(run: Run, player: Player) -> None:
    def refuse(constant: str) -> float:
        raise ValueError(constant)

    outcome = run("--json")

    assert json.loads(outcome.out, parse_constant=refuse) == player.season.summary
    assert outcome.err == "playing rounds ...\n"


def test_ctrl_c_says_that_the_season_can_be_played_on(run: Run, player: Player) -> None:
    player.interrupt = True

    outcome = run()

    assert outcome.status == 130
    assert outcome.errors == ["stopped; the same command plays on from here"]
