"""Features of how much prices move."""

import numpy as np

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.features.declaration import Feature
from crowdalpha.market.history import History
from crowdalpha.market.windows import average, deviation, ratio

__all__ = ["FEATURES", "volatility"]

SHORT_DAYS = 20


def volatility(history: History) -> FloatArray:
    """Take the standard deviation of the daily log returns.

    Parameters
    ----------
    history : History
        The window.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=float64
        Volatility per day.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets).
    """
    return deviation(history.change)


def _change_of_volatility(history: History) -> FloatArray:
    return ratio(deviation(history.change[-SHORT_DAYS:]), deviation(history.change))


def _downside(history: History) -> FloatArray:
    """Root mean square of the falls; a rise counts as none."""
    return np.sqrt(average(np.minimum(history.change, 0.0) ** 2))


def _range(history: History) -> FloatArray:
    return average(np.log(history.high / history.low))


def _variability(history: History) -> FloatArray:
    """How uneven the size of the daily moves is."""
    size = np.abs(history.change)
    return ratio(deviation(size), average(size))


FEATURES = (
    Feature("volatility_20", group="volatility", window=20, needs=("close",), compute=volatility),
    Feature("volatility_60", group="volatility", window=60, needs=("close",), compute=volatility),
    Feature("volatility_252", group="volatility", window=252, needs=("close",), compute=volatility),
    Feature("volatility_20_to_120", group="volatility", window=120, needs=("close",), compute=_change_of_volatility),
    Feature("downside_60", group="volatility", window=60, needs=("close",), compute=_downside),
    Feature("range_20", group="volatility", window=20, needs=("high", "low"), compute=_range),
    Feature("variability_60", group="volatility", window=60, needs=("close",), compute=_variability),
)
