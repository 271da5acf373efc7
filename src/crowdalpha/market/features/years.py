"""Returns that followed the same day of the year in earlier years."""

from dataclasses import dataclass, field

import numpy as np

from crowdalpha.market.arrays import DateArray, FloatArray, IntArray
from crowdalpha.market.prices import PricePanel
from crowdalpha.market.returns import MAX_GAP_DAYS, daily_returns
from crowdalpha.market.windows import ENOUGH, ratio

__all__ = ["EarlierYears", "least_years", "same_days"]

MONTHS = 12


@dataclass(frozen=True, eq=False)
class EarlierYears:
    """Earlier years of the eras of one block.

    Parameters
    ----------
    panel : PricePanel
        Prices of all days.
    ends : ndarray of shape (n_eras,), dtype=int64
        Row of each era's day in the panel, ascending.
    """

    panel: PricePanel
    ends: IntArray
    _totals: dict[tuple[int, int], FloatArray] = field(default_factory=dict)

    def mean_total(self, years: int, *, days: int) -> FloatArray:
        """Average over years the return of the days after the same day of the year.

        Parameters
        ----------
        years : int
            How many, the last one first.
        days : int
            Trading days that follow the day; fewer than a year has.

        Returns
        -------
        ndarray of shape (n_eras, n_assets), dtype=float64
            Mean log return; NaN where fewer than half of the years are known.

        Notes
        -----
        NaN policy: omit; a year with a return on fewer than half of the days is left out. Cost: O(years * n_days of
        the block * n_assets). Reads the days after each earlier date, none later than the era's, and the 20 days
        before them that a return may span.
        """
        totals = np.stack([self._total(back, days) for back in range(1, years + 1)])
        known = (~np.isnan(totals)).sum(axis=0).astype(np.float64)
        sums: FloatArray = np.add.reduce(np.nan_to_num(totals, nan=0.0), axis=0)
        return np.where(known >= least_years(years), ratio(sums, known), np.nan)

    def _total(self, back: int, days: int) -> FloatArray:
        if (back, days) not in self._totals:
            self._totals[back, days] = self._computed(back, days)
        return self._totals[back, days]

    def _computed(self, back: int, days: int) -> FloatArray:
        totals = np.full((len(self.ends), self.panel.close.shape[1]), np.nan)
        starts = same_days(self.panel.dates, self.ends, years=back) + 1
        there = np.flatnonzero(starts > 0)
        if not there.size:
            return totals
        first, stop = int(starts[there[0]]), int(starts[there[-1]]) + days
        lead = min(first, MAX_GAP_DAYS)
        change = np.log1p(daily_returns(self.panel.close[first - lead : stop])[lead:])
        traded = ~np.isnan(change)
        moves = np.where(traded, change, 0.0)
        for era in there:
            window = slice(int(starts[era]) - first, int(starts[era]) - first + days)
            enough = traded[window].sum(axis=0) >= np.ceil(ENOUGH * days)
            totals[era] = np.where(enough, np.add.reduce(moves[window], axis=0), np.nan)
        return totals


def same_days(dates: DateArray, rows: IntArray, *, years: int) -> IntArray:
    """Find the same day of an earlier year.

    Parameters
    ----------
    dates : ndarray of shape (n_days,), dtype=datetime64[D]
        Trading days, ascending.
    rows : ndarray of shape (n_eras,), dtype=int64
        Rows of `dates`.
    years : int
        How many years back.

    Returns
    -------
    ndarray of shape (n_eras,), dtype=int64
        Row of the last trading day up to that date; -1 where it is before the first. 29 February counts as 1 March.

    Notes
    -----
    NaN policy: refuse (there are none). Cost: O(n_eras log n_days).

    Examples
    --------
    >>> dates = np.array(["2022-06-30", "2022-07-04", "2023-07-03"], dtype="datetime64[D]")
    >>> same_days(dates, np.array([2]), years=1), same_days(dates, np.array([2]), years=2)
    (array([0]), array([-1]))
    """
    days = dates[rows]
    months = days.astype("datetime64[M]")
    earlier = (months - MONTHS * years).astype("datetime64[D]") + (days - months.astype("datetime64[D]"))
    after: IntArray = np.searchsorted(dates, earlier, side="right").astype(np.int64)
    return after - 1


def least_years(years: int) -> int:
    """Give the number of years that must be known of so many: half of them, rounded up.

    Examples
    --------
    >>> [least_years(years) for years in (2, 3, 5)]
    [1, 2, 3]
    """
    return int(np.ceil(ENOUGH * years))
