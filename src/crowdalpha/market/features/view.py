"""What the eras of one block may see of the daily history: sums over nested windows, each taken once.

A statistic over a window of w days is made of sums over those days, which many features share. A sum over a long
window is that over a shorter one, the newest days, plus the days between, always cut at the same places. So it holds
nothing of the days before the window, not even in its rounding, and it does not matter which other eras are in the
block or which other sums were asked for.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

import numpy as np

from crowdalpha.market.arrays import BoolArray, FloatArray, IntArray
from crowdalpha.market.features.years import EarlierYears
from crowdalpha.market.fundamentals import FilingState
from crowdalpha.market.history import History
from crowdalpha.market.windows import ENOUGH, ratio

__all__ = ["LONGEST_SPAN", "Channel", "Moments", "View"]

Channel = Callable[[History], FloatArray]
"""Daily values made of a history, an array of shape (n_days, n_assets) or (n_days, 1)."""

CHAIN = (20, 60, 120, 252)
"""Numbers of days whose sums are built on each other; that of any other span is built on the longest shorter one."""
LONGEST_SPAN = CHAIN[-1]
FLAT = 1e-13
"""A variance below this share of the mean square is rounding."""


@dataclass(frozen=True)
class Moments:
    """Second moments of two series over the days that have both.

    Parameters
    ----------
    covariance, left, right : ndarray of shape (n_eras, n_assets), dtype=float64
        Covariance, and the two variances.
    """

    covariance: FloatArray
    left: FloatArray
    right: FloatArray

    @property
    def correlation(self) -> FloatArray:
        """Pearson correlation; NaN where either is constant."""
        return ratio(self.covariance, np.sqrt(self.left * self.right))

    @property
    def slope(self) -> FloatArray:
        """Slope of a regression of the left on the right series, with an intercept."""
        return ratio(self.covariance, self.right)

    @property
    def residual_deviation(self) -> FloatArray:
        """Standard deviation of what the right series leaves of the left one."""
        return np.sqrt(np.maximum(self.left - ratio(self.covariance**2, self.right), 0.0))


@dataclass(frozen=True, eq=False)
class View:
    """The history up to the day of each era of a block.

    Parameters
    ----------
    history : History
        Days of the block, with at least `LONGEST_SPAN` days up to the first era's.
    ends : ndarray of shape (n_eras,), dtype=int64
        Row of each era's day in the history.
    filings : FilingState, optional
        What was known of each company's reports on those days.
    years : EarlierYears, optional
        Returns of earlier years.

    Notes
    -----
    All results have the shape (n_eras, n_assets). NaN policy: omit; a window in which an asset has fewer than half
    of the days gives NaN. Assets do not touch each other. Not for several threads at once.
    """

    history: History
    ends: IntArray
    filings: FilingState | None = None
    years: EarlierYears | None = None
    _daily: dict[Channel, FloatArray] = field(default_factory=dict)
    _masks: list[BoolArray] = field(default_factory=list)
    _mask_of: dict[frozenset[Channel], int] = field(default_factory=dict)
    _series: dict[Hashable, FloatArray] = field(default_factory=dict)
    _joined: dict[tuple[Hashable, int], FloatArray] = field(default_factory=dict)

    def daily(self, channel: Channel) -> FloatArray:
        """Values of all days of the history, (n_days, n_assets) or (n_days, 1)."""
        if channel not in self._daily:
            self._daily[channel] = channel(self.history)
        return self._daily[channel]

    def last(self, channel: Channel) -> FloatArray:
        """Value of the era's own day."""
        return self.daily(channel)[self.ends]

    def total(self, channel: Channel, days: int, *, skip: int = 0) -> FloatArray:
        """Sum of the last `days` days but the last `skip` of them."""
        sums, counts = self._between(channel, days, skip)
        return self._enough(sums, counts, days - skip)

    def average(self, channel: Channel, days: int, *, skip: int = 0) -> FloatArray:
        """Mean of what is there of the last `days` days but the last `skip` of them."""
        sums, counts = self._between(channel, days, skip)
        return self._enough(sums / np.maximum(counts, 1.0), counts, days - skip)

    def mean_product(self, left: Channel, right: Channel, days: int) -> FloatArray:
        """Mean of the product of two series."""
        both = (left, right)
        count = self._count(both, days)
        return self._enough(self._sum(both, both, days) / np.maximum(count, 1.0), count, days)

    def variance(self, channel: Channel, days: int) -> FloatArray:
        """Variance of the days as a population."""
        return self.moments(channel, channel, days).left

    def deviation(self, channel: Channel, days: int) -> FloatArray:
        """Take the standard deviation of the days as a population."""
        return np.sqrt(self.variance(channel, days))

    def moments(self, left: Channel, right: Channel, days: int) -> Moments:
        """Second moments of two series over the days that have both."""
        both = (left, right)
        count = self._count(both, days)
        share = 1.0 / np.maximum(count, 1.0)

        def mean(*product: Channel) -> FloatArray:
            values: FloatArray = self._sum(product, both, days) * share
            return values

        means, squares = (mean(left), mean(right)), (mean(left, left), mean(right, right))
        covariance = squares[0] - means[0] ** 2 if left is right else mean(left, right) - means[0] * means[1]
        return Moments(
            covariance=self._enough(covariance, count, days),
            left=self._enough(_variance(squares[0], means[0]), count, days),
            right=self._enough(_variance(squares[1], means[1]), count, days),
        )

    def skewness(self, channel: Channel, days: int) -> FloatArray:
        """Third standardised moment, biased; NaN for a constant."""
        mean, square, cube, _, count = self._powers(channel, days)
        third = cube - 3.0 * mean * square + 2.0 * mean**3
        return self._enough(ratio(third, _variance(square, mean) ** 1.5), count, days)

    def kurtosis(self, channel: Channel, days: int) -> FloatArray:
        """Fourth standardised moment less 3, biased; NaN for a constant."""
        mean, square, cube, fourth, count = self._powers(channel, days)
        centred = fourth - 4.0 * mean * cube + 6.0 * mean**2 * square - 3.0 * mean**4
        return self._enough(ratio(centred, _variance(square, mean) ** 2) - 3.0, count, days)

    def highest(self, channel: Channel, days: int) -> FloatArray:
        """Highest value of the days."""
        key = ("highest", channel)
        if key not in self._series:
            values = self.daily(channel)
            self._series[key] = np.where(np.isnan(values), -np.inf, values)
        return self._enough(self._over(key, days, np.maximum), self._count((channel,), days), days)

    def each(self, statistic: Callable[..., FloatArray], days: int, *channels: Channel) -> FloatArray:
        """Apply a statistic of (days, n_assets) arrays, one a channel, era by era; for what sums cannot tell."""
        daily = [self.daily(channel) for channel in channels]
        return np.stack([statistic(*(values[end + 1 - days : end + 1] for values in daily)) for end in self.ends])

    def filed(self, item: str, *, year_ago: bool = False) -> FloatArray:
        """Take an item of the newest report, or of the one a year before it; NaN where there is none."""
        if self.filings is None:
            return np.full((len(self.ends), self.history.close.shape[1]), np.nan)
        return self.filings.item(item, year_ago=year_ago)

    def in_earlier_years(self, years: int, *, days: int) -> FloatArray:
        """Average the return of the days after the same day of earlier years; NaN where they are not there."""
        if self.years is None:
            return np.full((len(self.ends), self.history.close.shape[1]), np.nan)
        return self.years.mean_total(years, days=days)

    def _powers(self, channel: Channel, days: int) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
        count = self._count((channel,), days)
        share = 1.0 / np.maximum(count, 1.0)
        first, second, third, fourth = (self._sum((channel,) * n, (channel,), days) * share for n in (1, 2, 3, 4))
        return first, second, third, fourth, count

    def _between(self, channel: Channel, days: int, skip: int) -> tuple[FloatArray, FloatArray]:
        """Sum and count the last days but those that are skipped."""
        sums, counts = self._sum((channel,), (channel,), days), self._count((channel,), days)
        if skip == 0:
            return sums, counts
        return sums - self._sum((channel,), (channel,), skip), counts - self._count((channel,), skip)

    def _sum(self, product: tuple[Channel, ...], among: tuple[Channel, ...], days: int) -> FloatArray:
        """Sum a product over the days that have all of `among`."""
        number = self._mask(frozenset(among))
        key = (product, number)
        if key not in self._series:
            values = self.daily(product[0])
            for channel in product[1:]:
                values = values * self.daily(channel)
            self._series[key] = np.where(self._masks[number], values, 0.0)
        return self._over(key, days, np.add)

    def _count(self, among: tuple[Channel, ...], days: int) -> FloatArray:
        """Count the days that have all of `among`."""
        number = self._mask(frozenset(among))
        if number not in self._series:
            self._series[number] = self._masks[number].astype(np.float64)
        return self._over(number, days, np.add)

    def _mask(self, channels: frozenset[Channel]) -> int:
        """Find the number of the mask of days that have all channels; equal masks share one."""
        if channels not in self._mask_of:
            shape = self.history.close.shape
            mask = np.ones(shape, dtype=np.bool_)
            for channel in channels:
                mask &= ~np.isnan(self.daily(channel))
            known = (number for number, other in enumerate(self._masks) if np.array_equal(mask, other))
            number = next(known, len(self._masks))
            if number == len(self._masks):
                self._masks.append(mask)
            self._mask_of[channels] = number
        return self._mask_of[channels]

    def _over(self, key: Hashable, days: int, join: np.ufunc) -> FloatArray:
        """Join the last days of a series, each era's: (n_eras, n_assets)."""
        if (key, days) in self._joined:
            return self._joined[key, days]
        newer = max((link for link in CHAIN if link < days), default=0)
        values = self._series[key]
        joined = np.empty((len(self.ends), values.shape[1]))
        for era, end in enumerate(self.ends):
            join.reduce(values[end + 1 - days : end + 1 - newer], axis=0, out=joined[era])
        if newer:
            join(joined, self._over(key, newer, join), out=joined)
        self._joined[key, days] = joined
        return joined

    def _enough(self, values: FloatArray, counts: FloatArray, days: int) -> FloatArray:
        return np.where(counts >= np.ceil(ENOUGH * days), values, np.nan)


def _variance(square: FloatArray, mean: FloatArray) -> FloatArray:
    variance = square - mean**2
    return np.where(variance > FLAT * square, variance, 0.0)
