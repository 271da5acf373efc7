"""Each planted leak is caught, and nothing else with it; a release without a leak passes."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.release.audit.data import FeatureArray, IntArray, Published, Truth
from crowdalpha.release.audit.static import run
from tests.fixtures.leaks import make_world, microaggregated, release

WORLD = make_world()
PUBLISHED, TRUTH = release(WORLD)


def found(published: Published, truth: Truth = TRUTH) -> list[str]:
    leaks = run(published, None, truth, np.random.default_rng(0)).detail["leaks"]
    assert not isinstance(leaks, int | float | str)
    return list(leaks)


def with_features(change: Callable[[FeatureArray, IntArray], FeatureArray]) -> Published:
    changed = tuple(change(features, assets) for features, assets in zip(PUBLISHED.features, TRUTH.assets, strict=True))
    return replace(PUBLISHED, features=changed)


def one_column(features: FeatureArray, column: FeatureArray) -> FeatureArray:
    changed = features.astype(np.float32)
    changed[:, 3] = column
    return changed


@pytest.mark.parametrize("seed", range(5))
def test_a_release_without_leaks_passes(seed: int) -> None:
    published, truth = release(WORLD, seed=seed)
    result = run(published, None, truth, np.random.default_rng(seed))

    assert (result.success, result.detail["leaks"]) == (0.0, [])


def test_groups_of_equal_rows_are_no_leak() -> None:
    assert found(*release(microaggregated(WORLD, 4))) == []


def test_an_id_that_stays() -> None:
    same = tuple(tuple(f"{asset * 2654435761 % 2**32:08x}" for asset in assets) for assets in TRUTH.assets)

    assert found(replace(PUBLISHED, ids=same)) == ["repeated_id", "id_pattern"]


def test_an_id_that_starts_with_the_asset() -> None:
    hashed = tuple(
        tuple(f"{asset * 2654435761 % 2**32:08x}{tail[:8]}" for asset, tail in zip(assets, ids, strict=True))
        for assets, ids in zip(TRUTH.assets, PUBLISHED.ids, strict=True)
    )

    assert found(replace(PUBLISHED, ids=hashed)) == ["id_pattern"]


def test_ids_in_the_order_of_the_assets() -> None:
    rng = np.random.default_rng(7)
    ordered = tuple(tuple(np.sort([rng.bytes(8).hex() for _ in assets])[assets].tolist()) for assets in TRUTH.assets)

    assert "id_pattern" in found(replace(PUBLISHED, ids=ordered))


def test_a_feature_left_continuous() -> None:
    values = np.random.default_rng(1).standard_normal((40, 100)).astype(np.float32)
    column = iter(values)

    assert found(with_features(lambda features, _: one_column(features, next(column)))) == ["continuous_feature"]


def test_a_feature_in_ticks() -> None:
    ticks = (0.01 * np.random.default_rng(1).integers(100, 900, (40, 100))).astype(np.float32)
    column = iter(ticks)

    leaks = found(with_features(lambda features, _: one_column(features, next(column))))

    assert leaks == ["continuous_feature", "tick_grid"]


def test_a_target_left_continuous_and_in_ticks() -> None:
    rng = np.random.default_rng(2)
    smooth = tuple(rng.standard_normal(100) for _ in PUBLISHED.targets)
    gridded = tuple(rng.integers(-40, 40, 100).astype(np.float64) / 4 for _ in PUBLISHED.targets)

    assert found(replace(PUBLISHED, targets=smooth)) == ["continuous_target"]
    assert found(replace(PUBLISHED, targets=gridded)) == ["continuous_target", "tick_grid"]


def test_gaps_that_belong_to_assets() -> None:
    gaps = np.random.default_rng(6).random((100, 24)) < 0.02
    leaky = with_features(lambda features, assets: np.where(gaps[assets], -1, features).astype(np.int8))

    assert found(leaky) == ["missing_values"]


def test_bins_that_ties_have_filled() -> None:
    def merged(features: FeatureArray, _: IntArray) -> FeatureArray:
        changed = features.astype(np.int8)
        changed[changed[:, 2] == 1, 2] = 0
        return changed

    assert found(with_features(merged)) == ["unequal_bins"]


def test_a_constant_feature() -> None:
    def flat(features: FeatureArray, _: IntArray) -> FeatureArray:
        changed = features.astype(np.int8)
        changed[:, 5] = 2
        return changed

    assert found(with_features(flat)) == ["constant_column"]


def test_a_feature_that_begins_later_is_missing_and_not_constant() -> None:
    def begun(era: int, features: FeatureArray) -> FeatureArray:
        changed = features.astype(np.int8)
        changed[:, 5] = -1 if era < 9 else changed[:, 5]
        return changed

    features = tuple(begun(era, features) for era, features in enumerate(PUBLISHED.features))

    assert found(replace(PUBLISHED, features=features)) == ["missing_values"]


def test_a_count_of_rows_that_follows_the_universe() -> None:
    counts = [100 - era % 7 for era in range(40)]
    cut = Published(
        PUBLISHED.eras,
        tuple(features[:n] for features, n in zip(PUBLISHED.features, counts, strict=True)),
        tuple(target[:n] for target, n in zip(PUBLISHED.targets, counts, strict=True)),
        tuple(ids[:n] for ids, n in zip(PUBLISHED.ids, counts, strict=True)),
    )
    known = replace(TRUTH, assets=tuple(assets[:n] for assets, n in zip(TRUTH.assets, counts, strict=True)))

    assert found(cut, known) == ["row_count"]


def test_rows_in_the_order_of_tickers() -> None:
    assert found(*release(WORLD, shuffle=False)) == ["row_order"]


def test_rows_in_the_order_of_a_feature() -> None:
    orders = [np.argsort(features[:, 0], kind="stable") for features in PUBLISHED.features]
    ordered = Published(
        PUBLISHED.eras,
        tuple(features[order] for features, order in zip(PUBLISHED.features, orders, strict=True)),
        tuple(target[order] for target, order in zip(PUBLISHED.targets, orders, strict=True)),
        tuple(tuple(ids[at] for at in order) for ids, order in zip(PUBLISHED.ids, orders, strict=True)),
    )
    known = replace(TRUTH, assets=tuple(assets[order] for assets, order in zip(TRUTH.assets, orders, strict=True)))

    assert found(ordered, known) == ["row_order"]


def test_a_feature_that_knows_the_target() -> None:
    def peeked(era: int) -> FeatureArray:
        changed = PUBLISHED.features[era].astype(np.int8)
        order = np.argsort(PUBLISHED.targets[era] + np.random.default_rng(era).standard_normal(100) * 0.2)
        changed[order, 7] = np.arange(100) // 20
        return changed

    leaky = replace(PUBLISHED, features=tuple(peeked(era) for era in range(40)))

    assert found(leaky) == ["target_in_features"]


def test_a_release_without_targets_has_nothing_to_recover() -> None:
    live = replace(PUBLISHED, targets=tuple(np.full(100, np.nan) for _ in PUBLISHED.targets))

    assert found(live) == []
