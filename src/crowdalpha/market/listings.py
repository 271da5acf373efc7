"""Companies behind the tickers: one under two names, one that changed its name, and those that are gone."""

from collections.abc import Iterator

import numpy as np

from crowdalpha.market.arrays import Float32Array, FloatArray
from crowdalpha.market.checks import Finding
from crowdalpha.market.prices import PricePanel
from crowdalpha.market.returns import last_traded_row

__all__ = ["note_duplicated_listings", "note_survivors"]

COMMON_DAYS = 60
SAME_RETURN = 1e-4
SAME_SHARE = 0.95
LEAST_CORRELATION = 0.9
BLOCK = 512
YEAR_DAYS = 365.25
LEAST_YEARS = 2.0
LEAST_NAME_YEARS = 300.0
LEAST_ENDS_A_YEAR = 0.01
END_DAYS = 20
MOST_PAIRS = 5


def note_duplicated_listings(panel: PricePanel) -> Finding:
    """Count pairs of tickers that have the same returns.

    Parameters
    ----------
    panel : PricePanel
        Prices of n_days and n_assets.

    Returns
    -------
    Finding
        Of rule `listing_duplicated`. Days on which neither moved count for nothing.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets**2), by matrix products over blocks of 512 assets: pairs that
    correlate by 0.9 are compared day by day.
    """
    # both days of a return must be there: over a gap the same company has another return
    returns = panel.close[1:] / panel.close[:-1] - 1.0
    pairs = [pair for pair in _correlated(returns) if _is_same(returns[:, pair[0]], returns[:, pair[1]])]
    named = [f"{panel.tickers[one]} and {panel.tickers[other]}" for one, other in pairs]
    return Finding.of(
        "listing_duplicated",
        len(pairs),
        named[0] if named else "",
        tickers=tuple((name, 1) for name in named[:MOST_PAIRS]),
    )


def _correlated(returns: FloatArray) -> Iterator[tuple[int, int]]:
    """Give the pairs of columns that correlate over their common days."""
    seen = ~np.isnan(returns)
    # a few wild days must not decide: 50 % a day is as far as it goes
    moves: Float32Array = np.clip(np.where(seen, returns, 0.0), -0.5, 0.5).astype(np.float32)
    shown, squares = seen.astype(np.float32), moves**2
    for start in range(0, returns.shape[1], BLOCK):
        block = slice(start, start + BLOCK)
        product = moves[:, block].T @ moves
        size = np.sqrt((squares[:, block].T @ shown) * (shown[:, block].T @ squares))
        close = (product > LEAST_CORRELATION * size) & (shown[:, block].T @ shown >= COMMON_DAYS)
        for one, other in np.argwhere(close):
            if start + one < other:
                yield int(start + one), int(other)


def _is_same(one: FloatArray, other: FloatArray) -> bool:
    moved = ~np.isnan(one) & ~np.isnan(other) & ((one != 0) | (other != 0))
    if int(moved.sum()) < COMMON_DAYS:
        return False
    return bool((np.abs(one - other)[moved] <= SAME_RETURN).mean() >= SAME_SHARE)


def note_survivors(panel: PricePanel) -> Finding:
    """Count the names of countries from which hardly any name ever leaves.

    Parameters
    ----------
    panel : PricePanel
        Prices.

    Returns
    -------
    Finding
        Of rule `survivorship`. A name has left if its last price is over 20 days before the last of its country.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets). A name counts for the years from its first price to
    its last. Below 300 of them one name a hundred and year may be none by chance (one time in twenty).
    """
    days = panel.dates.astype("datetime64[D]").astype(np.int64)
    first, last = np.isnan(panel.close).argmin(axis=0), last_traded_row(panel.close)[-1]
    count, examples = 0, []
    for country in np.unique(panel.country):
        home = panel.country == country
        end = int(last[home].max())
        span = (days[end] - days[first[home].min()]) / YEAR_DAYS
        left = int((last[home] < end - END_DAYS).sum())
        years = float((days[last[home]] - days[first[home]]).sum()) / YEAR_DAYS
        if span >= LEAST_YEARS and years >= LEAST_NAME_YEARS and left < LEAST_ENDS_A_YEAR * years:
            count += int(home.sum())
            examples.append(f"{country}: {left} of {home.sum()} names end in {span:.0f} years")
    return Finding.of("survivorship", count, "; ".join(examples))
