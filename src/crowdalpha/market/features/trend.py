"""Features of slow price moves."""

import numpy as np

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.features.declaration import Feature
from crowdalpha.market.history import History
from crowdalpha.market.windows import average, highest, lowest, total

__all__ = ["FEATURES", "SKIPPED_DAYS", "momentum", "momentum_but_last_month"]

SKIPPED_DAYS = 20


def momentum(history: History) -> FloatArray:
    """Sum the log returns of all days of the window.

    Parameters
    ----------
    history : History
        The window.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=float64
        Log return.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets).
    """
    return total(history.change)


def momentum_but_last_month(history: History) -> FloatArray:
    """Sum the log returns of all but the last 20 days of the window.

    Parameters
    ----------
    history : History
        The window.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=float64
        Log return.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets).

    References
    ----------
    .. [1] N. Jegadeesh and S. Titman, "Returns to Buying Winners and Selling Losers", Journal of Finance 48
       (1993); the last month is left out because it reverts.
    """
    return total(history.change[:-SKIPPED_DAYS])


def _below_high(history: History) -> FloatArray:
    return _log_ratio(history.close[-1], highest(history.close))


def _above_low(history: History) -> FloatArray:
    return _log_ratio(history.close[-1], lowest(history.close))


def _above_average(history: History) -> FloatArray:
    return _log_ratio(history.close[-1], average(history.close))


def _log_ratio(price: FloatArray, reference: FloatArray) -> FloatArray:
    logs: FloatArray = np.log(price / reference)
    return logs


def _share_of_up_days(history: History) -> FloatArray:
    up = np.where(np.isnan(history.change), np.nan, history.change > 0)
    return average(up)


FEATURES = (
    Feature("momentum_60", group="trend", window=60, needs=("close",), compute=momentum),
    Feature("momentum_120", group="trend", window=120, needs=("close",), compute=momentum),
    Feature("momentum_120_skip_20", group="trend", window=120, needs=("close",), compute=momentum_but_last_month),
    Feature("momentum_252_skip_20", group="trend", window=252, needs=("close",), compute=momentum_but_last_month),
    Feature("below_high_252", group="trend", window=252, needs=("close",), compute=_below_high),
    Feature("above_low_252", group="trend", window=252, needs=("close",), compute=_above_low),
    Feature("above_average_50", group="trend", window=50, needs=("close",), compute=_above_average),
    Feature("above_average_200", group="trend", window=200, needs=("close",), compute=_above_average),
    Feature("up_days_120", group="trend", window=120, needs=("close",), compute=_share_of_up_days),
)
