from pathlib import Path

import numpy as np
import pytest

from crowdalpha.lab import SeasonConfig, Silent, source
from crowdalpha.lab.source import load_market
from crowdalpha.market import PriceFileError
from tests.fixtures.panels import random_panel

N_DAYS = 420


class Steps(Silent):
    """Counts the steps of each stage."""

    def __init__(self) -> None:
        self.announced: dict[str, int] = {}
        self.told: list[str] = []
        self.notes: list[str] = []

    def stage(self, name: str, steps: int) -> None:
        self.announced[name] = steps
        self.name = name

    def step(self, note: str = "") -> None:
        self.told.append(self.name)
        self.notes.append(note)


@pytest.fixture(scope="module")
def prices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "prices.parquet"
    random_panel(n_assets=70, n_days=N_DAYS).prices.write_parquet(path)
    return path


@pytest.fixture
def three_years(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw short synthetic markets, to be quick."""
    monkeypatch.setattr(source, "SYNTHETIC_YEARS", 3)


@pytest.mark.usefixtures("three_years")
def test_a_market_is_drawn_from_the_seed() -> None:
    first, again, other = (
        load_market(SeasonConfig(stocks=60, rounds=1, seed=seed), Silent()).panel.close for seed in (1, 1, 2)
    )

    np.testing.assert_array_equal(first, again)
    assert first.shape[0] == 3 * 252
    assert first.shape != other.shape or not np.array_equal(first, other, equal_nan=True)


@pytest.mark.usefixtures("three_years")
def test_a_longer_season_gets_a_longer_market() -> None:
    market = load_market(SeasonConfig(stocks=60, rounds=32), Silent())

    # Two rounds above thirty, a week of five days each.
    assert len(market.panel.dates) == 3 * 252 + 10


@pytest.mark.parametrize(("stocks", "most"), [(None, 70), (60, 60)])
def test_stocks_keeps_the_most_liquid_of_a_file(prices: Path, stocks: int | None, most: int) -> None:
    market = load_market(SeasonConfig(prices=prices, stocks=stocks), Silent())

    assert len(market.panel.tickers) == 70
    assert market.universe.sum(axis=1).max() == most


def test_the_universe_file_gives_the_sectors(prices: Path, tmp_path: Path) -> None:
    universe = tmp_path / "universe.csv"
    random_panel(n_assets=70, n_days=N_DAYS).universe.write_csv(universe)

    market = load_market(SeasonConfig(prices=prices, universe=universe), Silent())

    assert set(market.panel.sector) == {"Energy", "Financials", "Health Care", "Utilities"}


def test_every_step_that_is_announced_is_told(prices: Path) -> None:
    steps = Steps()

    load_market(SeasonConfig(prices=prices), steps)

    assert steps.announced == {"reading prices": 1, "features and targets": 20}
    assert {name: steps.told.count(name) for name in steps.announced} == steps.announced
    assert steps.notes[0] == f"70 names, {N_DAYS} days"


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("date,ticker\n2020-01-01,A\n")

    with pytest.raises(PriceFileError, match=r"bad\.csv.*close"):
        load_market(SeasonConfig(prices=bad), Silent())
