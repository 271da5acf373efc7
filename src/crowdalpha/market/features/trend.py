"""Features of slow price moves."""

from functools import partial

import numpy as np

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.features.channels import Minus, change, close, falls, low, rises, size, up
from crowdalpha.market.features.declaration import Feature, over
from crowdalpha.market.features.view import View
from crowdalpha.market.windows import correlation, ratio

__all__ = ["FEATURES", "SKIPPED_DAYS", "momentum", "momentum_but_last_month"]

SKIPPED_DAYS = 20
GROUP = "trend"


def momentum(view: View, days: int) -> FloatArray:
    """Sum the log returns of all days of the window.

    Parameters
    ----------
    view : View
        What the eras may see.
    days : int
        The window.

    Returns
    -------
    ndarray of shape (n_eras, n_assets), dtype=float64
        Log return.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets), shared by all windows.
    """
    return view.total(change, days)


def momentum_but_last_month(view: View, days: int) -> FloatArray:
    """Sum the log returns of all but the last 20 days of the window.

    Parameters
    ----------
    view : View
        What the eras may see.
    days : int
        The window.

    Returns
    -------
    ndarray of shape (n_eras, n_assets), dtype=float64
        Log return.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets), shared by all windows.

    References
    ----------
    .. [1] N. Jegadeesh and S. Titman, "Returns to Buying Winners and Selling Losers", Journal of Finance 48
       (1993); the last month is left out because it reverts.
    """
    return view.total(change, days, skip=SKIPPED_DAYS)


def _below_high(view: View, days: int) -> FloatArray:
    return np.log(view.last(close) / view.highest(close, days))


def _above_low(view: View, days: int) -> FloatArray:
    return np.log(view.last(close) / -view.highest(Minus(close), days))


def _place_in_span(view: View, days: int) -> FloatArray:
    """Where the close lies between the lowest (0) and the highest (1) close."""
    lowest = -view.highest(Minus(close), days)
    return ratio(view.last(close) - lowest, view.highest(close, days) - lowest)


def _above_average(view: View, days: int) -> FloatArray:
    return np.log(view.last(close) / view.average(close, days))


def _averages(view: View, days: int, *, short: int) -> FloatArray:
    return np.log(view.average(close, short) / view.average(close, days))


def _share_of_up_days(view: View, days: int) -> FloatArray:
    return view.average(up, days)


def _steepness(view: View, days: int) -> FloatArray:
    """Slope of the log price on time, per day."""
    return view.each(_slope, days, change)


def _slope(changes: FloatArray) -> FloatArray:
    """Slope of the cumulated changes: a weighted sum of them, which are missing at most for half."""
    n_days = len(changes)
    number = np.arange(n_days, dtype=np.float64)
    centred = number - number.mean()
    weights = np.cumsum(centred[::-1])[::-1] / (centred**2).sum()
    missing = np.isnan(changes)
    slope: FloatArray = (np.where(missing, 0.0, changes) * weights[:, None]).sum(axis=0)
    return np.where(missing.sum(axis=0) <= n_days // 2, slope, np.nan)


def _straightness(view: View, days: int) -> FloatArray:
    """Correlation of the log price with time."""
    return view.each(_with_time, days, change)


def _with_time(changes: FloatArray) -> FloatArray:
    missing = np.isnan(changes)
    path = np.where(missing, np.nan, np.cumsum(np.where(missing, 0.0, changes), axis=0))
    return correlation(path, np.arange(len(path), dtype=np.float64)[:, None])


def _days_since_high(view: View, days: int) -> FloatArray:
    return view.each(_since_top, days, close)


def _days_since_low(view: View, days: int) -> FloatArray:
    return view.each(_since_top, days, Minus(close))


def _since_top(values: FloatArray) -> FloatArray:
    """Days since the highest value, the last of equals."""
    missing = np.isnan(values)
    since = np.where(missing, -np.inf, values)[::-1].argmax(axis=0).astype(np.float64)
    return np.where(missing.sum(axis=0) <= len(values) // 2, since, np.nan)


def _drawdown(view: View, days: int) -> FloatArray:
    return view.each(_largest_fall, days, close)


def _largest_fall(prices: FloatArray) -> FloatArray:
    missing = np.isnan(prices)
    top = np.maximum.accumulate(np.where(missing, -np.inf, prices), axis=0)
    lowest: FloatArray = np.where(missing, 1.0, prices / top).min(axis=0)
    return np.where(missing.sum(axis=0) <= len(prices) // 2, np.log(lowest), np.nan)


def _acceleration(view: View, days: int) -> FloatArray:
    """Return of the window less that of the window before it."""
    return 2.0 * view.total(change, days) - view.total(change, 2 * days)


def _per_risk(view: View, days: int) -> FloatArray:
    return ratio(view.average(change, days), view.deviation(change, days))


def _discreteness(view: View, days: int) -> FloatArray:
    """Whether the move came in many small steps (low) or few large ones (Da, Gurun and Warachka, 2014)."""
    return np.sign(view.total(change, days)) * (1.0 - 2.0 * view.average(up, days))


def _efficiency(view: View, days: int) -> FloatArray:
    """Net move over the way that it took."""
    return ratio(np.abs(view.total(change, days)), view.total(size, days))


def _gain_to_pain(view: View, days: int) -> FloatArray:
    """Sum of the rises over that of the falls, as logs."""
    pain = ratio(view.total(rises, days), -view.total(falls, days))
    return np.where(pain > 0, np.log(np.where(pain > 0, pain, 1.0)), np.nan)


def _low_above_average(view: View, days: int) -> FloatArray:
    return np.log(view.last(low) / view.average(close, days))


FEATURES: tuple[Feature, ...] = (
    *over((40, 60, 90, 120, 180, 252), "momentum_{}", momentum, group=GROUP, small=(60,), medium=(120,)),
    *over(
        (60, 90, 120, 180, 252),
        "momentum_{}_skip_20",
        momentum_but_last_month,
        group=GROUP,
        small=(252,),
        medium=(120,),
    ),
    *over((20, 60, 120, 252), "below_high_{}", _below_high, group=GROUP, small=(252,)),
    *over((20, 60, 120, 252), "above_low_{}", _above_low, group=GROUP, medium=(60, 252)),
    *over((20, 60, 120, 252), "place_in_span_{}", _place_in_span, group=GROUP),
    *over((10, 20, 50, 100, 150, 200), "above_average_{}", _above_average, group=GROUP, small=(50,), medium=(200,)),
    *over((20, 60), "averages_5_to_{}", partial(_averages, short=5), group=GROUP),
    *over((50, 100), "averages_20_to_{}", partial(_averages, short=20), group=GROUP, medium=(100,)),
    *over((200,), "averages_50_to_{}", partial(_averages, short=50), group=GROUP),
    *over((20, 60, 120, 252), "up_days_{}", _share_of_up_days, group=GROUP, small=(120,)),
    *over((20, 60, 120, 252), "steepness_{}", _steepness, group=GROUP, medium=(60,)),
    *over((60, 120, 252), "straightness_{}", _straightness, group=GROUP),
    *over((60, 120, 252), "days_since_high_{}", _days_since_high, group=GROUP, medium=(252,)),
    *over((60, 120, 252), "days_since_low_{}", _days_since_low, group=GROUP, medium=(252,)),
    *over((60, 120, 252), "drawdown_{}", _drawdown, group=GROUP, medium=(120,)),
    *over((20,), "acceleration_{}", _acceleration, group=GROUP, extra=20),
    *over((60,), "acceleration_{}", _acceleration, group=GROUP, extra=60),
    *over((120,), "acceleration_{}", _acceleration, group=GROUP, extra=120),
    *over((20, 60, 120, 252), "return_per_risk_{}", _per_risk, group=GROUP, small=(252,)),
    *over((60, 120, 252), "discreteness_{}", _discreteness, group=GROUP, medium=(252,)),
    *over((20, 60, 120, 252), "efficiency_{}", _efficiency, group=GROUP, medium=(60,)),
    *over((20, 60, 252), "gain_to_pain_{}", _gain_to_pain, group=GROUP),
    *over((20, 50), "low_above_average_{}", _low_above_average, group=GROUP, needs=("low", "close")),
)
