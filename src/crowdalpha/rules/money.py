"""Money: an integer of base units and the unit that gives it a scale.

Never a float and never two units in one sum. In SQL an amount is its `base` as BIGINT, in JSON it is the
decimal string that `str` gives and `Amount.parse` reads.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Self

from pydantic import ConfigDict

from crowdalpha.rules.errors import AmountOverflowError, MoneyError, UnitMismatchError
from crowdalpha.rules.fixed import format_fixed, parse_fixed

__all__ = ["MAX_BASE", "POINTS", "USD", "Amount", "Unit", "total"]

MAX_BASE = 2**63 - 1
"""Largest number of base units on either side of zero: what BIGINT and every int64 can hold."""

_MAX_SCALE = 18
_CODE = re.compile(r"[a-z][a-z0-9]{0,15}")


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of account: its code and its fixed number of decimals."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True)

    code: str
    scale: int

    def __post_init__(self) -> None:
        if not isinstance(self.code, str) or _CODE.fullmatch(self.code) is None:
            raise MoneyError(f"unit code {self.code!r}: use up to 16 lower-case letters and digits, a letter first")
        if type(self.scale) is not int or not 0 <= self.scale <= _MAX_SCALE:
            raise MoneyError(f"unit scale {self.scale!r}: use a whole number from 0 to {_MAX_SCALE}")

    def __str__(self) -> str:
        return self.code


POINTS = Unit("points", 9)
"""The default unit; worth nothing outside."""

USD = Unit("usd", 6)
"""A dollar-like unit, with the scale of the large dollar tokens."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A signed amount of one unit, in whole base units.

    Examples
    --------
    >>> str(Amount.parse("12.5", POINTS) + Amount.whole(1, POINTS))
    '13.500000000'
    """

    base: int
    unit: Unit

    def __post_init__(self) -> None:
        # type() and not isinstance(): True is an int, and NumPy integers wrap around where Python's grow.
        if type(self.base) is not int:
            raise MoneyError(f"{self.base!r} is a {type(self.base).__name__}; an amount is an int of base units")
        if not isinstance(self.unit, Unit):
            raise MoneyError(f"{self.unit!r} is not a Unit; use POINTS, USD or your own Unit(code, scale)")
        if abs(self.base) > MAX_BASE:
            raise AmountOverflowError(f"{self.base} base units of {self.unit} do not fit 64 bits (at most {MAX_BASE})")

    @classmethod
    def parse(cls, text: str, unit: Unit) -> Self:
        """Read a decimal such as "12.5"; refuses more decimals than the unit has."""
        return cls(parse_fixed(text, decimals=unit.scale), unit)

    @classmethod
    def whole(cls, count: int, unit: Unit) -> Self:
        """Take `count` whole units."""
        if type(count) is not int:
            raise MoneyError(f"{count!r} is a {type(count).__name__}; give an int, or a decimal text to Amount.parse")
        return cls(count * 10**unit.scale, unit)

    @classmethod
    def zero(cls, unit: Unit) -> Self:
        """Nothing, of this unit."""
        return cls(0, unit)

    def __str__(self) -> str:
        return format_fixed(self.base, decimals=self.unit.scale)

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.base + self._base_of(other), self.unit)

    def __sub__(self, other: "Amount") -> "Amount":
        return Amount(self.base - self._base_of(other), self.unit)

    def __neg__(self) -> "Amount":
        return Amount(-self.base, self.unit)

    def __abs__(self) -> "Amount":
        return Amount(abs(self.base), self.unit)

    def __lt__(self, other: "Amount") -> bool:
        return self.base < self._base_of(other)

    def __le__(self, other: "Amount") -> bool:
        return self.base <= self._base_of(other)

    def __gt__(self, other: "Amount") -> bool:
        return self.base > self._base_of(other)

    def __ge__(self, other: "Amount") -> bool:
        return self.base >= self._base_of(other)

    def _base_of(self, other: "Amount") -> int:
        if not isinstance(other, Amount):
            raise MoneyError(f"{other!r} is a {type(other).__name__}; an amount only meets another Amount")
        if other.unit != self.unit:
            raise UnitMismatchError(f"{self.unit} and {other.unit} do not mix; convert one of them on purpose")
        return other.base


def total(amounts: Iterable[Amount], unit: Unit) -> Amount:
    """Sum amounts of one unit; nothing sums to zero of it."""
    start = Amount.zero(unit)
    # One sum over integers and one check at the end: the order of the summands cannot cause an overflow.
    return Amount(sum(start._base_of(amount) for amount in amounts), unit)  # noqa: SLF001 - the same module
