import numpy as np

from crowdalpha.client import Dataset, LiveRound
from crowdalpha.lab.participants import NoSkill, RandomLinear


def test_no_skill_is_new_every_time_and_the_same_for_the_same_seed(dataset: Dataset, rounds: list[LiveRound]) -> None:
    fitted = NoSkill().fit(dataset, np.random.default_rng(1))
    first, again, other = (fitted.predict(rounds, np.random.default_rng(seed)) for seed in (1, 1, 2))

    assert first.shape == (len(rounds[-1].ids),)
    np.testing.assert_array_equal(first, again)
    assert not np.isin(first, other).any()


def test_no_skill_knows_nothing_of_the_features(dataset: Dataset, rounds: list[LiveRound]) -> None:
    fitted = NoSkill().fit(dataset, np.random.default_rng(1))
    n_first = len(rounds[0].ids)

    drawn = fitted.predict(rounds[:1], np.random.default_rng(5))

    np.testing.assert_array_equal(drawn, np.random.default_rng(5).random(n_first))


def test_random_weights_are_drawn_once_and_kept_for_all_rounds(dataset: Dataset, rounds: list[LiveRound]) -> None:
    fitted = RandomLinear().fit(dataset, np.random.default_rng(4))
    weights = np.random.default_rng(4).standard_normal(len(dataset.features["all"]))

    for shown in (rounds[:1], rounds):
        X = dataset.matrix(shown[-1].frame, "all").astype(np.float64)
        np.testing.assert_allclose(fitted.predict(shown, np.random.default_rng(0)), X @ weights, rtol=1e-12)


def test_another_seed_draws_other_weights(dataset: Dataset, rounds: list[LiveRound]) -> None:
    one, other = (
        RandomLinear().fit(dataset, np.random.default_rng(seed)).predict(rounds, np.random.default_rng(0))
        for seed in (1, 2)
    )

    assert abs(np.corrcoef(one, other)[0, 1]) < 0.9
