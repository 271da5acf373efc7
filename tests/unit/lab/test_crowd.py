from pathlib import Path

import pytest

from crowdalpha.client import LiveRound, check_predictions
from crowdalpha.lab import Silent
from crowdalpha.lab.crowd import Crowd, fit_crowd
from crowdalpha.lab.participants import (
    Contrarian,
    GradientBoosting,
    NoSkill,
    Participant,
    Predictor,
    RandomLinear,
    Strategy,
    TrainingData,
)
from crowdalpha.lab.participants.sealed import SealedPredictor
from crowdalpha.rules.ids import ModelId

STRATEGIES: dict[str, Strategy] = {
    "trees": GradientBoosting(TrainingData("small"), trees=5),
    "pair_1": RandomLinear(),
    "pair_2": Contrarian(RandomLinear()),
    "noise": NoSkill(),
    "other": NoSkill(),
}
SEEDS = {"trees": 5, "pair_1": 6, "pair_2": 6, "noise": 7, "other": 8}
ROSTER = [Participant(name, name, "kind", strategy, 100, SEEDS[name]) for name, strategy in STRATEGIES.items()]
IDS = {name: ModelId(10 + place) for place, name in enumerate(STRATEGIES)}


class Counter(Silent):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, int]] = []
        self.notes: list[str] = []

    def stage(self, name: str, steps: int) -> None:
        self.stages.append((name, steps))

    def step(self, note: str = "") -> None:
        self.notes.append(note)


@pytest.fixture(scope="module")
def predictors(folder: Path) -> dict[str, Predictor | SealedPredictor]:
    return fit_crowd(ROSTER, folder / "dataset", workers=1, progress=Silent())


def handed_in(
    predictors: dict[str, Predictor | SealedPredictor], rounds: list[LiveRound], *, number: int = 1, workers: int = 1
) -> dict[ModelId, bytes]:
    files: dict[ModelId, bytes] = {}
    Crowd(ROSTER, predictors, IDS).hand_in(rounds[:number], number, files.__setitem__, workers=workers)
    return files


def test_the_number_of_processes_that_fit_changes_nothing(
    folder: Path, predictors: dict[str, Predictor | SealedPredictor], rounds: list[LiveRound]
) -> None:
    by_two = fit_crowd(ROSTER, folder / "dataset", workers=2, progress=Silent())

    assert list(by_two) == list(predictors)
    assert handed_in(by_two, rounds) == handed_in(predictors, rounds)


def test_the_number_of_threads_that_hand_in_changes_nothing(
    predictors: dict[str, Predictor | SealedPredictor], rounds: list[LiveRound]
) -> None:
    assert handed_in(predictors, rounds, workers=3) == handed_in(predictors, rounds)


def test_everybody_hands_in_a_file_that_the_platform_takes(
    predictors: dict[str, Predictor | SealedPredictor], rounds: list[LiveRound]
) -> None:
    files = handed_in(predictors, rounds)

    assert sorted(files) == sorted(IDS.values())
    assert all(len(check_predictions(each, live_ids=rounds[0].ids).values) > 90 for each in files.values())


def test_chance_is_of_the_participant_and_the_round(
    predictors: dict[str, Predictor | SealedPredictor], rounds: list[LiveRound]
) -> None:
    first, second = handed_in(predictors, rounds), handed_in(predictors, rounds[:1] * 2, number=2)

    # The ids are the same in both, so that chance alone can make a difference.
    assert first[IDS["noise"]] != first[IDS["other"]]
    assert first[IDS["noise"]] != second[IDS["noise"]]
    assert first[IDS["trees"]] == second[IDS["trees"]]


def test_the_halves_of_a_pair_are_opposite(
    predictors: dict[str, Predictor | SealedPredictor], rounds: list[LiveRound]
) -> None:
    files = handed_in(predictors, rounds)
    one, other = (check_predictions(files[IDS[name]], live_ids=rounds[0].ids).values for name in ("pair_1", "pair_2"))

    assert (other == 1.0 - one).all()


def test_an_upload_that_is_refused_is_not_passed_over(
    predictors: dict[str, Predictor | SealedPredictor], rounds: list[LiveRound]
) -> None:
    def refuse(model_id: ModelId, content: bytes) -> None:
        raise ConnectionRefusedError(f"model {model_id}, {len(content)} bytes")

    with pytest.raises(ConnectionRefusedError):
        Crowd(ROSTER, predictors, IDS).hand_in(rounds, 2, refuse, workers=2)


def test_progress_tells_one_step_a_participant(folder: Path) -> None:
    told = Counter()

    fit_crowd(ROSTER[3:], folder / "dataset", workers=1, progress=told)

    assert told.stages == [("training the crowd", 2)]
    assert told.notes == ["noise", "other"]
