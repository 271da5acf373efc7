import pytest

from crowdalpha.rules.errors import LossyAmountError, MoneyError
from crowdalpha.rules.fixed import divide_toward_zero, format_fixed, parse_fixed


@pytest.mark.parametrize(
    ("dividend", "divisor", "quotient"),
    [(7, 2, 3), (-7, 2, -3), (7, -2, -3), (-7, -2, 3), (-1, 2, 0), (0, -5, 0), (6, 3, 2)],
)
def test_division_drops_the_fraction_on_both_sides_of_zero(dividend: int, divisor: int, quotient: int) -> None:
    assert divide_toward_zero(dividend, divisor) == quotient


def test_division_by_zero_is_an_error() -> None:
    with pytest.raises(ZeroDivisionError):
        divide_toward_zero(1, 0)


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("1", 1000), ("-0.5", -500), ("0.001", 1), ("007.25", 7250), ("-0", 0)],
)
def test_a_plain_decimal_is_read_exactly(text: str, value: int) -> None:
    assert parse_fixed(text, decimals=3) == value


@pytest.mark.parametrize("text", ["", " 1", "1 ", "+1", "1.", ".5", "1e3", "nan", "1,5", "1_000", "--1", "٣", "1" * 41])
def test_anything_but_a_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(MoneyError, match="not a decimal"):
        parse_fixed(text, decimals=9)


def test_a_float_is_refused_at_run_time() -> None:
    with pytest.raises(MoneyError, match="write digits as text"):
        parse_fixed(1.5, decimals=9)  # type: ignore[arg-type] # what untyped JSON would hand in


@pytest.mark.parametrize("text", ["1.0001", "1.0000"])
def test_more_places_than_the_scale_are_refused_even_as_zeros(text: str) -> None:
    with pytest.raises(LossyAmountError, match="at most 3"):
        parse_fixed(text, decimals=3)


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(12500, 3, "12.500"), (-1, 3, "-0.001"), (0, 2, "0.00"), (-7, 0, "-7"), (5, 0, "5")],
)
def test_every_place_is_written(value: int, decimals: int, text: str) -> None:
    assert format_fixed(value, decimals=decimals) == text
