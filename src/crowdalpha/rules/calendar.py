"""When a round opens, closes and resolves, from the market's own trading days.

The data of a round are those of one trading day. Its target starts `lag_days` trading days later and runs
for `horizon_days`; a submission must be in before the next trading day opens, so nobody sees a part of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from crowdalpha.errors import InputError
from crowdalpha.rules.rulebook import Rulebook

__all__ = ["RoundWindow", "round_window"]


@dataclass(frozen=True, slots=True)
class RoundWindow:
    """The three moments of a round, in UTC and in this order."""

    opens_at: datetime
    closes_at: datetime
    resolves_at: datetime

    def __post_init__(self) -> None:
        for name in ("opens_at", "closes_at", "resolves_at"):
            moment: datetime = getattr(self, name)
            if moment.utcoffset() != timedelta(0):
                raise InputError(f"{name} {moment} is not in UTC; pass an aware datetime with tzinfo=UTC")
        if not self.opens_at < self.closes_at < self.resolves_at:
            raise InputError(
                f"opens {self.opens_at}, closes {self.closes_at}, resolves {self.resolves_at}: out of order"
            )

    def takes_submissions(self, now: datetime) -> bool:
        """Whether `now` is from the opening to just before the close."""
        return self.opens_at <= now < self.closes_at


def round_window(
    trading_days: Sequence[date],
    row: int,
    *,
    rulebook: Rulebook,
    opens: time = time(22),
    closes: time = time(12),
) -> RoundWindow:
    """Place a round on the data of trading day number `row`.

    Parameters
    ----------
    trading_days : sequence of date
        Rising, at least `lag_days + horizon_days` of them after `row`.
    row : int
        The day whose data the round publishes.
    rulebook : Rulebook
        Gives `lag_days` and `horizon_days`, both in trading days.
    opens, closes : time
        UTC; opening on the day of the data, close on the next trading day.

    Returns
    -------
    RoundWindow
        It resolves at `opens` on the last day of the target.

    Raises
    ------
    InputError
        If the days do not rise or do not reach far enough.
    """
    last = row + rulebook.lag_days + rulebook.horizon_days
    if not 0 <= row <= last < len(trading_days):
        raise InputError(f"a round on day {row} needs day {last}, and there are {len(trading_days)}; add trading days")
    if any(after <= before for before, after in pairwise(trading_days[row : last + 1])):
        raise InputError(f"the trading days after number {row} do not rise; sort them and drop repeats")
    return RoundWindow(
        opens_at=datetime.combine(trading_days[row], opens, tzinfo=UTC),
        closes_at=datetime.combine(trading_days[row + 1], closes, tzinfo=UTC),
        resolves_at=datetime.combine(trading_days[last], opens, tzinfo=UTC),
    )
