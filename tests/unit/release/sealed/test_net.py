from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.release.sealed import SealedError, SquareNet
from tests.fixtures.sealed import SealedRound, random_bins, sealed_round

ROWS = 300


@pytest.fixture(scope="module")
def poly(tmp_path_factory: pytest.TempPathFactory) -> SealedRound:
    return sealed_round(tmp_path_factory.mktemp("poly"), "ckks-poly-1", random_bins(ROWS, 4))


def net(n_hidden: int = 6) -> SquareNet:
    rng = np.random.default_rng(2)
    names = [f"feature_{at}" for at in range(4)]
    return SquareNet(names, rng.normal(size=(n_hidden, 4)), rng.normal(size=n_hidden), rng.normal(size=n_hidden))


def test_a_sealed_net_gives_the_numbers_of_the_plain_one(poly: SealedRound) -> None:
    sealed, plain = poly.numbers(net()), net().predict(poly.bins)
    slope, intercept = np.polyfit(sealed, plain, 1)

    assert np.corrcoef(sealed, plain)[0, 1] > 1 - 1e-9
    assert np.abs(slope * sealed + intercept - plain).max() < 1e-5 * plain.std()


def test_two_levels_are_used_of_three(poly: SealedRound) -> None:
    assert (poly.planned(net()).cost.levels, poly.planned(net()).cost.levels_available) == (2, 3)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"biases": np.zeros(3)}, "biases of shape"),
        ({"output": np.zeros(6)}, "ranks nothing"),
        ({"output": np.full(6, np.nan)}, "not finite"),
    ],
)
def test_a_net_that_cannot_be_run_is_refused(poly: SealedRound, change: dict[str, object], problem: str) -> None:
    with pytest.raises(SealedError, match=problem):
        poly.planned(replace(net(), **change))  # type: ignore[arg-type]  # fields by name


def test_a_net_needs_its_own_parameter_set(poly: SealedRound, tmp_path_factory: pytest.TempPathFactory) -> None:
    trees = sealed_round(tmp_path_factory.mktemp("other"), "bfv-trees-1", poly.bins[:3])

    with pytest.raises(SealedError, match="runs on ckks-poly-1"):
        trees.planned(net())
