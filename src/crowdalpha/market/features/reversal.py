"""Features of the last days' moves, which tend to be taken back."""

import numpy as np

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.features.channels import (
    Lagged,
    change,
    close,
    intraday,
    overnight,
    place,
    rises,
    size,
    week,
)
from crowdalpha.market.features.declaration import Column, Feature, over
from crowdalpha.market.features.trend import momentum
from crowdalpha.market.features.view import View
from crowdalpha.market.windows import ratio

__all__ = ["FEATURES"]

GROUP = "reversal"
WEEK_DAYS = 5
OPEN: tuple[Column, ...] = ("open", "close")


def _autocorrelation(view: View, days: int) -> FloatArray:
    """Correlation of the days' returns with those of the day before, both within the window."""
    return view.moments(change, Lagged(change), days - 1).correlation


def _weekly_autocorrelation(view: View, days: int) -> FloatArray:
    """Correlation of the days' returns with those of five days before."""
    return view.moments(change, Lagged(change, WEEK_DAYS), days).correlation


def _overnight(view: View, days: int) -> FloatArray:
    return view.total(overnight, days)


def _intraday(view: View, days: int) -> FloatArray:
    return view.total(intraday, days)


def _tug_of_war(view: View, days: int) -> FloatArray:
    """Correlation of the night's move with the day's (Lou, Polk and Skouras, 2019)."""
    return view.moments(overnight, intraday, days).correlation


def _overnight_after_day(view: View, days: int) -> FloatArray:
    return view.moments(overnight, Lagged(intraday), days).correlation


def _close_in_range(view: View, days: int) -> FloatArray:
    """Where the close lies between low (0) and high (1), on average."""
    return view.average(place, days)


def _stretch(view: View, days: int) -> FloatArray:
    """Distance of the close from its mean, in its own deviations."""
    return ratio(view.last(close) - view.average(close, days), view.deviation(close, days))


def _strength(view: View, days: int) -> FloatArray:
    """Share of the rises in all moves."""
    return ratio(view.total(rises, days), view.total(size, days))


def _variance_ratio(view: View, days: int) -> FloatArray:
    """Variance of five days' returns over five times that of one (Lo and MacKinlay, 1988)."""
    return ratio(view.variance(week, days), WEEK_DAYS * view.variance(change, days))


def _last_move(view: View, days: int) -> FloatArray:
    """Return of the day in deviations of the window."""
    return ratio(view.total(change, 1), view.deviation(change, days))


def _last_week(view: View, days: int) -> FloatArray:
    """Return of five days in deviations of the window."""
    return ratio(view.total(change, WEEK_DAYS), np.sqrt(WEEK_DAYS) * view.deviation(change, days))


FEATURES: tuple[Feature, ...] = (
    *over((1, 2, 3, 5, 10, 15, 20, 30), "return_{}", momentum, group=GROUP, small=(5, 20), medium=(1, 10)),
    *over((20, 60, 120, 252), "autocorrelation_{}", _autocorrelation, group=GROUP, small=(60,)),
    *over((60, 120, 240), "autocorrelation_5_days_{}", _weekly_autocorrelation, group=GROUP, extra=WEEK_DAYS),
    *over((1, 5, 20, 60, 120, 252), "overnight_{}", _overnight, group=GROUP, needs=OPEN, small=(20,), medium=(252,)),
    *over((1, 5, 20, 60, 120, 252), "intraday_{}", _intraday, group=GROUP, needs=OPEN, small=(20,)),
    *over((60, 252), "tug_of_war_{}", _tug_of_war, group=GROUP, needs=OPEN, medium=(60,)),
    *over((60, 240), "overnight_after_day_{}", _overnight_after_day, group=GROUP, needs=OPEN, extra=1),
    *over(
        (1, 5, 20, 60),
        "close_in_range_{}",
        _close_in_range,
        group=GROUP,
        needs=("high", "low", "close"),
        small=(20,),
        medium=(5,),
    ),
    *over((10, 20, 60), "stretch_{}", _stretch, group=GROUP, medium=(20,)),
    *over((5, 15, 20, 60), "strength_{}", _strength, group=GROUP),
    *over((60, 120, 240), "variance_ratio_{}", _variance_ratio, group=GROUP, extra=WEEK_DAYS - 1, medium=(120,)),
    *over((20, 60), "last_move_{}", _last_move, group=GROUP, medium=(60,)),
    *over((20, 60, 252), "last_week_{}", _last_week, group=GROUP),
)
