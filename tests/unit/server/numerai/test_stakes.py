import pytest

from crowdalpha.errors import InputError
from crowdalpha.rules.money import POINTS, Amount
from crowdalpha.server.numerai.stakes import read_amount


@pytest.mark.parametrize(
    ("text", "base"), [("12.5", 12_500_000_000), ("1e-05", 10_000), ("1E+2", 100 * 10**9), ("0.1", 100_000_000)]
)
def test_amounts_are_read_as_python_writes_numbers(text: str, base: int) -> None:
    assert read_amount(text, POINTS) == Amount(base, POINTS)


@pytest.mark.parametrize("text", ["", "ten", "nan", "inf", "-1", "0", "1e-10", "1e99", "1e-99"])
def test_an_amount_that_is_none_or_too_fine_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        read_amount(text, POINTS)
