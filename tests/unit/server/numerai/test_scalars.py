from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from crowdalpha.rules.money import POINTS, Amount
from crowdalpha.server.numerai.scalars import decimal_of, decimal_text, fixed_of, time_text


def test_a_time_is_in_utc_and_has_no_fractions() -> None:
    eastern = timezone(timedelta(hours=-5))

    assert time_text(datetime(2024, 1, 31, 20, 0, 0, 999_999, tzinfo=eastern)) == "2024-02-01T01:00:00Z"
    assert time_text(datetime(2024, 1, 31, tzinfo=UTC)) == "2024-01-31T00:00:00Z"


def test_a_decimal_has_no_exponent() -> None:
    assert decimal_text(Decimal("1E+3")) == "1000"
    assert decimal_text(decimal_of(Amount.zero(POINTS))) == "0.000000000"


def test_a_recorded_integer_is_of_billionths() -> None:
    assert fixed_of(500_000_000) == Decimal("0.5")
    assert fixed_of(None) is None
