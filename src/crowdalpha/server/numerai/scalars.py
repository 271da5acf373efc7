"""How times and amounts are written: as clients of the field parse them."""

from datetime import UTC, datetime
from decimal import Decimal

import strawberry
from strawberry.types.scalar import ScalarDefinition

from crowdalpha.rules.money import Amount
from crowdalpha.rules.payout import QUANTUM

__all__ = ["SCALARS", "decimal_of", "fixed_of", "time_text"]


def time_text(value: datetime) -> str:
    """Write a time as `2024-01-01T00:00:00Z`: one fixed form, without fractions, that sorts as text."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def decimal_text(value: Decimal) -> str:
    """Write a decimal without an exponent; clients call string methods on it."""
    return format(value, "f")


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(name="DateTime", serialize=time_text),
    Decimal: strawberry.scalar(name="Decimal", serialize=decimal_text),
}


def decimal_of(amount: Amount) -> Decimal:
    """Give an amount as a decimal."""
    return Decimal(str(amount))


def fixed_of(quanta: int | None) -> Decimal | None:
    """Give an integer of 1e-9 as a decimal."""
    return None if quanta is None else Decimal(quanta) / QUANTUM
