"""Daily arrays that features are made of, and the part of them that a day may see."""

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.groups import Groups, row_sums
from crowdalpha.market.prices import PricePanel
from crowdalpha.market.returns import daily_returns
from crowdalpha.market.windows import Regression, regression

__all__ = ["History", "history_of"]


@dataclass(frozen=True)
class History:
    """Daily arrays, oldest day first; every row was known at its own close.

    Features get a history cut to end on the era's day, so that none can look past it.

    Parameters
    ----------
    close, high, low : ndarray of shape (n_days, n_assets), dtype=float64
        Total-return prices of traded days; use ratios only.
    change : ndarray of shape (n_days, n_assets), dtype=float64
        Log return since the last traded close; NaN on days without trade.
    overnight, intraday : ndarray of shape (n_days, n_assets), dtype=float64
        Its two parts, up to the open and after it; NaN without an open.
    log_value : ndarray of shape (n_days, n_assets), dtype=float64
        Log of the traded value in currency; NaN where it is zero or unknown.
    illiquidity : ndarray of shape (n_days, n_assets), dtype=float64
        |return| per million of traded value.
    market : ndarray of shape (n_days, 1), dtype=float64
        Mean `change` of all assets of the panel that traded.
    sector : ndarray of shape (n_days, n_assets), dtype=float64
        Mean `change` of the asset's sector.
    """

    close: FloatArray
    high: FloatArray
    low: FloatArray
    change: FloatArray
    overnight: FloatArray
    intraday: FloatArray
    log_value: FloatArray
    illiquidity: FloatArray
    market: FloatArray
    sector: FloatArray

    @cached_property
    def on_market(self) -> Regression:
        """Regression of `change` on `market` over these days, computed once for all features that use it."""
        return regression(self.change, self.market)

    def upto(self, row: int, *, n_days: int) -> "History":
        """Cut to the last `n_days` up to and with `row`."""
        days = slice(max(0, row + 1 - n_days), row + 1)
        return History(**{field.name: getattr(self, field.name)[days] for field in fields(self)})


def history_of(panel: PricePanel) -> History:
    """Derive the daily arrays of a panel.

    Parameters
    ----------
    panel : PricePanel
        Prices of n_days and n_assets.

    Returns
    -------
    History
        All days of the panel.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets). Row t reads rows up to t.
    """
    returns = daily_returns(panel.close)
    change = np.log1p(returns)
    seen = ~np.isnan(change)
    count = row_sums(seen.astype(np.float64))
    market = np.where(count > 0, row_sums(np.where(seen, change, 0.0)) / np.maximum(count, 1.0), np.nan)
    sectors = Groups.of(panel.sector)
    intraday = np.log(panel.close / panel.open)
    value = np.where(panel.dollar_volume > 0, panel.dollar_volume, np.nan)
    return History(
        close=panel.close,
        high=panel.high,
        low=panel.low,
        change=change,
        overnight=change - intraday,
        intraday=intraday,
        log_value=np.log(value),
        illiquidity=np.abs(returns) * 1e6 / value,
        market=market[:, None],
        sector=sectors.spread(sectors.means(change)),
    )
