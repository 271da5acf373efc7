from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.release.audit import AttackNotPossibleError
from crowdalpha.release.audit.rows import link_pairs, partners
from crowdalpha.release.audit.tracker import run
from tests.fixtures.leaks import blind_release, make_world, microaggregated, noisy, release

WORLD = make_world(n_eras=80)
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("use_public", [True, False])
def test_plain_bins_are_followed_all_the_way(use_public: bool) -> None:  # noqa: FBT001  # a parameter of the test
    published, truth = release(WORLD, n_eras=62)
    result = run(published, WORLD.public, truth, RNG, use_public=use_public)

    assert result.success > 0.97
    assert result.detail["eras"] == 52


def test_frozen_rows_are_followed_without_an_error() -> None:
    frozen = replace(WORLD, raw=np.repeat(WORLD.raw[:1], len(WORLD.raw), axis=0))
    published, truth = release(frozen)
    result = run(published, None, truth, RNG, use_public=False)

    assert (result.success, result.expected_rank) == (1.0, 1.0)


@pytest.mark.parametrize("use_public", [True, False])
def test_unrelated_rows_are_followed_by_chance_alone(use_public: bool) -> None:  # noqa: FBT001  # as above
    published, truth = blind_release(WORLD)
    result = run(published, WORLD.public, truth, RNG, use_public=use_public)

    assert abs(result.success - 0.01) < 3 * 0.01 / np.sqrt(30)
    assert result.bits == pytest.approx(1.44, abs=0.1)


def test_the_tracker_holds_where_the_naive_chain_breaks() -> None:
    """Noise of one deviation: a chain of links is lost, filters with public predictors are not."""
    world = noisy(make_world(n_eras=80, n_assets=150, n_features=60, n_public=24), 1.0)
    published, truth = release(world, n_eras=62)
    at = np.arange(150)
    for link in link_pairs(list(zip(published.features[9:-1], published.features[10:], strict=True))):
        at = link.assigned[at]
    naive = float((truth.assets[-1][at] == truth.assets[9]).mean())

    assert naive < 0.05
    assert run(published, world.public, truth, RNG).success > 0.95


def test_groups_of_k_are_followed_one_in_k_at_most() -> None:
    published, truth = release(microaggregated(WORLD, 4))
    result = run(published, WORLD.public, truth, RNG)

    assert result.success < 1 / 4 + 3 * np.sqrt(0.25 * 0.75 / 3000)


def test_success_falls_with_noise() -> None:
    rates = []
    for sd in (0.0, 1.0, 2.0, 4.0):
        published, truth = release(noisy(WORLD, sd))
        rates.append(run(published, WORLD.public, truth, RNG).success)

    assert np.all(np.diff(rates) < 3 * 0.01)
    assert rates[-1] < 0.2


def test_assets_that_come_and_go_are_left_out_and_found_again() -> None:
    published, truth = release(WORLD)
    rng = np.random.default_rng(5)
    kept = [np.sort(rng.permutation(100)[:70]) for _ in published.eras]
    fewer = replace(
        published,
        features=tuple(features[rows] for features, rows in zip(published.features, kept, strict=True)),
        targets=tuple(target[rows] for target, rows in zip(published.targets, kept, strict=True)),
        ids=tuple(tuple(ids[row] for row in rows) for ids, rows in zip(published.ids, kept, strict=True)),
    )
    known = replace(truth, assets=tuple(assets[rows] for assets, rows in zip(truth.assets, kept, strict=True)))

    assert len(partners(known, 0, 1)[0]) < 70
    assert run(fewer, WORLD.public, known, RNG).success > 0.9


def test_too_few_eras_or_no_prices() -> None:
    published, truth = release(WORLD, n_eras=10)

    with pytest.raises(AttackNotPossibleError, match="11 eras in a row, there are 10"):
        run(published, WORLD.public, truth, RNG)
    with pytest.raises(AttackNotPossibleError, match="public prices"):
        run(*release(WORLD)[:1], None, release(WORLD)[1], RNG)
