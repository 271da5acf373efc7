import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from crowdalpha.cli import main
from tests.fixtures.forecasts import ForecastFiles, forecast_files

Run = Callable[..., int]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> ForecastFiles:
    return forecast_files(tmp_path_factory.mktemp("backtest"))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    def call(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["crowdalpha", "backtest", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "120")
        with pytest.raises(SystemExit) as stop:
            main()
        return int(stop.value.code or 0)

    return call


def test_the_screen_and_the_page_show_the_same_result(
    files: ForecastFiles, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "book.html"

    status = run(
        files.predictions, "--prices", files.prices, "--universe", files.universe, "--no-capacity", "--html", page
    )

    shown = capsys.readouterr()
    assert status == 0
    headline = shown.out.splitlines()[0]
    assert headline.startswith("After costs ")
    assert headline in page.read_text()
    assert {"spread", "market", "specific", "left", "2017"} <= {line.split(" ")[0] for line in shown.out.splitlines()}
    assert "trading ..." in shown.err


def test_json_is_nothing_but_json_and_costs_are_options(
    files: ForecastFiles, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    costs = ("--half-spread", 0, "--commission", 0, "--impact", 0, "--borrow", 0)
    status = run(files.predictions, "--prices", files.prices, "--no-capacity", "--json", *costs)

    document = json.loads(capsys.readouterr().out)
    assert status == 0
    assert document["costs"]["net"] == pytest.approx(document["costs"]["gross"])
    assert len(document["by_day"]["value"]) == 20


def test_the_curve_has_a_row_a_size(files: ForecastFiles, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(files.predictions, "--prices", files.prices) == 0

    out = capsys.readouterr().out
    assert "2,000,000,000" in out
    assert "Half of the return" in out or "no capacity" in out


def test_bad_input_is_one_message_and_status_two(
    files: ForecastFiles, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(files.predictions) == 2
    assert "give its prices with --prices" in " ".join(capsys.readouterr().err.split())
    assert run(tmp_path, "--prices", files.prices) == 2
    assert "no summary.json" in capsys.readouterr().err
    assert run(files.predictions, "--prices", files.prices, "--impact", -1) == 2
    assert "impact is -1" in capsys.readouterr().err
    page = tmp_path / "no" / "page.html"
    assert run(files.predictions, "--prices", files.prices, "--no-capacity", "--html", page) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_season_traded_again_is_the_season(season: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(season, "--stocks", 80, "--no-capacity", "--json") == 0

    again = json.loads(capsys.readouterr().out)
    played = json.loads((season / "summary.json").read_text())["portfolio"]
    for name in ("annual_return", "annual_volatility", "sharpe", "max_drawdown"):
        assert again["performance"][name] == pytest.approx(played[name], rel=1e-9)
    assert max(map(abs, again["exposures"]["market"])) == pytest.approx(played["max_abs_market_exposure"], rel=1e-9)


def test_a_season_on_another_market_is_refused(season: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(season, "--stocks", 90) == 2
    assert "was played on other prices" in " ".join(capsys.readouterr().err.split())
