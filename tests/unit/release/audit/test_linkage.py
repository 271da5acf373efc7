from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.market import StoredFeatures
from crowdalpha.release import ReleaseError, linkage_rate
from crowdalpha.release.audit.linkage import nearest_is_self
from tests.fixtures.releases import KEY, small_market

MARKET = small_market(n_assets=200, n_features=30)
FEATURES = MARKET.feature_block(0, 60)


def test_rows_that_do_not_change_are_all_linked() -> None:
    frozen = replace(
        MARKET,
        source=StoredFeatures(np.repeat(FEATURES[:1], 60, axis=0)),
        universe=np.repeat(MARKET.universe[:1], 60, axis=0),
    )
    result = linkage_rate(frozen, KEY, [3, 10])

    assert result.success == 1.0
    assert result.pairs == 2


def test_rows_without_memory_are_linked_by_chance_alone() -> None:
    noise = np.random.default_rng(5).standard_normal(FEATURES.shape).astype(np.float32)
    result = linkage_rate(replace(MARKET, source=StoredFeatures(noise)), KEY, range(40))
    n_guesses = 40 * 190

    assert result.chance == pytest.approx(1 / 190, rel=0.05)
    assert abs(result.success - result.chance) < 4 * np.sqrt(result.chance / n_guesses)


def test_drifting_features_are_linked_nearly_always() -> None:
    assert linkage_rate(MARKET, KEY, [20, 30]).success > 0.8


def test_nearest_by_hand() -> None:
    before = np.array([[0, 0], [4, 4], [2, 2]], dtype=np.int8)
    after = np.array([[4, 3], [1, 0], [0, 4]], dtype=np.int8)

    # row 0 is nearest to [1, 0] (distance 1), row 1 to [4, 3] (1), row 2 to [4, 3] and [1, 0] (5 each, [0, 4] is 8)
    assert nearest_is_self(before, after, np.array([1, 0, 1])) == pytest.approx((1 + 1 + 0.5) / 3)


def test_a_missing_bin_counts_as_the_middle() -> None:
    before = np.array([[-1]], dtype=np.int8)
    after = np.array([[2], [0]], dtype=np.int8)

    assert nearest_is_self(before, after, np.array([0])) == 1.0


def test_no_eras_are_refused() -> None:
    with pytest.raises(ReleaseError, match="at least one era"):
        linkage_rate(MARKET, KEY, [])


def test_the_last_era_has_no_successor() -> None:
    with pytest.raises(ReleaseError, match="no era 60"):
        linkage_rate(MARKET, KEY, [59])


def test_eras_without_a_common_asset_are_refused() -> None:
    universe = np.zeros_like(MARKET.universe)
    universe[0, 0] = universe[1, 1] = True

    with pytest.raises(ReleaseError, match="nothing to link"):
        linkage_rate(replace(MARKET, universe=universe), KEY, [0])
