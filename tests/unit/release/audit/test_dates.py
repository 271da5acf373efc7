from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kstest

from crowdalpha.release.audit import AttackNotPossibleError
from crowdalpha.release.audit.dates import run, run_shuffled
from tests.fixtures.leaks import blind_release, make_world, noisy, release

WORLD = make_world(n_eras=120)
RNG = np.random.default_rng(0)


def test_plain_bins_tell_their_weeks() -> None:
    published, truth = release(WORLD, first=33, n_eras=40)
    result = run(published, WORLD.public, truth, RNG)

    assert (result.success, result.expected_rank, result.chance) == (1.0, 1.0, 1 / 81)
    assert float(str(result.detail["z"])) > 5


def test_unrelated_rows_have_any_week() -> None:
    """The rank of the true offset is uniform over releases."""
    ranks = []
    for seed in range(24):
        world = make_world(n_eras=70, n_assets=40, n_features=8, n_public=5, seed=seed)
        published, truth = blind_release(world, n_eras=20, seed=100 + seed)
        ranks.append((run(published, world.public, truth, RNG).expected_rank - 0.5) / 51)

    assert kstest(ranks, "uniform").pvalue > 1e-3


def test_strong_noise_hides_the_weeks() -> None:
    z_scores = []
    for sd in (0.0, 1.0, 4.0):
        published, truth = release(noisy(WORLD, sd), n_eras=60)
        z_scores.append(float(str(run(published, WORLD.public, truth, RNG).detail["z"])))

    assert z_scores[0] > z_scores[1] > z_scores[2]
    assert z_scores[2] < 3


def test_eras_without_labels_are_put_in_order() -> None:
    published, truth = release(WORLD)
    result = run_shuffled(published, None, truth, RNG)

    assert result.success > 0.9
    # 38 of 40 eras have two neighbours among 39 others, two have one
    assert result.chance == pytest.approx((38 * 2 + 2) / 40 / 39)


def test_unrelated_eras_have_no_order() -> None:
    published, truth = blind_release(WORLD, n_eras=80)
    result = run_shuffled(published, None, truth, RNG)

    assert abs(result.success - result.chance) < 4 * np.sqrt(result.chance / 80)


def test_the_longest_run_is_dated() -> None:
    published, truth = release(WORLD, first=10, n_eras=40)
    gap = np.array([*range(5), *range(8, 40)])
    result = run(published.taken(gap), WORLD.public, truth.taken(gap), RNG)

    assert result.detail["eras"] == 32
    assert result.success == 1.0


def test_what_it_needs() -> None:
    published, truth = release(WORLD, n_eras=12)
    short = replace(WORLD.public, signals=WORLD.public.signals[:48])

    with pytest.raises(AttackNotPossibleError, match="public prices were not"):
        run(published, None, truth, RNG)
    with pytest.raises(AttackNotPossibleError, match="there are 12 eras and 120 weeks"):
        run(published, WORLD.public, truth, RNG)
    with pytest.raises(AttackNotPossibleError, match="40 eras and 48 weeks"):
        run(*release(WORLD)[:1], short, release(WORLD)[1], RNG)
    with pytest.raises(AttackNotPossibleError, match="ordering needs 13"):
        run_shuffled(published, None, truth, RNG)
