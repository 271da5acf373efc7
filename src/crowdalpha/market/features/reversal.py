"""Features of the last days' moves, which tend to be taken back."""

import numpy as np

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.features.declaration import Feature
from crowdalpha.market.features.trend import momentum
from crowdalpha.market.history import History
from crowdalpha.market.windows import average, correlation, total

__all__ = ["FEATURES"]


def _autocorrelation(history: History) -> FloatArray:
    return correlation(history.change[1:], history.change[:-1])


def _overnight(history: History) -> FloatArray:
    return total(history.overnight)


def _intraday(history: History) -> FloatArray:
    return total(history.intraday)


def _close_in_range(history: History) -> FloatArray:
    """Where the close lies between low (0) and high (1), on average; days without a range say nothing."""
    width = history.high - history.low
    return average(np.where(width > 0, (history.close - history.low) / np.where(width > 0, width, 1.0), np.nan))


FEATURES = (
    Feature("return_1", group="reversal", window=1, needs=("close",), compute=momentum),
    Feature("return_5", group="reversal", window=5, needs=("close",), compute=momentum),
    Feature("return_10", group="reversal", window=10, needs=("close",), compute=momentum),
    Feature("return_20", group="reversal", window=20, needs=("close",), compute=momentum),
    Feature("autocorrelation_60", group="reversal", window=60, needs=("close",), compute=_autocorrelation),
    Feature("overnight_20", group="reversal", window=20, needs=("open", "close"), compute=_overnight),
    Feature("intraday_20", group="reversal", window=20, needs=("open", "close"), compute=_intraday),
    Feature("close_in_range_20", group="reversal", window=20, needs=("high", "low", "close"), compute=_close_in_range),
)
