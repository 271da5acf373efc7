from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.release.audit import AttackNotPossibleError
from crowdalpha.release.audit.paths import Chain, run
from tests.fixtures.leaks import blind_release, make_world, microaggregated, release

WORLD = make_world(n_eras=100)
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("chain", ["linked", "own"])
def test_targets_name_their_assets(chain: Chain) -> None:
    published, truth = release(WORLD, n_eras=60)
    result = run(published, WORLD.public, truth, RNG, chain=chain)

    assert result.success > 0.95
    assert float(str(result.detail["path_correlation"])) > 0.85


def test_longer_chains_name_more() -> None:
    published, truth = release(WORLD, n_eras=60)
    rng = np.random.default_rng(3)
    blurred = replace(
        published, targets=tuple(np.where(rng.random(100) < 0.3, target, 0.5) for target in published.targets)
    )
    detail = run(blurred, WORLD.public, truth, RNG).detail
    after = [float(str(detail[f"after_{n}_eras"])) for n in (13, 26, 52)]

    assert after[0] < after[1] < after[2]


def test_unrelated_targets_name_nobody() -> None:
    published, truth = blind_release(WORLD, n_eras=60)
    result = run(published, WORLD.public, truth, RNG)

    # an assignment of 100 chains has 1 hit with variance 1
    assert result.success <= 0.01 + 3 * 0.01
    assert abs(result.bits - 1.44) < 4 * 1.4 / np.sqrt(100)
    assert abs(float(str(result.detail["path_correlation"]))) < 0.1


def test_own_chains_break_where_rows_do_not_link() -> None:
    blind = replace(WORLD, raw=np.random.default_rng(9).standard_normal(WORLD.raw.shape))
    published, truth = release(blind, n_eras=60)

    assert run(published, WORLD.public, truth, RNG, chain="linked").success > 0.95
    assert run(published, WORLD.public, truth, RNG, chain="own").success < 0.1


def test_group_means_name_less() -> None:
    published, truth = release(microaggregated(WORLD, 5), n_eras=26)

    assert run(published, WORLD.public, truth, RNG).success < 0.8


def test_eras_without_targets_say_nothing() -> None:
    published, truth = release(WORLD, n_eras=30)
    live = replace(published, targets=(*published.targets[:20], *(np.full(100, np.nan) for _ in range(10))))

    assert run(live, WORLD.public, truth, RNG).detail["eras"] == 20


def test_what_it_needs() -> None:
    published, truth = release(WORLD, n_eras=10)

    with pytest.raises(AttackNotPossibleError, match="public prices"):
        run(published, None, truth, RNG)
    with pytest.raises(AttackNotPossibleError, match="10 eras have targets"):
        run(published, WORLD.public, truth, RNG)
    with pytest.raises(AttackNotPossibleError, match="chains need 11 eras"):
        run(published, WORLD.public, truth, RNG, chain="own")
