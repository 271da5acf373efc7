import numpy as np
import pytest

from crowdalpha.rules.errors import AmountOverflowError, LossyAmountError, MoneyError, UnitMismatchError
from crowdalpha.rules.money import MAX_BASE, POINTS, USD, Amount, Unit, total


def points(text: str) -> Amount:
    return Amount.parse(text, POINTS)


def test_an_amount_is_written_with_all_its_decimals() -> None:
    assert str(points("12.5")) == "12.500000000"
    assert str(Amount.parse("-0.25", USD)) == "-0.250000"


def test_the_unit_fixes_the_scale() -> None:
    assert (POINTS.scale, USD.scale) == (9, 6)
    assert Amount.whole(3, USD).base == 3_000_000
    assert Amount.zero(POINTS).base == 0


def test_sums_and_differences_are_exact() -> None:
    assert points("0.1") + points("0.2") == points("0.3")
    assert points("1") - points("2.5") == -points("1.5")
    assert abs(points("-4")) == points("4")


def test_amounts_of_one_unit_are_ordered() -> None:
    assert points("1") < points("2") <= points("2")
    assert points("2") > points("1") >= points("1")


@pytest.mark.parametrize("base", [1.0, True, "1", None, np.int64(1)])
def test_only_an_int_is_an_amount(base: object) -> None:
    with pytest.raises(MoneyError, match="int of base units"):
        Amount(base, POINTS)  # type: ignore[arg-type] # what an untyped caller would hand in


@pytest.mark.parametrize("count", [1.0, True])
def test_only_an_int_counts_whole_units(count: object) -> None:
    with pytest.raises(MoneyError, match="give an int"):
        Amount.whole(count, POINTS)  # type: ignore[arg-type] # what an untyped caller would hand in


@pytest.mark.parametrize("other", [1, 1.5, "1"])
def test_an_amount_meets_no_bare_number(other: object) -> None:
    with pytest.raises(MoneyError, match="another Amount"):
        points("1") + other  # type: ignore[operator] # what an untyped caller would write


def test_a_unit_that_is_only_a_name_is_refused() -> None:
    with pytest.raises(MoneyError, match="not a Unit"):
        Amount(1, "points")  # type: ignore[arg-type] # what an untyped caller would hand in


def test_two_units_do_not_mix() -> None:
    with pytest.raises(UnitMismatchError, match="points and usd"):
        points("1") + Amount.whole(1, USD)
    with pytest.raises(UnitMismatchError):
        _ = points("1") < Amount.whole(1, USD)


def test_equal_numbers_of_two_units_are_not_equal() -> None:
    assert Amount(1, POINTS) != Amount(1, USD)


def test_the_largest_amount_is_that_of_64_bits() -> None:
    largest = Amount(MAX_BASE, POINTS)

    with pytest.raises(AmountOverflowError, match="64 bits"):
        largest + Amount(1, POINTS)
    with pytest.raises(AmountOverflowError):
        -largest - Amount(1, POINTS)


def test_more_decimals_than_the_unit_has_are_refused() -> None:
    with pytest.raises(LossyAmountError, match="7 decimals; at most 6"):
        Amount.parse("0.0000001", USD)


@pytest.mark.parametrize(
    ("code", "scale"), [("Points", 9), ("", 9), ("x" * 17, 9), ("eth", 19), ("eth", -1), ("eth", True)]
)
def test_an_ill_formed_unit_is_refused(code: str, scale: int) -> None:
    with pytest.raises(MoneyError, match="unit"):
        Unit(code, scale)


def test_a_total_may_pass_the_limit_on_its_way() -> None:
    largest, one = Amount(MAX_BASE, POINTS), Amount(1, POINTS)

    assert total([largest, one, -one], POINTS) == largest


def test_nothing_sums_to_zero_of_the_unit() -> None:
    assert total([], USD) == Amount.zero(USD)


def test_a_total_refuses_another_unit() -> None:
    with pytest.raises(UnitMismatchError):
        total([points("1")], USD)
