import numpy as np
import pytest

from crowdalpha.ensemble import account_totals, cap_by_account, effective_number, flatten_weights
from crowdalpha.scoring.checks import RangeError, ShapeError


def test_totals_by_account() -> None:
    assert account_totals(np.array([1.0, 2.0, 4.0]), ["b", "a", "b"]) == {"a": 2.0, "b": 5.0}


def test_the_cut_account_holds_the_largest_share_of_what_remains() -> None:
    # c = 0.4 * (c + 30), so that c is 20.
    capped = cap_by_account(np.array([60.0, 30.0, 20.0, 10.0]), ["a", "a", "b", "c"], largest=0.4)

    np.testing.assert_allclose(capped, [40 / 3, 20 / 3, 20.0, 10.0])


def test_several_accounts_are_cut_to_one_level() -> None:
    # With two cut, c = 0.4 * (2 c + 5), so that c is 10.
    capped = cap_by_account(np.array([50.0, 40.0, 3.0, 2.0]), list("abcd"), largest=0.4)

    np.testing.assert_allclose(capped, [10.0, 10.0, 3.0, 2.0])


def test_nobody_above_the_cap_is_touched() -> None:
    stakes = np.array([3.0, 4.0, 3.0])

    np.testing.assert_array_equal(cap_by_account(stakes, list("abc"), largest=0.4), stakes)


def test_too_few_accounts_for_the_cap_become_equal() -> None:
    np.testing.assert_allclose(cap_by_account(np.array([9.0, 1.0, 0.0]), list("abc"), largest=0.1), [1.0, 1.0, 0.0])


def test_no_stake_stays_no_stake() -> None:
    np.testing.assert_array_equal(cap_by_account(np.zeros(2), list("ab"), largest=0.5), [0.0, 0.0])


@pytest.mark.parametrize("largest", [0.0, 1.5, float("nan")])
def test_a_cap_is_a_share(largest: float) -> None:
    with pytest.raises(RangeError, match="largest is"):
        cap_by_account(np.ones(2), list("ab"), largest=largest)


def test_every_model_has_an_account() -> None:
    with pytest.raises(ShapeError, match="accounts has 1 names for 2 models"):
        cap_by_account(np.ones(2), ["a"], largest=0.5)


def test_a_floor_is_reached_by_cutting_the_largest_weights() -> None:
    weights = np.array([50.0, 30.0, 5.0, 4.0, 3.0, 0.0])
    found = flatten_weights(weights, fewest=4)

    assert effective_number(found) == pytest.approx(4.0)
    np.testing.assert_array_equal(found[2:], weights[2:])
    assert found[0] == found[1] < 30.0


def test_weights_that_reach_the_floor_stay() -> None:
    np.testing.assert_array_equal(flatten_weights(np.array([1.0, 2.0, 0.0]), fewest=1.5), [1.0, 2.0, 0.0])
    np.testing.assert_array_equal(flatten_weights(np.zeros(2), fewest=2), [0.0, 0.0])


def test_too_few_models_weigh_alike() -> None:
    np.testing.assert_allclose(flatten_weights(np.array([5.0, 2.0, 0.0]), fewest=9), [2.0, 2.0, 0.0])


def test_a_floor_below_one_is_refused() -> None:
    with pytest.raises(RangeError, match="at least 1"):
        flatten_weights(np.ones(2), fewest=0.5)
