from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import Ridge as RidgeRegression

from crowdalpha.client import Dataset, LiveRound
from crowdalpha.lab.participants import (
    Contrarian,
    ExampleCopy,
    GradientBoosting,
    MetaModelCopy,
    NoisyExampleCopy,
    NoSkill,
    RandomLinear,
    Strategy,
    TrainingData,
)


def example_of(live: LiveRound) -> NDArray[np.float64]:
    by_id = dict(live.example.select("id", "prediction").iter_rows())
    return np.array([by_id[name] for name in live.ids])


def test_the_copy_is_the_example_in_the_order_of_the_ids(
    dataset: Dataset, rounds: list[LiveRound], rng: np.random.Generator
) -> None:
    copied = ExampleCopy().fit(dataset, rng).predict(rounds, rng)

    np.testing.assert_array_equal(copied, example_of(rounds[-1]))


def test_a_shuffled_example_file_is_copied_by_id(folder: Path, dataset: Dataset, rng: np.random.Generator) -> None:
    live = LiveRound(folder / "round_1")
    expected = example_of(live)
    live.example = live.example.sample(fraction=1.0, shuffle=True, seed=1)

    np.testing.assert_array_equal(ExampleCopy().fit(dataset, rng).predict([live], rng), expected)


@pytest.mark.parametrize("share", [0.2, 0.7])
def test_noise_takes_its_share_of_the_variance(dataset: Dataset, rounds: list[LiveRound], share: float) -> None:
    example = example_of(rounds[-1])
    noisy = NoisyExampleCopy(noise_share=share)
    draws = np.array(
        [noisy.predict(rounds, np.random.default_rng(seed)) for seed in range(400)],
    )
    correlations = np.array([np.corrcoef(example, draw)[0, 1] for draw in draws])

    # Standardised example times the root of 1 - share: the root of what is left, within the error of 400 draws.
    assert correlations.mean() == pytest.approx(np.sqrt(1 - share), abs=0.02)
    assert draws.var(axis=0).mean() == pytest.approx(share, rel=0.02)
    assert noisy.fit(dataset, np.random.default_rng(0)) == noisy


@pytest.mark.parametrize(("share", "same"), [(0.0, True), (1.0, False)])
def test_the_ends_are_the_example_and_noise(rounds: list[LiveRound], *, share: float, same: bool) -> None:
    drawn = NoisyExampleCopy(noise_share=share).predict(rounds, np.random.default_rng(1))
    example = example_of(rounds[-1])

    assert bool(abs(np.corrcoef(example, drawn)[0, 1]) > 1 - 1e-12) is same


def test_before_a_meta_model_is_published_the_example_is_copied(
    dataset: Dataset, rounds: list[LiveRound], rng: np.random.Generator
) -> None:
    copied = MetaModelCopy().fit(dataset, rng).predict(rounds[:1], rng)

    np.testing.assert_array_equal(copied, example_of(rounds[0]))


def test_the_meta_model_of_the_last_round_is_learnt_from_its_features(
    dataset: Dataset, rounds: list[LiveRound], rng: np.random.Generator
) -> None:
    copied = MetaModelCopy(penalty=1e-9).fit(dataset, rng).predict(rounds, rng)

    # What was published is a quarter of the third feature; without a penalty that is learnt whole.
    third = rounds[-1].frame[rounds[-1].frame.columns[5]].fill_null(2).to_numpy() / 4
    np.testing.assert_allclose(copied, third, atol=1e-6)


def test_only_the_newest_meta_model_is_learnt(
    folder: Path, dataset: Dataset, rounds: list[LiveRound], rng: np.random.Generator
) -> None:
    live = LiveRound(folder / "round_2")
    assert live.meta_model is not None
    live.meta_model = live.meta_model.vstack(
        live.meta_model.with_columns(live.meta_model["id"] + "old", 1.0 - live.meta_model["meta_model"])
    )
    copy = MetaModelCopy().fit(dataset, rng)

    # An older round is on disk too; its ids are not those of the newest meta model.
    np.testing.assert_array_equal(copy.predict([live, rounds[0], live], rng), copy.predict(rounds, rng))


def test_the_copy_is_a_ridge_regression_with_its_penalty(
    dataset: Dataset, rounds: list[LiveRound], rng: np.random.Generator
) -> None:
    copied = MetaModelCopy(penalty=5.0).fit(dataset, rng).predict(rounds, rng)
    past, published = rounds[0], rounds[1].meta_model
    assert published is not None
    values = dict(published.select("id", "meta_model").iter_rows())

    model = RidgeRegression(alpha=5.0).fit(dataset.matrix(past.frame, "all"), [values[name] for name in past.ids])

    np.testing.assert_allclose(copied, model.predict(dataset.matrix(rounds[1].frame, "all")), atol=1e-5)


@pytest.mark.parametrize(
    "other",
    [RandomLinear(), NoSkill(), NoisyExampleCopy(), GradientBoosting(TrainingData("small"), trees=5)],
    ids=lambda other: type(other).__name__,
)
def test_the_contrarian_is_one_minus_the_other_to_the_last_bit(
    dataset: Dataset, rounds: list[LiveRound], other: Strategy
) -> None:
    def played(strategy: Strategy) -> NDArray[np.float64]:
        fitted = strategy.fit(dataset, np.random.default_rng([0, 11]))
        return fitted.predict(rounds, np.random.default_rng([1, 11, 2]))

    np.testing.assert_array_equal(played(Contrarian(other)), 1.0 - played(other))
