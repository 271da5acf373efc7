"""Features of how easily a name is traded, and how much of it."""

from functools import partial

import numpy as np

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.features.channels import Lagged, Minus, change, illiquidity, log_range, log_value
from crowdalpha.market.features.declaration import Column, Feature, over
from crowdalpha.market.features.view import View
from crowdalpha.market.history import History
from crowdalpha.market.windows import ratio

__all__ = ["FEATURES"]

GROUP = "liquidity"
NEEDS: tuple[Column, ...] = ("close", "volume")
SPREAD_WEIGHT = 3.0 - 2.0 * np.sqrt(2.0)


def _traded_value(view: View, days: int) -> FloatArray:
    return view.average(log_value, days)


def _illiquidity(view: View, days: int) -> FloatArray:
    """Price move per traded value (Y. Amihud, "Illiquidity and stock returns", 2002)."""
    return view.average(illiquidity, days)


def _illiquidity_term(view: View, days: int, *, short: int) -> FloatArray:
    return ratio(view.average(illiquidity, short), view.average(illiquidity, days))


def _uneven_illiquidity(view: View, days: int) -> FloatArray:
    return ratio(view.deviation(illiquidity, days), view.average(illiquidity, days))


def _in_falls(view: View, days: int) -> FloatArray:
    """Share of the illiquidity that comes with falls."""
    return ratio(view.average(_illiquidity_of_falls, days), view.average(illiquidity, days))


def _illiquidity_of_falls(history: History) -> FloatArray:
    return history.illiquidity * (history.change < 0)


def _still_days(view: View, days: int) -> FloatArray:
    """Share of days whose close is that of the day before (D. Lesmond et al., 1999)."""
    return view.average(_still, days)


def _still(history: History) -> FloatArray:
    return np.where(np.isnan(history.change), np.nan, history.change == 0)


def _capacity(view: View, days: int) -> FloatArray:
    """Traded value of the thinnest day: what can be traded on any day."""
    return -view.highest(Minus(log_value), days)


def _thinnest_to_usual(view: View, days: int) -> FloatArray:
    return _capacity(view, days) - view.average(log_value, days)


def _bounce(view: View, days: int) -> FloatArray:
    """Spread from the covariance of returns with those of the day before (R. Roll, 1984); signed root."""
    covariance = view.moments(change, Lagged(change), days).covariance
    return -np.sign(covariance) * np.sqrt(np.abs(covariance))


def _spread(view: View, days: int) -> FloatArray:
    """Spread from the highs and lows of two days (S. Corwin and P. Schultz, 2012)."""
    return view.average(_daily_spread, days)


def _daily_spread(history: History) -> FloatArray:
    squares = np.log(history.high / history.low) ** 2
    beta, gamma = np.full(squares.shape, np.nan), np.full(squares.shape, np.nan)
    beta[1:] = squares[1:] + squares[:-1]
    both = np.maximum(history.high[1:], history.high[:-1]) / np.minimum(history.low[1:], history.low[:-1])
    gamma[1:] = np.log(both) ** 2
    alpha = (np.sqrt(2.0 * beta) - np.sqrt(beta)) / SPREAD_WEIGHT - np.sqrt(gamma / SPREAD_WEIGHT)
    return np.where(np.isnan(alpha), np.nan, 2.0 * np.tanh(np.maximum(alpha, 0.0) / 2.0))


def _range_per_value(view: View, days: int) -> FloatArray:
    return ratio(view.average(log_range, days), view.average(log_value, days))


FEATURES: tuple[Feature, ...] = (
    *over(
        (5, 20, 60, 120, 252), "traded_value_{}", _traded_value, group=GROUP, needs=NEEDS, small=(60,), medium=(252,)
    ),
    *over((5, 20, 60, 120, 252), "illiquidity_{}", _illiquidity, group=GROUP, needs=NEEDS, small=(60,)),
    *over((60, 120, 252), "illiquidity_20_to_{}", partial(_illiquidity_term, short=20), group=GROUP, needs=NEEDS),
    *over((252,), "illiquidity_60_to_{}", partial(_illiquidity_term, short=60), group=GROUP, needs=NEEDS, small=(252,)),
    *over((60, 252), "uneven_illiquidity_{}", _uneven_illiquidity, group=GROUP, needs=NEEDS),
    *over((60, 252), "illiquidity_in_falls_{}", _in_falls, group=GROUP, needs=NEEDS, medium=(60,)),
    *over((20, 60, 252), "still_days_{}", _still_days, group=GROUP, medium=(252,)),
    *over((20, 60, 252), "capacity_{}", _capacity, group=GROUP, needs=NEEDS, small=(60,)),
    *over((20, 60, 252), "thinnest_to_usual_{}", _thinnest_to_usual, group=GROUP, needs=NEEDS, medium=(60,)),
    *over((20, 60, 240), "bounce_{}", _bounce, group=GROUP, extra=1, medium=(60,)),
    *over((20, 60, 240), "spread_{}", _spread, group=GROUP, needs=("high", "low"), extra=1, medium=(60,)),
    *over((20, 60, 252), "range_per_value_{}", _range_per_value, group=GROUP, needs=("high", "low", "volume")),
)
