"""Features of how much prices move, and of how that differs between short and long windows."""

import math
from functools import partial

import numpy as np

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.features.channels import change, falls, intraday, log_range, overnight, size, week
from crowdalpha.market.features.declaration import Column, Feature, over
from crowdalpha.market.features.view import View
from crowdalpha.market.history import History
from crowdalpha.market.windows import ratio

__all__ = ["FEATURES", "volatility"]

GROUP, TERM = "volatility", "volatility_term"
RANGE: tuple[Column, ...] = ("high", "low")
OPEN: tuple[Column, ...] = ("open", "close")
ALL_PRICES: tuple[Column, ...] = ("open", "high", "low", "close")
OF_THE_BODY = 2.0 * math.log(2.0) - 1.0
WEEK_DAYS = 5


def volatility(view: View, days: int) -> FloatArray:
    """Take the standard deviation of the daily log returns.

    Parameters
    ----------
    view : View
        What the eras may see.
    days : int
        The window.

    Returns
    -------
    ndarray of shape (n_eras, n_assets), dtype=float64
        Volatility per day.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets), shared by all windows.
    """
    return view.deviation(change, days)


def _downside(view: View, days: int) -> FloatArray:
    """Root mean square of the falls; a rise counts as none."""
    return np.sqrt(view.mean_product(falls, falls, days))


def _range(view: View, days: int) -> FloatArray:
    return view.average(log_range, days)


def _from_prices(view: View, days: int) -> FloatArray:
    """Volatility of the day from open, high, low and close (M. Garman and M. Klass, 1980)."""
    return np.sqrt(np.maximum(view.average(_garman_klass, days), 0.0))


def _garman_klass(history: History) -> FloatArray:
    return 0.5 * np.log(history.high / history.low) ** 2 - OF_THE_BODY * history.intraday**2


def _of_nights(view: View, days: int) -> FloatArray:
    return view.deviation(overnight, days)


def _of_days(view: View, days: int) -> FloatArray:
    return view.deviation(intraday, days)


def _variability(view: View, days: int) -> FloatArray:
    """How uneven the size of the daily moves is."""
    return ratio(view.deviation(size, days), view.average(size, days))


def _term(view: View, days: int, *, short: int) -> FloatArray:
    return ratio(view.deviation(change, short), view.deviation(change, days))


def _range_term(view: View, days: int, *, short: int) -> FloatArray:
    return ratio(view.average(log_range, short), view.average(log_range, days))


def _share_of_nights(view: View, days: int) -> FloatArray:
    moments = view.moments(overnight, intraday, days)
    return ratio(moments.left, moments.left + moments.right)


def _range_to_volatility(view: View, days: int) -> FloatArray:
    return ratio(view.average(log_range, days), view.deviation(change, days))


def _of_volatility(view: View, days: int) -> FloatArray:
    """How much the volatility of five days itself moves."""
    return ratio(view.deviation(_week_volatility, days), view.average(_week_volatility, days))


def _week_volatility(history: History) -> FloatArray:
    squares = history.change**2
    total = squares.copy()
    for back in range(1, WEEK_DAYS):
        total[back:] += squares[:-back]
    total[: WEEK_DAYS - 1] = np.nan
    return np.sqrt(total)


def _share_of_falls(view: View, days: int) -> FloatArray:
    return ratio(view.mean_product(falls, falls, days), view.mean_product(change, change, days))


def _clustering(view: View, days: int) -> FloatArray:
    """Whether large moves follow large moves."""
    return view.moments(size, _size_before, days).correlation


def _size_before(history: History) -> FloatArray:
    before = np.full(history.change.shape, np.nan)
    before[1:] = np.abs(history.change[:-1])
    return before


def _weekly(view: View, days: int) -> FloatArray:
    return view.deviation(week, days)


FEATURES: tuple[Feature, ...] = (
    *over((5, 10, 20, 40, 60, 120, 180, 252), "volatility_{}", volatility, group=GROUP, small=(20, 252), medium=(60,)),
    *over((20, 60, 120, 252), "downside_{}", _downside, group=GROUP, small=(60,)),
    *over((5, 20, 60, 120, 252), "range_{}", _range, group=GROUP, needs=RANGE, small=(20,), medium=(120,)),
    *over((20, 60, 252), "from_prices_{}", _from_prices, group=GROUP, needs=ALL_PRICES, medium=(60,)),
    *over((20, 60, 252), "night_volatility_{}", _of_nights, group=GROUP, needs=OPEN, medium=(60,)),
    *over((20, 60, 252), "day_volatility_{}", _of_days, group=GROUP, needs=OPEN),
    *over((20, 60, 120, 252), "variability_{}", _variability, group=GROUP, small=(60,), medium=(252,)),
    *over((60, 120, 240), "week_volatility_{}", _weekly, group=GROUP, extra=WEEK_DAYS - 1),
    *over((20, 60), "volatility_5_to_{}", partial(_term, short=5), group=TERM),
    *over((60, 120), "volatility_10_to_{}", partial(_term, short=10), group=TERM, medium=(60,)),
    *over((60, 120, 252), "volatility_20_to_{}", partial(_term, short=20), group=TERM, small=(120,), medium=(252,)),
    *over((120, 252), "volatility_60_to_{}", partial(_term, short=60), group=TERM),
    *over((252,), "volatility_120_to_{}", partial(_term, short=120), group=TERM),
    *over((20, 60), "range_5_to_{}", partial(_range_term, short=5), group=TERM, needs=RANGE),
    *over((60, 252), "range_20_to_{}", partial(_range_term, short=20), group=TERM, needs=RANGE, medium=(252,)),
    *over((20, 60, 252), "share_of_nights_{}", _share_of_nights, group=TERM, needs=OPEN, medium=(60,)),
    *over((20, 60, 252), "range_to_volatility_{}", _range_to_volatility, group=TERM, needs=(*RANGE, "close")),
    *over((60, 120, 240), "volatility_of_volatility_{}", _of_volatility, group=TERM, extra=4, small=(120,)),
    *over((20, 60, 252), "share_of_falls_{}", _share_of_falls, group=TERM, medium=(60,)),
    *over((60, 120, 240), "clustering_{}", _clustering, group=TERM, extra=1, medium=(120,)),
)
