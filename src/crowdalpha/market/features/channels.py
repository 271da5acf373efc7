"""Daily series that features of several groups are made of; every row is known at its own close."""

from dataclasses import dataclass

import numpy as np

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.features.view import Channel
from crowdalpha.market.history import History, row_means

__all__ = [
    "Lagged",
    "Minus",
    "On",
    "change",
    "close",
    "country",
    "falls",
    "illiquidity",
    "intraday",
    "log_range",
    "log_value",
    "low",
    "market",
    "market_overnight",
    "overnight",
    "place",
    "rises",
    "sector",
    "size",
    "up",
    "value",
    "week",
]

WEEK_DAYS = 5


def close(history: History) -> FloatArray:
    """Total-return price."""
    return history.close


def low(history: History) -> FloatArray:
    """Lowest total-return price of the day."""
    return history.low


def change(history: History) -> FloatArray:
    """Log return."""
    return history.change


def overnight(history: History) -> FloatArray:
    """Log return up to the open."""
    return history.overnight


def intraday(history: History) -> FloatArray:
    """Log return from open to close."""
    return history.intraday


def value(history: History) -> FloatArray:
    """Traded value in millions."""
    return history.value


def log_value(history: History) -> FloatArray:
    """Log traded value."""
    return history.log_value


def illiquidity(history: History) -> FloatArray:
    """Move per million traded."""
    return history.illiquidity


def market(history: History) -> FloatArray:
    """Mean log return of all assets."""
    return history.market


def market_overnight(history: History) -> FloatArray:
    """Mean log return up to the open of all assets."""
    return row_means(history.overnight)


def sector(history: History) -> FloatArray:
    """Mean log return of the asset's sector."""
    return history.sector


def country(history: History) -> FloatArray:
    """Mean log return of the asset's country."""
    return history.country


def size(history: History) -> FloatArray:
    """Absolute log return."""
    return np.abs(history.change)


def rises(history: History) -> FloatArray:
    """Log return where positive, else 0."""
    return np.maximum(history.change, 0.0)


def falls(history: History) -> FloatArray:
    """Log return where negative, else 0."""
    return np.minimum(history.change, 0.0)


def up(history: History) -> FloatArray:
    """1 on days that rose, 0 on others."""
    return np.where(np.isnan(history.change), np.nan, history.change > 0)


def log_range(history: History) -> FloatArray:
    """Log of high over low."""
    return np.log(history.high / history.low)


def place(history: History) -> FloatArray:
    """Where the close lies between low (0) and high (1); days without a range say nothing."""
    width = history.high - history.low
    return np.where(width > 0, (history.close - history.low) / np.where(width > 0, width, 1.0), np.nan)


def week(history: History) -> FloatArray:
    """Log return of the day and the four before it."""
    total = history.change.copy()
    for back in range(1, WEEK_DAYS):
        total += _shifted(history.change, back)
    return total


@dataclass(frozen=True)
class Lagged:
    """The series of so many days before; equal ones share their sums."""

    channel: Channel
    days: int = 1

    def __call__(self, history: History) -> FloatArray:
        """Shift the days."""
        return _shifted(self.channel(history), self.days)


@dataclass(frozen=True)
class Minus:
    """The series with its sign turned, whose highest value is the lowest one."""

    channel: Channel

    def __call__(self, history: History) -> FloatArray:
        """Turn the sign."""
        return -self.channel(history)


@dataclass(frozen=True)
class On:
    """The series on the days that another one marks, 0 on others."""

    channel: Channel
    marks: Channel

    def __call__(self, history: History) -> FloatArray:
        """Multiply by the marks, which are 0 or 1."""
        return self.channel(history) * self.marks(history)


def _shifted(values: FloatArray, days: int) -> FloatArray:
    out = np.full(values.shape, np.nan)
    out[days:] = values[:-days]
    return out
