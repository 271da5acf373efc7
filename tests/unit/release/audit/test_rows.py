from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.release.audit import AttackNotPossibleError, Published, Truth
from crowdalpha.release.audit.rows import bin_codes, link_pairs, partners, run
from tests.fixtures.leaks import World, blind_release, make_world, microaggregated, noisy, release

WORLD = make_world()
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("horizon", [1, 4, 13])
def test_rows_that_do_not_change_are_all_linked(horizon: int) -> None:
    frozen = replace(WORLD, raw=np.repeat(WORLD.raw[:1], len(WORLD.raw), axis=0))
    result = run(*_of(frozen), RNG, horizon=horizon)

    assert (result.success, result.success_at_10, result.expected_rank) == (1.0, 1.0, 1.0)
    assert result.bits == pytest.approx(np.log2(100))


@pytest.mark.parametrize("horizon", [1, 13])
def test_unrelated_rows_are_linked_by_chance_alone(horizon: int) -> None:
    published, truth = blind_release(WORLD)
    result = run(published, None, truth, RNG, horizon=horizon)

    # a random assignment of 100 rows has 1 hit, with variance 1; there are 24 of them
    assert abs(result.success - 0.01) < 3 * 0.01 / np.sqrt(24)
    assert result.bits == pytest.approx(1.44, abs=0.1)


def test_weekly_drift_is_no_hiding_place() -> None:
    assert run(*_of(WORLD), RNG, horizon=1).success > 0.98


def test_learning_how_features_move_beats_the_distance_alone() -> None:
    """Half of the features are noise of their own each week; the transition matrices find out which."""
    mixed = WORLD.raw.copy()
    mixed[:, :, :12] = np.random.default_rng(8).standard_normal((*mixed.shape[:2], 12))
    published, truth = release(replace(WORLD, raw=mixed))
    before, after = published.features[:2]
    distance = np.abs(before[:, None].astype(float) - after[None]).sum(axis=2)
    nearest = float((distance.argmin(axis=1) == partners(truth, 0, 1)[1][np.argsort(partners(truth, 0, 1)[0])]).mean())

    assert run(published, None, truth, RNG).success > nearest + 0.1


def test_success_falls_with_noise() -> None:
    rates = [run(*_of(noisy(WORLD, sd)), RNG).success for sd in (0.0, 0.5, 1.0, 2.0)]

    assert np.all(np.diff(rates) < 3 * 0.01)
    assert rates[-1] < 0.2 < rates[0]


def test_groups_of_k_are_linked_one_in_k_at_most() -> None:
    result = run(*_of(microaggregated(WORLD, 4)), RNG)

    assert result.success < 1 / 4 + 3 * np.sqrt(0.25 * 0.75 / 2400)


def test_a_pattern_of_gaps_links_rows() -> None:
    published, truth = blind_release(WORLD)
    gaps = np.random.default_rng(6).random((100, 24)) < 0.3
    leaky = replace(
        published,
        features=tuple(
            np.where(gaps[assets], np.int8(-1), features)
            for features, assets in zip(published.features, truth.assets, strict=True)
        ),
    )

    assert run(leaky, None, truth, RNG, horizon=13).success > 0.9


def test_codes_of_gaps_and_of_numbers() -> None:
    assert bin_codes(np.array([[0], [4], [-1]], dtype=np.int8)).ravel().tolist() == [0, 4, 5]
    assert bin_codes(np.array([[10.0], [30.0], [np.nan]], dtype=np.float32)).ravel().tolist() == [1, 3, 5]


def test_fewer_later_rows_leave_some_unassigned() -> None:
    rows = np.arange(5, dtype=np.int8)[:, None] * np.ones(3, dtype=np.int8)
    (link,) = link_pairs([(rows, rows[1:4])])

    assert sorted(link.assigned.tolist()) == [-1, -1, 0, 1, 2]


def test_eras_too_far_apart_are_no_pair() -> None:
    published, truth = release(WORLD, n_eras=5)

    with pytest.raises(AttackNotPossibleError, match="no two eras are 13 apart"):
        run(published, None, truth, RNG, horizon=13)


def _of(world: World) -> tuple[Published, None, Truth]:
    published, truth = release(world)
    return published, None, truth
