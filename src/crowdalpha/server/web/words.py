"""How pages write values: times in UTC, scores, money, sizes."""

from datetime import UTC, datetime

from crowdalpha.rules.fixed import QUANTUM
from crowdalpha.rules.money import Amount

__all__ = ["ago", "moment", "money", "score", "size"]

NOTHING = "–"  # noqa: RUF001  # a dash between numbers, not a minus
SHOWN_DECIMALS = 4
UNITS = ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s"))
KILO = 1000


def moment(at: datetime | None) -> str:
    """Write a time to the minute, in UTC."""
    return NOTHING if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def ago(at: datetime | None, now: datetime) -> str:
    """Write how far a time is from now, in its two largest units: `in 2 h 5 min`, `3 d ago`."""
    if at is None:
        return NOTHING
    seconds = int(abs((at - now).total_seconds()))
    text = f"{seconds} s"
    for large, name, small, part in UNITS:
        if seconds >= large:
            rest = seconds % large // small
            text = f"{seconds // large} {name}" + (f" {rest} {part}" if rest else "")
            break
    return f"in {text}" if at > now else f"{text} ago"


def score(value: float | None) -> str:
    """Write a score; a whole number is a recorded one, in 1e-9."""
    if value is None:
        return NOTHING
    return f"{value / QUANTUM if isinstance(value, int) else value:+.4f}"


def money(amount: Amount | None) -> str:
    """Write an amount, cut to four decimals, without its unit."""
    if amount is None:
        return NOTHING
    whole, dot, decimals = str(amount).partition(".")
    return whole + (dot + decimals[:SHOWN_DECIMALS].ljust(1, "0") if dot else "")


def size(n_bytes: float) -> str:
    """Write a number of bytes."""
    for unit in ("B", "kB", "MB", "GB"):
        if n_bytes < KILO:
            return f"{n_bytes:.0f} {unit}" if unit == "B" else f"{n_bytes:.1f} {unit}"
        n_bytes /= KILO
    return f"{n_bytes:.1f} TB"
