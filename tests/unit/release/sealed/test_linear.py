from pathlib import Path

import numpy as np
import pytest

from crowdalpha.release.sealed import LinearModel, OverflowingModelError, SealedError
from tests.fixtures.sealed import SealedRound, named, random_bins, sealed_round

ROWS = 4100  # two blocks of the ring 4096
LIMIT = 1_032_193 // 2


@pytest.fixture(scope="module")
def linear(tmp_path_factory: pytest.TempPathFactory) -> SealedRound:
    return sealed_round(tmp_path_factory.mktemp("linear"), "bfv-linear-1", random_bins(ROWS, 5))


def test_integer_weights_give_the_plain_integers_bit_for_bit(linear: SealedRound) -> None:
    weights = np.array([3, -7, 0, 1000, -20_000])

    assert (linear.predicted(LinearModel(named(weights))) == (linear.bins - 2) @ weights).all()


def test_the_largest_weights_are_exact_and_one_more_is_refused(tmp_path: Path) -> None:
    extremes = np.array([[4, 0], [0, 4], [4, 4]])  # centred: +-2
    largest = np.array([LIMIT // 4, -(LIMIT // 2 - LIMIT // 4)])
    edge = sealed_round(tmp_path, "bfv-linear-1", extremes)

    assert (edge.predicted(LinearModel(named(largest))) == (extremes - 2) @ largest).all()
    with pytest.raises(OverflowingModelError, match="exact up to 516096"):
        edge.planned(LinearModel(named(np.add(largest, [1, 0]))))


def test_float_weights_are_scaled_and_rank_as_the_float_model(linear: SealedRound) -> None:
    weights = np.random.default_rng(1).normal(size=5)
    predictions = linear.predicted(LinearModel(named(weights)))

    assert np.corrcoef(predictions, (linear.bins - 2) @ weights)[0, 1] > 1 - 1e-9


def test_scaled_weights_cannot_overflow(linear: SealedRound) -> None:
    plan = linear.planned(LinearModel({"feature_0": 0.1, "feature_1": -0.2}))

    assert 0.1 * plan.scale * 2 + 0.2 * plan.scale * 2 == pytest.approx(LIMIT, rel=1e-5)


@pytest.mark.parametrize(
    ("weights", "problem"),
    [
        ({"feature_9": 1.0}, "no feature 'feature_9'; it has 5"),
        ({"feature_0": 0}, "ranks nothing"),
        ({"feature_0": float("nan")}, "not a finite number"),
    ],
)
def test_weights_that_cannot_be_used_are_named(linear: SealedRound, weights: dict[str, float], problem: str) -> None:
    with pytest.raises(SealedError, match=problem):
        linear.planned(LinearModel(weights))
