from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.release.audit import AttackNotPossibleError
from crowdalpha.release.audit.names import run
from tests.fixtures.leaks import blind_release, make_world, release

WORLD = make_world(n_eras=120)
RNG = np.random.default_rng(0)


def test_hidden_names_hide_no_public_feature() -> None:
    published, truth = release(WORLD, n_eras=100)
    order = np.random.default_rng(3).permutation(24)
    hidden = replace(published, features=tuple(features[:, order] for features in published.features))
    result = run(hidden, WORLD.public, replace(truth, signals=truth.signals[order]), RNG)

    assert result.success == 1.0
    assert result.detail == {"public_features": 10, "named": 10}


def test_unrelated_features_are_named_by_chance_alone() -> None:
    named = []
    for seed in range(12):
        published, truth = blind_release(WORLD, n_eras=60, seed=seed)
        named.append(run(published, WORLD.public, truth, RNG).success)

    # ten guesses among 24 features in each of twelve releases
    assert abs(np.mean(named) - 1 / 24) < 4 * np.sqrt(1 / 24 / 120)


def test_a_rotation_of_all_features_defeats_the_names() -> None:
    rotation = np.linalg.qr(np.random.default_rng(7).standard_normal((24, 24)))[0]
    published, truth = release(replace(WORLD, raw=WORLD.raw @ rotation), n_eras=100)

    assert run(published, WORLD.public, truth, RNG).success < 0.5


def test_a_release_without_public_features_names_none() -> None:
    published, truth = release(WORLD)
    result = run(published, WORLD.public, replace(truth, signals=np.full(24, -1)), RNG)

    assert (result.success, result.detail["public_features"]) == (0.0, 0)


def test_what_it_needs() -> None:
    published, truth = release(WORLD, n_eras=12)

    with pytest.raises(AttackNotPossibleError, match="public prices"):
        run(published, None, truth, RNG)
    with pytest.raises(AttackNotPossibleError, match="13 eras in a row"):
        run(published, WORLD.public, truth, RNG)
