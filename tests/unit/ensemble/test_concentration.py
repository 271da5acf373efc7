import numpy as np
import pytest

from crowdalpha.ensemble import effective_number, top_share
from crowdalpha.scoring.checks import RangeError, ShapeError


@pytest.mark.parametrize(("stakes", "expected"), [([1, 1, 1, 1], 4.0), ([5, 0, 0], 1.0), ([3, 1], 16 / 10)])
def test_effective_number_by_hand(stakes: list[float], expected: float) -> None:
    assert effective_number(np.array(stakes, dtype=np.float64)) == pytest.approx(expected)


def test_effective_number_survives_stakes_whose_square_is_no_number() -> None:
    assert effective_number(np.array([1e200, 1e200])) == pytest.approx(2.0)


@pytest.mark.parametrize(("k", "expected"), [(0, 0.0), (1, 0.6), (2, 0.9), (9, 1.0)])
def test_top_share_by_hand(k: int, expected: float) -> None:
    assert top_share(np.array([1.0, 6.0, 3.0]), k) == pytest.approx(expected)


def test_concentration_of_nothing_is_undefined() -> None:
    assert np.isnan(effective_number(np.zeros(2)))
    assert np.isnan(top_share(np.zeros(2), 1))


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(RangeError, match="k is -1"):
        top_share(np.ones(2), -1)


def test_stakes_must_be_a_vector() -> None:
    with pytest.raises(ShapeError, match="stakes"):
        effective_number(np.ones((2, 2)))
