from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.release import POLICIES, ReleaseError, ReleaseKey
from crowdalpha.release.selection import capped_rows, common_rows
from tests.fixtures.releases import KEY

STRICT = POLICIES["strict"]


def universe(*counts: int, width: int = 1000) -> np.ndarray:
    return np.arange(width) < np.array(counts)[:, None]


def test_plain_publishes_everybody() -> None:
    assert common_rows(universe(400, 500), POLICIES["plain"]) is None


def test_rows_are_most_of_the_smallest_era_in_whole_groups() -> None:
    # 95 % of 401 is 380.95
    assert common_rows(universe(500, 401, 450), POLICIES["hardened"]) == 380
    assert common_rows(universe(500, 401, 450), STRICT) == 378


def test_an_era_with_half_of_the_market_missing_does_not_count() -> None:
    assert common_rows(universe(400, 400, 400, 199), POLICIES["hardened"]) == 380


def test_a_universe_of_twenty_is_too_small() -> None:
    with pytest.raises(ReleaseError, match="the smallest has 20 assets; at least 20 rows"):
        common_rows(universe(20, 21), POLICIES["hardened"])


def chosen(everybody: np.ndarray, *, cap: int, key: ReleaseKey = KEY) -> dict[int, np.ndarray]:
    eras = range(len(everybody))
    return capped_rows(everybody, splits=[eras], rows=600, policy=replace(STRICT, eras_per_asset=cap), key=key)


def test_no_asset_is_in_more_eras_than_allowed_and_all_eras_have_the_same_rows() -> None:
    found = chosen(universe(*range(900, 1000, 2)), cap=13)
    counts = np.bincount(np.concatenate(list(found.values())))
    sizes = {len(rows) for rows in found.values()}

    assert counts.max() <= 13
    assert len(sizes) == 1
    # 50 eras of about 1000 assets with 13 seats each are 250 rows an era or a few less
    assert 200 <= sizes.pop() <= 260


def test_who_is_chosen_is_a_member_and_depends_on_the_key() -> None:
    everybody = universe(*[800] * 40)
    found, other = chosen(everybody, cap=13), chosen(everybody, cap=13, key=ReleaseKey(b"x" * 16))

    assert all(everybody[era, rows].all() for era, rows in found.items())
    assert found[3].tolist() != other[3].tolist()


def test_a_small_universe_is_not_capped() -> None:
    assert chosen(universe(*[300] * 50), cap=13) == {}


def test_without_a_cap_nothing_is_chosen() -> None:
    everybody = universe(900, 900)

    policy = replace(STRICT, eras_per_asset=None)

    assert capped_rows(everybody, splits=[[0, 1]], rows=600, policy=policy, key=KEY) == {}


def test_training_and_validation_share_the_cap_by_their_lengths() -> None:
    """Of 26 eras, 26 * 40 / 60 = 17 are training and 9 validation."""
    everybody, training, validation = universe(*[1000] * 60), range(40), range(40, 60)
    found = capped_rows(everybody, splits=[training, validation], rows=900, policy=STRICT, key=KEY)
    counts = [np.bincount(np.concatenate([found[era] for era in eras])) for eras in (training, validation)]

    assert set(found) == set(range(60))
    assert [count.max() for count in counts] == [17, 9]
    assert [len({len(found[era]) for era in eras}) for eras in (training, validation)] == [1, 1]


def test_a_validation_too_long_for_the_cap_leaves_training_without_one_too() -> None:
    """600 seats of two eras each are 120 rows in each of ten eras: half a cap would be none."""
    everybody = np.vstack([universe(*[2000] * 10, width=2000), universe(*[600] * 10, width=2000)])
    policy = replace(STRICT, eras_per_asset=4)

    assert set(capped_rows(everybody, splits=[range(10)], rows=900, policy=policy, key=KEY)) == set(range(10))
    assert capped_rows(everybody, splits=[range(10), range(10, 20)], rows=900, policy=policy, key=KEY) == {}
