"""Fixed-point numbers: decimals read into integers, and one division.

Whatever pays is computed in integers of 1e-9 (`QUANTUM` of them make 1), so that anyone reproduces it to
the last digit in any language. Every division rounds toward zero: a payout is never more, and a burn never
more, than the exact number.
"""

import re

from crowdalpha.rules.errors import LossyAmountError, MoneyError

__all__ = ["DECIMALS", "QUANTUM", "divide_toward_zero", "format_fixed", "parse_fixed"]

DECIMALS = 9
QUANTUM = 1_000_000_000

_MAX_LENGTH = 40
_DECIMAL = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")


def divide_toward_zero(dividend: int, divisor: int) -> int:
    """Divide integers and drop the fraction, on both sides of zero.

    Examples
    --------
    >>> divide_toward_zero(-7, 2), -7 // 2
    (-3, -4)
    """
    quotient = abs(dividend) // abs(divisor)
    return quotient if (dividend < 0) == (divisor < 0) else -quotient


def parse_fixed(text: str, *, decimals: int) -> int:
    """Read a plain decimal as an integer of 10**-decimals.

    Parameters
    ----------
    text : str
        Digits with an optional minus sign and an optional point; no exponent, no plus sign, no spaces.
    decimals : int
        Decimal places of the result.

    Returns
    -------
    int
        The number, exactly.

    Raises
    ------
    MoneyError
        If the text is no plain decimal.
    LossyAmountError
        If it has more than `decimals` places, even where those are zeros.

    Notes
    -----
    NaN policy: refuse.

    Examples
    --------
    >>> parse_fixed("-0.05", decimals=9)
    -50000000
    """
    # The type is checked at run time as well: a float from a JSON file would lose digits without a word.
    match = _DECIMAL.fullmatch(text) if isinstance(text, str) and len(text) <= _MAX_LENGTH else None
    if match is None:
        raise MoneyError(f"{text!r:.60} is not a decimal; write digits as text, such as '12.5'")
    sign, whole, fraction = match[1], match[2], match[3] or ""
    if len(fraction) > decimals:
        raise LossyAmountError(f"{text!r} has {len(fraction)} decimals; at most {decimals} can be held")
    magnitude = int(whole + fraction.ljust(decimals, "0"))
    return -magnitude if sign else magnitude


def format_fixed(value: int, *, decimals: int) -> str:
    """Write an integer of 10**-decimals as a decimal with all its places; `parse_fixed` reads it back.

    Examples
    --------
    >>> format_fixed(12_500_000_000, decimals=9)
    '12.500000000'
    """
    digits = str(abs(value)).rjust(decimals + 1, "0")
    sign = "-" if value < 0 else ""
    return f"{sign}{digits}" if decimals == 0 else f"{sign}{digits[:-decimals]}.{digits[-decimals:]}"
