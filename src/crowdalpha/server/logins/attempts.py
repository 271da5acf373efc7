"""How guessing is slowed: attempts are counted by name, by address and by both, and cost time once there are many.

The limit of one name from one address is tight. The limit of a name from everywhere is loose and its wait short, so
that nobody keeps another person out by guessing at his name.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

__all__ = ["FORGET_AFTER", "Limit", "limits_of"]

FORGET_AFTER = timedelta(hours=1)
"""A quiet time after which attempts are forgotten."""

HIGHEST_POWER = 20


@dataclass(frozen=True, slots=True)
class Limit:
    """Attempts that are free, and the longest wait after that; each one more doubles the wait."""

    subject: str
    free: int
    longest: timedelta

    def wait(self, n_attempts: int, last_at: datetime, *, now: datetime) -> int:
        """Return the whole seconds until the next attempt is let in, 0 if it is now."""
        over = n_attempts - self.free
        if over < 0 or now - last_at > FORGET_AFTER:
            return 0
        pause = min(timedelta(seconds=2 ** min(over, HIGHEST_POWER)), self.longest)
        left = (last_at + pause - now).total_seconds()
        return 0 if left <= 0 else int(left) + 1


def limits_of(name: str, address: str) -> tuple[Limit, Limit, Limit]:
    """Return the limits that an attempt meets: of the name from the address, of the name, of the address."""
    hashed = hashlib.sha256(name.strip().casefold().encode()).hexdigest()
    return (
        Limit(f"pair:{hashed}:{address}", free=5, longest=timedelta(minutes=15)),
        Limit(f"name:{hashed}", free=50, longest=timedelta(minutes=1)),
        Limit(f"address:{address}", free=30, longest=timedelta(minutes=15)),
    )
