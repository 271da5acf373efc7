"""Features of how much is traded. All use traded value, which a split leaves as it is."""

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.features.declaration import Column, Feature
from crowdalpha.market.history import History
from crowdalpha.market.windows import average, correlation, deviation, ratio

__all__ = ["FEATURES", "traded_value_trend"]

RECENT_DAYS = 5
SHORT_DAYS = 20


def traded_value_trend(history: History) -> FloatArray:
    """Compare the mean log traded value of the last 20 days with that of the window.

    Parameters
    ----------
    history : History
        The window.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=float64
        Difference of logs.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets).
    """
    return average(history.log_value[-SHORT_DAYS:]) - average(history.log_value)


def _traded_value(history: History) -> FloatArray:
    return average(history.log_value)


def _illiquidity(history: History) -> FloatArray:
    """Price move per traded value (Y. Amihud, "Illiquidity and stock returns", 2002)."""
    return average(history.illiquidity)


def _surprise(history: History) -> FloatArray:
    level = average(history.log_value)
    return ratio(average(history.log_value[-RECENT_DAYS:]) - level, deviation(history.log_value))


def _variability(history: History) -> FloatArray:
    return deviation(history.log_value)


def _with_return(history: History) -> FloatArray:
    return correlation(history.log_value, history.change)


NEEDS: tuple[Column, ...] = ("close", "volume")
FEATURES = (
    Feature("traded_value_60", group="liquidity", window=60, needs=NEEDS, compute=_traded_value),
    Feature("illiquidity_60", group="liquidity", window=60, needs=NEEDS, compute=_illiquidity),
    Feature("value_surprise_5_60", group="liquidity", window=60, needs=NEEDS, compute=_surprise),
    Feature("value_trend_20_120", group="liquidity", window=120, needs=NEEDS, compute=traded_value_trend),
    Feature("value_variability_60", group="liquidity", window=60, needs=NEEDS, compute=_variability),
    Feature("value_with_return_60", group="liquidity", window=60, needs=NEEDS, compute=_with_return),
)
