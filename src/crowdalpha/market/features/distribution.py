"""Features of the shape of the daily returns."""

from functools import partial

import numpy as np

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.features.channels import Minus, change, falls, intraday, overnight, rises, week
from crowdalpha.market.features.declaration import Column, Feature, over
from crowdalpha.market.features.view import View
from crowdalpha.market.windows import ENOUGH, ratio

__all__ = ["FEATURES"]

GROUP = "distribution"
OPEN: tuple[Column, ...] = ("open", "close")
WEEK = 4


def _skewness(view: View, days: int) -> FloatArray:
    return view.skewness(change, days)


def _kurtosis(view: View, days: int) -> FloatArray:
    return view.kurtosis(change, days)


def _best_day(view: View, days: int) -> FloatArray:
    return view.highest(change, days)


def _worst_day(view: View, days: int) -> FloatArray:
    return -view.highest(Minus(change), days)


def _best_and_worst(view: View, days: int) -> FloatArray:
    """Best plus worst day, in deviations."""
    return ratio(_best_day(view, days) + _worst_day(view, days), view.deviation(change, days))


def _best_in_deviations(view: View, days: int) -> FloatArray:
    return ratio(_best_day(view, days), view.deviation(change, days))


def _up_to_down(view: View, days: int) -> FloatArray:
    """Share of the rises in the sum of squared returns."""
    rising = view.mean_product(rises, rises, days)
    return ratio(rising, rising + view.mean_product(falls, falls, days))


def _quantile(view: View, days: int, *, share: float) -> FloatArray:
    """Quantile of the returns in deviations."""
    value = view.each(partial(_ordered, share=share), days, change)
    return ratio(value, view.deviation(change, days))


def _ordered(values: FloatArray, *, share: float) -> FloatArray:
    """Value at this share of what is there, the lower one of two."""
    seen = (~np.isnan(values)).sum(axis=0)
    place = np.floor(share * np.maximum(seen - 1, 0)).astype(np.int64)
    found = np.take_along_axis(np.sort(values, axis=0), place[None], axis=0)[0]
    return np.where(seen >= np.ceil(ENOUGH * len(values)), found, np.nan)


def _mean_to_median(view: View, days: int) -> FloatArray:
    middle = view.each(partial(_ordered, share=0.5), days, change)
    return ratio(view.average(change, days) - middle, view.deviation(change, days))


def _night_skewness(view: View, days: int) -> FloatArray:
    return view.skewness(overnight, days)


def _day_skewness(view: View, days: int) -> FloatArray:
    return view.skewness(intraday, days)


def _week_skewness(view: View, days: int) -> FloatArray:
    return view.skewness(week, days)


def _best_week(view: View, days: int) -> FloatArray:
    return view.highest(week, days)


def _worst_week(view: View, days: int) -> FloatArray:
    return -view.highest(Minus(week), days)


FEATURES: tuple[Feature, ...] = (
    *over((20, 60, 120, 252), "skewness_{}", _skewness, group=GROUP, small=(60, 252)),
    *over((60, 120, 252), "kurtosis_{}", _kurtosis, group=GROUP, small=(120,)),
    *over((10, 20, 60, 252), "best_day_{}", _best_day, group=GROUP, small=(20,)),
    *over((10, 20, 60, 252), "worst_day_{}", _worst_day, group=GROUP, small=(20,), medium=(252,)),
    *over((60, 252), "best_and_worst_{}", _best_and_worst, group=GROUP, medium=(60,)),
    *over((20, 60, 252), "best_in_deviations_{}", _best_in_deviations, group=GROUP),
    *over((20, 60, 120, 252), "up_to_down_{}", _up_to_down, group=GROUP, small=(60,)),
    *over((60, 120, 252), "lower_tail_{}", partial(_quantile, share=0.05), group=GROUP, medium=(120,)),
    *over((60, 120, 252), "upper_tail_{}", partial(_quantile, share=0.95), group=GROUP, medium=(120,)),
    *over((60, 252), "mean_to_median_{}", _mean_to_median, group=GROUP, medium=(60,)),
    *over((60, 252), "night_skewness_{}", _night_skewness, group=GROUP, needs=OPEN, medium=(60,)),
    *over((60, 252), "day_skewness_{}", _day_skewness, group=GROUP, needs=OPEN, medium=(252,)),
    *over((120, 240), "week_skewness_{}", _week_skewness, group=GROUP, extra=WEEK),
    *over((60, 240), "best_week_{}", _best_week, group=GROUP, extra=WEEK),
    *over((60, 240), "worst_week_{}", _worst_week, group=GROUP, extra=WEEK),
)
