import pytest

from crowdalpha.errors import CrowdalphaError, InputError, RuleError
from crowdalpha.rules import errors
from crowdalpha.rules.errors import Conflict, IdempotencyConflict, InsufficientBalance, NotFound, RoundClosed
from crowdalpha.rules.ids import RoundNumber

CLASSES = [getattr(errors, name) for name in errors.__all__]


@pytest.mark.parametrize("cls", CLASSES)
def test_each_error_is_an_input_or_a_rule_error(cls: type[CrowdalphaError]) -> None:
    assert issubclass(cls, InputError) != issubclass(cls, RuleError)


def test_each_code_is_used_once() -> None:
    codes = [cls.code for cls in CLASSES]

    assert len(set(codes)) == len(codes)


def test_a_refusal_carries_its_data_and_a_way_out() -> None:
    error = RoundClosed(RoundNumber(7))

    assert error.number == 7
    assert str(error) == "round 7 takes no more submissions; submit to the next open round"


def test_a_missing_balance_names_the_account_and_both_amounts() -> None:
    error = InsufficientBalance("stake:3", balance="1.0", needed="2.0")

    assert isinstance(error, Conflict)
    assert str(error) == "account stake:3 holds 1.0, 2.0 is needed"


def test_what_is_missing_is_named() -> None:
    assert str(NotFound("model", 4)) == "there is no model 4"


def test_a_reused_key_is_named() -> None:
    assert "'dep:1'" in str(IdempotencyConflict("dep:1"))
