"""Features against the market and against the sector."""

import numpy as np

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.features.declaration import Feature
from crowdalpha.market.features.trend import SKIPPED_DAYS
from crowdalpha.market.history import History
from crowdalpha.market.windows import ratio, total

__all__ = ["FEATURES", "market_beta"]

SHORT_DAYS = 20


def market_beta(history: History) -> FloatArray:
    """Regress the daily log returns on those of the equal-weight market.

    Parameters
    ----------
    history : History
        The window.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=float64
        Slopes.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets).
    """
    return history.on_market.beta


def _market_correlation(history: History) -> FloatArray:
    return history.on_market.correlation


def _idiosyncratic_volatility(history: History) -> FloatArray:
    return history.on_market.residual_deviation


def _recent_residual(history: History) -> FloatArray:
    """Return of the last 20 days less beta times the market's, beta from the whole window."""
    recent = slice(-SHORT_DAYS, None)
    return total(history.change[recent] - market_beta(history) * history.market[recent])


def _residual_momentum(history: History) -> FloatArray:
    """Residual return of all but the last month in units of its own volatility.

    D. Blitz, J. Huij and M. Martens, "Residual momentum", Journal of Empirical Finance 18 (2011).
    """
    earlier = slice(None, -SKIPPED_DAYS)
    residual = total(history.change[earlier] - market_beta(history) * history.market[earlier])
    return ratio(residual, _idiosyncratic_volatility(history) * np.sqrt(len(history.change) - SKIPPED_DAYS))


def _against_sector(history: History) -> FloatArray:
    return total(history.change - history.sector)


def _against_sector_but_last_month(history: History) -> FloatArray:
    return total((history.change - history.sector)[:-SKIPPED_DAYS])


FEATURES = (
    Feature("beta_60", group="relative", window=60, needs=("close",), compute=market_beta),
    Feature("beta_252", group="relative", window=252, needs=("close",), compute=market_beta),
    Feature("market_correlation_120", group="relative", window=120, needs=("close",), compute=_market_correlation),
    Feature("own_volatility_60", group="relative", window=60, needs=("close",), compute=_idiosyncratic_volatility),
    Feature("residual_20", group="relative", window=252, needs=("close",), compute=_recent_residual),
    Feature("residual_momentum_252", group="relative", window=252, needs=("close",), compute=_residual_momentum),
    Feature("to_sector_5", group="relative", window=5, needs=("close",), compute=_against_sector),
    Feature("to_sector_20", group="relative", window=20, needs=("close",), compute=_against_sector),
    Feature(
        "to_sector_252_skip_20", group="relative", window=252, needs=("close",), compute=_against_sector_but_last_month
    ),
)
