import numpy as np
import pytest

from crowdalpha.ensemble import UnknownModelError, join_live, stake_vector
from crowdalpha.scoring.checks import DuplicateError, ShapeError


def test_unknown_ids_are_dropped_and_missing_ones_are_nan() -> None:
    result = join_live(["b", "a", "z"], ["z", "x", "a"], np.array([1.0, 2.0, 3.0]))

    np.testing.assert_array_equal(result, [np.nan, 3.0, 1.0])


def test_of_a_repeated_id_the_first_row_counts() -> None:
    result = join_live(["a"], ["a", "a"], np.array([7.0, 8.0]))

    np.testing.assert_array_equal(result, [7.0])


def test_an_empty_submission_is_all_missing() -> None:
    assert np.isnan(join_live(["a", "b"], [], np.array([]))).all()


def test_an_empty_universe_takes_nothing() -> None:
    assert join_live([], ["a"], np.array([1.0])).shape == (0,)


def test_a_universe_that_repeats_an_id_is_refused() -> None:
    with pytest.raises(DuplicateError, match="live_ids"):
        join_live(["a", "a"], ["a"], np.array([1.0]))


def test_every_id_needs_a_value() -> None:
    with pytest.raises(ShapeError, match="one per submitted id"):
        join_live(["a"], ["a", "b"], np.array([1.0]))


def test_a_model_without_stake_gets_zero() -> None:
    np.testing.assert_array_equal(stake_vector(["m", "n"], {"n": 2.0}), [0.0, 2.0])


def test_a_stake_without_a_model_is_refused() -> None:
    with pytest.raises(UnknownModelError, match="'q'"):
        stake_vector(["m"], {"m": 1.0, "q": 2.0})
