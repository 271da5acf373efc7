import pytest

from crowdalpha.rules.errors import BelowMinimumStake, InsufficientBalance, MoneyError
from crowdalpha.rules.money import POINTS, Amount
from crowdalpha.rules.rulebook import default_rulebook
from crowdalpha.rules.stake import amount_at_risk, decreased, increased

RULEBOOK = default_rulebook()


def points(text: str) -> Amount:
    return Amount.parse(text, POINTS)


def test_the_stake_of_a_submitted_model_is_at_risk() -> None:
    assert amount_at_risk(points("12"), submitted=True, rulebook=RULEBOOK) == points("12")


def test_nothing_is_at_risk_without_a_submission() -> None:
    assert amount_at_risk(points("12"), submitted=False, rulebook=RULEBOOK) == points("0")


def test_a_stake_that_burned_below_the_minimum_is_not_at_risk() -> None:
    assert amount_at_risk(points("0.999999999"), submitted=True, rulebook=RULEBOOK) == points("0")
    assert amount_at_risk(points("1"), submitted=True, rulebook=RULEBOOK) == points("1")


def test_a_stake_grows_from_nothing_to_the_minimum() -> None:
    assert increased(points("0"), points("1"), rulebook=RULEBOOK) == points("1")


def test_a_first_stake_below_the_minimum_is_refused() -> None:
    with pytest.raises(BelowMinimumStake, match=r"would be 0\.5"):
        increased(points("0"), points("0.5"), rulebook=RULEBOOK)


def test_a_stake_shrinks_to_nothing_or_stays_above_the_minimum() -> None:
    assert decreased(points("3"), points("3"), rulebook=RULEBOOK) == points("0")
    assert decreased(points("3"), points("2"), rulebook=RULEBOOK) == points("1")
    with pytest.raises(BelowMinimumStake):
        decreased(points("3"), points("2.5"), rulebook=RULEBOOK)


def test_no_more_than_the_stake_leaves() -> None:
    with pytest.raises(InsufficientBalance, match=r"holds 3\.0+, 4\.0+ is needed"):
        decreased(points("3"), points("4"), rulebook=RULEBOOK)


@pytest.mark.parametrize("text", ["0", "-1"])
def test_a_change_is_above_zero(text: str) -> None:
    with pytest.raises(MoneyError, match="above zero"):
        increased(points("5"), points(text), rulebook=RULEBOOK)
    with pytest.raises(MoneyError, match="above zero"):
        decreased(points("5"), points(text), rulebook=RULEBOOK)
