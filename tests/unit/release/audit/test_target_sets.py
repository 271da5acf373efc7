from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.release.audit.data import PublicData, Published, Truth
from crowdalpha.release.audit.errors import AttackNotPossibleError
from crowdalpha.release.audit.target_sets import run
from tests.fixtures.leaks import make_world, release, target_bins

WORLD = make_world(n_eras=30, n_assets=80)
PUBLISHED, TRUTH = release(WORLD, n_eras=12)
NAMES = tuple(f"family_{at}" for at in range(12))
TARGETS = {
    name: (0.5 * WORLD.forward + np.random.default_rng(at).standard_t(4, WORLD.forward.shape)).astype(np.float32)
    for at, name in enumerate(NAMES)
}
PUBLIC = replace(WORLD.public, target_returns=TARGETS)


def with_sets(names: tuple[str, ...], *, kept: float = 1.0) -> Published:
    """Publish targets in five bins; rows that are not kept have those of another row."""
    rng = np.random.default_rng(0)
    sets = []
    for era, assets in zip(TRUTH.era_index, TRUTH.assets, strict=True):
        binned = np.stack([target_bins(TARGETS[name][era].astype(np.float64)) for name in names], axis=1)[assets]
        changed = rng.random(len(assets)) >= kept
        binned[changed] = binned[rng.permutation(len(assets))][changed]
        sets.append(binned.astype(np.float32))
    return replace(PUBLISHED, target_names=names, target_sets=tuple(sets))


def success(published: Published, public: PublicData = PUBLIC, truth: Truth = TRUTH) -> float:
    return run(published, public, truth, np.random.default_rng(0)).success


def test_many_targets_name_the_rows_of_a_single_era() -> None:
    """Twelve targets of 1.86 bits each (entropy of 5/20/50/20/5 %) are over three times log2 80."""
    assert success(with_sets(NAMES)) > 0.95


def test_randomised_rows_are_lost_and_the_others_still_named() -> None:
    found = success(with_sets(NAMES, kept=0.65))

    assert 0.35 < found < 0.75


def test_one_target_names_few() -> None:
    assert success(with_sets(NAMES[:1])) < 0.1
    assert success(PUBLISHED) < 0.1  # no names: the target that pays


def test_targets_of_other_assets_name_nobody() -> None:
    n_assets = WORLD.forward.shape[1]
    shuffled = np.random.default_rng(5).permutation(n_assets)
    others = {name: values[:, shuffled] for name, values in TARGETS.items()}
    found = run(with_sets(NAMES), replace(PUBLIC, target_returns=others), TRUTH, np.random.default_rng(0))

    assert found.success < 0.05
    assert found.chance == pytest.approx(1 / n_assets)


def test_what_is_needed_is_said() -> None:
    empty = replace(PUBLISHED, targets=tuple(np.full(len(ids), np.nan) for ids in PUBLISHED.ids))

    with pytest.raises(AttackNotPossibleError, match="public prices were not given"):
        run(PUBLISHED, None, TRUTH, np.random.default_rng(0))
    with pytest.raises(AttackNotPossibleError, match="no era has targets"):
        run(empty, PUBLIC, TRUTH, np.random.default_rng(0))


def test_eras_and_assets_are_taken_with_their_targets() -> None:
    some = with_sets(NAMES).taken(np.array([3, 5]))

    np.testing.assert_array_equal(some.target_sets[1], with_sets(NAMES).target_sets[5])
    assert some.target_names == NAMES
