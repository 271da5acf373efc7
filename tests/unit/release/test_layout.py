from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.release import POLICIES, Layout, Policy, ReleaseError, ReleaseKey
from crowdalpha.release.layout import set_sizes
from tests.fixtures.releases import KEY, small_market

MARKET = small_market()
OTHER = ReleaseKey(b"another secret of 32 bytes......")
ROTATED = Policy("own", rotate_groups=7, fill_missing=True)


def layout(policy: Policy = POLICIES["plain"], *, key: ReleaseKey = KEY, version: str = "v1") -> Layout:
    return Layout.of(MARKET, key, policy=policy, version=version)


def test_feature_sets_have_12_24_and_all_features() -> None:
    small, medium, everything = (set(layout().sets[name]) for name in ("small", "medium", "all"))

    assert (len(small), len(medium), len(everything)) == (12, 24, 30)
    assert small < medium < everything == set(layout().names)


def test_sets_grow_with_the_features() -> None:
    assert set_sizes(310) == {"small": 38, "medium": 155}


def test_a_plain_layout_knows_which_feature_is_behind_a_name() -> None:
    hidden = KEY.feature_names(MARKET.feature_names)
    found = layout()

    assert [hidden[MARKET.feature_names[column]] for column in found.columns[found.order]] == list(found.names)
    assert list(found.names) == sorted(found.names)


def test_indices_find_the_columns_of_a_set() -> None:
    found = layout()

    assert tuple(np.array(found.names)[found.indices("small")]) == found.sets["small"]


def test_plain_names_are_the_same_in_every_version() -> None:
    assert layout(version="v1").names == layout(version="v2").names


def test_what_changes_a_column_changes_its_name() -> None:
    policies = [POLICIES["plain"], ROTATED, replace(ROTATED, rotate_groups=0, group_size=3)]
    residual = Policy("own", residualise_on=("realfeature_00",))
    names = [set(layout(policy).names) for policy in [*policies, residual]]

    assert len(set.union(*names)) == sum(len(each) for each in names)


def test_rotations_cover_all_features_once_in_blocks_of_about_the_size() -> None:
    found = layout(ROTATED)

    assert [len(rotation) for rotation in found.rotations] == [8, 8, 7, 7]
    assert sorted(found.columns) == sorted(found.order) == list(range(30))


def test_a_rotation_is_the_same_within_a_version_and_key_and_no_other() -> None:
    first = layout(ROTATED)
    same, version, key = layout(ROTATED), layout(ROTATED, version="v2"), layout(ROTATED, key=OTHER)

    np.testing.assert_array_equal(first.rotations[0], same.rotations[0])
    assert first.names == same.names
    assert not np.allclose(first.rotations[0], version.rotations[0])
    assert not np.allclose(first.rotations[0], key.rotations[0])
    assert not set(first.names) & (set(version.names) | set(key.names))


def test_dropped_and_public_features_are_not_published() -> None:
    found = layout(Policy("own", drop=("first",), residualise_on=("realfeature_1*",)))
    left = {MARKET.feature_names[column] for column in found.columns}

    assert left == {f"realfeature_{index}" for index in range(20, 30)}
    assert [MARKET.feature_names[column] for column in found.signals] == [f"realfeature_{i}" for i in range(10, 20)]


def test_a_policy_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(ReleaseError, match="leaves no feature of 30"):
        layout(Policy("own", drop=("*",)))
