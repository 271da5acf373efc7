from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.release.audit import AttackNotPossibleError
from crowdalpha.release.audit.tickers import run
from tests.fixtures.leaks import blind_release, make_world, microaggregated, noisy, release

WORLD = make_world()
RNG = np.random.default_rng(0)


def test_features_that_are_the_public_signals_name_every_row() -> None:
    same = replace(WORLD, public=replace(WORLD.public, signals=WORLD.raw.astype(np.float32)))
    published, truth = release(same)
    result = run(published, same.public, truth, RNG)

    assert result.success == 1.0
    assert result.bits == pytest.approx(np.log2(100))


def test_a_few_public_features_name_nearly_every_row() -> None:
    published, truth = release(WORLD)

    assert run(published, WORLD.public, truth, RNG).success > 0.9


def test_unrelated_rows_are_named_by_chance_alone() -> None:
    published, truth = blind_release(WORLD)
    result = run(published, WORLD.public, truth, RNG)

    assert abs(result.success - 0.01) < 3 * 0.01 / np.sqrt(24)
    assert result.bits == pytest.approx(1.44, abs=0.1)


def test_what_is_not_public_names_nobody() -> None:
    private = replace(WORLD, raw=WORLD.raw[:, :, WORLD.n_public :])
    published, truth = release(private)

    # a little above chance: features and signals that persist correlate by accident, in the seeds and after them
    assert run(published, WORLD.public, truth, RNG).success < 0.05


def test_groups_of_k_are_named_one_in_k_at_most() -> None:
    published, truth = release(microaggregated(WORLD, 3))

    assert run(published, WORLD.public, truth, RNG).success < 1 / 3 + 3 * np.sqrt(0.22 / 2400)


def test_success_falls_with_noise() -> None:
    rates = []
    for sd in (0.0, 0.5, 1.0, 2.0):
        published, truth = release(noisy(WORLD, sd))
        rates.append(run(published, WORLD.public, truth, RNG).success)

    assert np.all(np.diff(rates) < 3 * 0.01)
    assert rates[-1] < 0.3 < rates[0]


def test_assets_without_signals_are_no_guess() -> None:
    published, truth = release(WORLD)
    half = replace(WORLD.public, signals=WORLD.public.signals.copy())
    half.signals[:, 50:] = np.nan
    result = run(published, half, truth, RNG)

    assert result.chance == pytest.approx(1 / 50)
    assert result.success > 0.8


def test_what_it_needs() -> None:
    published, truth = release(WORLD)
    nobody = replace(WORLD.public, signals=np.full_like(WORLD.public.signals, np.nan))

    with pytest.raises(AttackNotPossibleError, match="public prices"):
        run(published, None, truth, RNG)
    with pytest.raises(AttackNotPossibleError, match="11 eras"):
        run(*release(WORLD, n_eras=4)[:1], WORLD.public, release(WORLD, n_eras=4)[1], RNG)
    with pytest.raises(AttackNotPossibleError, match="no row of the seed eras"):
        run(published, nobody, truth, RNG)
