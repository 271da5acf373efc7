"""What the tournament promises, held against a season that is long enough to tell."""

from pathlib import Path

import numpy as np
import pytest

from crowdalpha.lab import Season, SeasonConfig, Silent, play_season
from crowdalpha.rules.verify import verify_round

HOSTILE = ("no_skill", "example_copy", "noisy_copy", "meta_model_copy", "pair")
SIGNIFICANT_T = 2.6
"""One in a hundred, for a test of five archetypes at once."""


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("claims") / "season"


class Notes(Silent):
    """Keeps what a season tells of its steps."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def step(self, note: str = "") -> None:
        self.told.append(note)


@pytest.fixture(scope="module")
def notes() -> Notes:
    return Notes()


@pytest.fixture(scope="module")
def season(out: Path, notes: Notes) -> Season:
    return play_season(SeasonConfig(rounds=16, participants=20, stocks=120, seed=5), out=out, progress=notes)


def test_the_meta_model_is_steadier_than_the_median_participant(season: Season) -> None:
    summary = season.summary

    assert summary["meta_model"]["corr_sharpe"] > summary["median_participant"]["corr_sharpe"]


def test_copies_and_chance_earn_no_significant_profit(season: Season) -> None:
    earning = [
        result.name for result in season.archetypes if result.name in HOSTILE and result.profit_t > SIGNIFICANT_T
    ]

    assert earning == []


def test_the_pair_cancels_in_every_round(season: Season) -> None:
    """Half to half the scores are opposite; what a season leaves over is compounding of unequal stakes."""
    pair = np.array(season.record.scores.archetypes) == "pair"

    assert np.abs(season.record.scores.mmc[:, pair].sum(axis=1)).max() < 1e-8


def test_rounds_are_a_week_apart_and_five_are_open_at_once(season: Season, notes: Notes) -> None:
    gaps = np.diff(season.record.scores.dates).astype(int)
    most = max(int(note.split()[-2]) for note in notes.told if note.endswith(" open"))

    assert set(gaps) <= {6, 7, 8}
    assert most == 5


def test_the_book_is_in_balance_and_within_its_limits(season: Season) -> None:
    book = season.record.book

    assert book.gross.max() < 2.1
    assert (book.turnover <= 0.55).all()
    assert np.isfinite(book.value).all()


def test_the_evidence_of_every_round_verifies_offline(season: Season, out: Path) -> None:
    bundles = sorted((out / "evidence").glob("*.json"))

    assert len(bundles) == season.summary["rounds_resolved"] == 16
    assert all(verify_round(bundle.read_bytes()).ok for bundle in bundles)


def test_tampered_evidence_does_not_verify(season: Season, out: Path) -> None:
    text = (out / "evidence" / "0001.json").read_text()
    paid = str(next(code for code in ("payout", "burn") if f'"{code}"' in text))

    assert season.summary["rounds_resolved"] == 16
    assert not verify_round(text.replace(f'"{paid}"', '"deposit"', 1).encode()).ok
