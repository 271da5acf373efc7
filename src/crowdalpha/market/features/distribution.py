"""Features of the shape of the daily returns."""

import numpy as np

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.features.declaration import Feature
from crowdalpha.market.history import History
from crowdalpha.market.windows import average, highest, kurtosis, lowest, ratio, skewness

__all__ = ["FEATURES"]


def _skewness(history: History) -> FloatArray:
    return skewness(history.change)


def _kurtosis(history: History) -> FloatArray:
    return kurtosis(history.change)


def _best_day(history: History) -> FloatArray:
    return highest(history.change)


def _worst_day(history: History) -> FloatArray:
    return lowest(history.change)


def _up_to_down(history: History) -> FloatArray:
    up = average(np.maximum(history.change, 0.0) ** 2)
    down = average(np.minimum(history.change, 0.0) ** 2)
    return ratio(up, up + down)


FEATURES = (
    Feature("skewness_60", group="distribution", window=60, needs=("close",), compute=_skewness),
    Feature("skewness_252", group="distribution", window=252, needs=("close",), compute=_skewness),
    Feature("kurtosis_120", group="distribution", window=120, needs=("close",), compute=_kurtosis),
    Feature("best_day_20", group="distribution", window=20, needs=("close",), compute=_best_day),
    Feature("worst_day_20", group="distribution", window=20, needs=("close",), compute=_worst_day),
    Feature("up_to_down_60", group="distribution", window=60, needs=("close",), compute=_up_to_down),
)
