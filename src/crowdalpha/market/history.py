"""Daily arrays that features are made of, for a stretch of days."""

from dataclasses import dataclass

import numpy as np

from crowdalpha.market.arrays import DateArray, FloatArray
from crowdalpha.market.groups import Groups, row_sums
from crowdalpha.market.prices import PricePanel
from crowdalpha.market.returns import MAX_GAP_DAYS, daily_returns

__all__ = ["History", "history_of", "row_means"]


@dataclass(frozen=True)
class History:
    """Daily arrays, oldest day first; every row was known at its own close.

    Parameters
    ----------
    dates : ndarray of shape (n_days,), dtype=datetime64[D]
        The days.
    close, high, low : ndarray of shape (n_days, n_assets), dtype=float64
        Total-return prices of traded days; use ratios only.
    change : ndarray of shape (n_days, n_assets), dtype=float64
        Log return since the last traded close; NaN on days without trade.
    overnight, intraday : ndarray of shape (n_days, n_assets), dtype=float64
        Its two parts, up to the open and after it; NaN without an open.
    value : ndarray of shape (n_days, n_assets), dtype=float64
        Traded value in millions of currency; NaN where it is zero or unknown.
    log_value : ndarray of shape (n_days, n_assets), dtype=float64
        Log of the traded value in currency.
    illiquidity : ndarray of shape (n_days, n_assets), dtype=float64
        |return| per million of traded value.
    market : ndarray of shape (n_days, 1), dtype=float64
        Mean `change` of all assets of the panel that traded.
    sector, country : ndarray of shape (n_days, n_assets), dtype=float64
        Mean `change` of the asset's sector, and of its country.
    sectors : Groups
        Which asset is in which sector.
    """

    dates: DateArray
    close: FloatArray
    high: FloatArray
    low: FloatArray
    change: FloatArray
    overnight: FloatArray
    intraday: FloatArray
    value: FloatArray
    log_value: FloatArray
    illiquidity: FloatArray
    market: FloatArray
    sector: FloatArray
    country: FloatArray
    sectors: Groups


def history_of(panel: PricePanel, *, first: int = 0, end: int | None = None) -> History:
    """Derive the daily arrays of a stretch of days.

    Parameters
    ----------
    panel : PricePanel
        Prices of n_days and n_assets.
    first : int, default=0
        First day.
    end : int, optional
        Day after the last; by default that of the panel.

    Returns
    -------
    History
        Days `first` to `end - 1`, to the last bit the same whatever stretch they are part of.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets) of the stretch. Row t reads rows up to t, and no more than the 20
    days before `first` that a return may span.
    """
    stop = len(panel.dates) if end is None else end
    days = slice(first, stop)
    lead = min(first, MAX_GAP_DAYS)
    returns = daily_returns(panel.close[first - lead : stop])[lead:]
    change = np.log1p(returns)
    intraday = np.log(panel.close[days] / panel.open[days])
    value = np.where(panel.dollar_volume[days] > 0, panel.dollar_volume[days], np.nan)
    sectors, countries = Groups.of(panel.sector), Groups.of(panel.country)
    return History(
        dates=panel.dates[days],
        close=panel.close[days],
        high=panel.high[days],
        low=panel.low[days],
        change=change,
        overnight=change - intraday,
        intraday=intraday,
        value=value * 1e-6,
        log_value=np.log(value),
        illiquidity=np.abs(returns) * 1e6 / value,
        market=row_means(change),
        sector=sectors.spread(sectors.means(change)),
        country=countries.spread(countries.means(change)),
        sectors=sectors,
    )


def row_means(values: FloatArray) -> FloatArray:
    """Average each day over the assets that have a value.

    Parameters
    ----------
    values : ndarray of shape (n_days, n_assets), dtype=float64
        Any unit.

    Returns
    -------
    ndarray of shape (n_days, 1), dtype=float64
        Means; NaN for a day without a value.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets). Summed from left to right, see `row_sums`.

    Examples
    --------
    >>> row_means(np.array([[1.0, np.nan, 3.0]]))
    array([[2.]])
    """
    seen = ~np.isnan(values)
    count = row_sums(seen.astype(np.float64))
    means: FloatArray = row_sums(np.where(seen, values, 0.0)) / np.maximum(count, 1.0)
    return np.where(count > 0, means, np.nan)[:, None]
