"""Features of when and with which moves a name is traded. All use traded value, which a split leaves as it is."""

from functools import partial

import numpy as np

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.features.channels import Lagged, change, log_value, place, size, value
from crowdalpha.market.features.declaration import Column, Feature, over
from crowdalpha.market.features.view import View
from crowdalpha.market.history import History, row_means
from crowdalpha.market.windows import ratio

__all__ = ["FEATURES", "traded_value_trend"]

GROUP = "volume"
NEEDS: tuple[Column, ...] = ("close", "volume")
RANGE: tuple[Column, ...] = ("high", "low", "close", "volume")


def traded_value_trend(view: View, days: int, *, short: int = 20) -> FloatArray:
    """Compare the mean log traded value of the last days with that of the window.

    Parameters
    ----------
    view : View
        What the eras may see.
    days : int
        The window.
    short : int, default=20
        The last days.

    Returns
    -------
    ndarray of shape (n_eras, n_assets), dtype=float64
        Difference of logs.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets), shared by all windows.
    """
    return view.average(log_value, short) - view.average(log_value, days)


def _surprise(view: View, days: int, *, short: int) -> FloatArray:
    return ratio(traded_value_trend(view, days, short=short), view.deviation(log_value, days))


def _variability(view: View, days: int) -> FloatArray:
    return view.deviation(log_value, days)


def _with_return(view: View, days: int) -> FloatArray:
    return view.moments(log_value, change, days).correlation


def _with_move(view: View, days: int) -> FloatArray:
    return view.moments(log_value, size, days).correlation


def _with_market(view: View, days: int) -> FloatArray:
    """Correlation with the traded value of the market."""
    return view.moments(log_value, _market_value, days).correlation


def _market_value(history: History) -> FloatArray:
    return row_means(history.log_value)


def _signed(view: View, days: int) -> FloatArray:
    """Value traded on rises less that on falls, as a share of all."""
    return ratio(view.total(_signed_value, days), view.total(value, days))


def _signed_value(history: History) -> FloatArray:
    return history.value * np.sign(history.change)


def _money_flow(view: View, days: int) -> FloatArray:
    """Value weighted by where the close lies in the day's range."""
    return ratio(view.mean_product(value, place, days), view.average(value, days))


def _weighted_return(view: View, days: int) -> FloatArray:
    """Return per day weighted by value, less the plain one."""
    return ratio(view.mean_product(value, change, days), view.average(value, days)) - view.average(change, days)


def _persistence(view: View, days: int) -> FloatArray:
    return view.moments(log_value, Lagged(log_value), days).correlation


def _skewness(view: View, days: int) -> FloatArray:
    return view.skewness(log_value, days)


def _concentration(view: View, days: int) -> FloatArray:
    """Mean square over squared mean: high where a few days hold most of the trade."""
    return ratio(view.mean_product(value, value, days), view.average(value, days) ** 2)


def _return_after(view: View, days: int) -> FloatArray:
    """Correlation of returns with the traded value of the day before."""
    return view.moments(change, Lagged(log_value), days).correlation


def _peak(view: View, days: int) -> FloatArray:
    return view.highest(log_value, days) - view.average(log_value, days)


def _below_peak(view: View, days: int) -> FloatArray:
    return view.last(log_value) - view.highest(log_value, days)


FEATURES: tuple[Feature, ...] = (
    *over((20, 60), "value_surprise_1_{}", partial(_surprise, short=1), group=GROUP, needs=NEEDS, medium=(20,)),
    *over((20, 60, 252), "value_surprise_5_{}", partial(_surprise, short=5), group=GROUP, needs=NEEDS, small=(60,)),
    *over((60, 120), "value_surprise_10_{}", partial(_surprise, short=10), group=GROUP, needs=NEEDS),
    *over((252,), "value_surprise_20_{}", partial(_surprise, short=20), group=GROUP, needs=NEEDS),
    *over((20, 60), "value_trend_5_{}", partial(traded_value_trend, short=5), group=GROUP, needs=NEEDS),
    *over((60, 120, 252), "value_trend_20_{}", traded_value_trend, group=GROUP, needs=NEEDS, small=(120,)),
    *over((120, 252), "value_trend_60_{}", partial(traded_value_trend, short=60), group=GROUP, needs=NEEDS),
    *over((252,), "value_trend_120_{}", partial(traded_value_trend, short=120), group=GROUP, needs=NEEDS),
    *over((20, 60, 120, 252), "value_variability_{}", _variability, group=GROUP, needs=NEEDS, small=(60,)),
    *over((20, 60, 120, 252), "value_with_return_{}", _with_return, group=GROUP, needs=NEEDS, small=(60,)),
    *over((20, 60, 120, 252), "value_with_move_{}", _with_move, group=GROUP, needs=NEEDS, medium=(60,)),
    *over((60, 252), "value_with_market_{}", _with_market, group=GROUP, needs=NEEDS, medium=(252,)),
    *over((5, 20, 60, 120, 252), "signed_value_{}", _signed, group=GROUP, needs=NEEDS, small=(20,), medium=(120,)),
    *over((5, 20, 60), "money_flow_{}", _money_flow, group=GROUP, needs=RANGE, medium=(20,)),
    *over((20, 60, 252), "value_weighted_return_{}", _weighted_return, group=GROUP, needs=NEEDS, medium=(60,)),
    *over((60, 240), "value_persistence_{}", _persistence, group=GROUP, needs=NEEDS, extra=1),
    *over((60, 252), "value_skewness_{}", _skewness, group=GROUP, needs=NEEDS, medium=(252,)),
    *over((20, 60, 252), "value_concentration_{}", _concentration, group=GROUP, needs=NEEDS, medium=(60,)),
    *over((60, 240), "return_after_value_{}", _return_after, group=GROUP, needs=NEEDS, extra=1),
    *over((20, 60, 252), "value_peak_{}", _peak, group=GROUP, needs=NEEDS),
    *over((20, 60), "value_below_peak_{}", _below_peak, group=GROUP, needs=NEEDS),
)
