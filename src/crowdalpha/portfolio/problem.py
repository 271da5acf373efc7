"""The question that the optimiser answers: what is expected, what is allowed, what it costs."""

from dataclasses import dataclass

import numpy as np

from crowdalpha.portfolio.checks import per_asset
from crowdalpha.scoring.arrays import BoolArray, FloatArray
from crowdalpha.scoring.checks import RangeError

__all__ = ["Constraints", "Limits", "OptimizerSettings", "TradeCosts", "expected_returns"]


def expected_returns(signal: FloatArray, *, volatility: FloatArray, information_coefficient: float) -> FloatArray:
    """Turn a signal into expected returns: skill times volatility times score.

    Parameters
    ----------
    signal : ndarray of shape (n_assets,), dtype=float64
        The meta model, any unit; z-scored here over the assets that have one, and not ranked.
    volatility : ndarray of shape (n_assets,), dtype=float64
        Volatility of residual return over the horizon of the optimisation.
    information_coefficient : float in [-1, 1]
        Expected correlation of the signal with residual return.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=float64
        Expected residual return over the same horizon; NaN where either input is. All 0 for a constant signal,
        which says nothing about any asset.

    Raises
    ------
    ShapeError
        If the lengths differ.
    RangeError
        If the information coefficient is no correlation.

    Notes
    -----
    NaN policy: propagate (and omit from the z-score). Cost: O(n_assets).

    References
    ----------
    .. [1] R. Grinold, "Alpha is volatility times IC times score", Journal of Portfolio Management 20 (1994).

    Examples
    --------
    >>> expected_returns(np.array([3.0, 1.0]), volatility=np.array([0.1, 0.2]), information_coefficient=0.05)
    array([ 0.005, -0.01 ])
    """
    values = per_asset(signal, "signal", n_assets=len(volatility))
    if not -1 <= information_coefficient <= 1:
        raise RangeError(f"information_coefficient is {information_coefficient}; it is a correlation, in [-1, 1]")
    known = np.isfinite(values)
    if not known.any() or values[known].min() == values[known].max():
        return np.where(known, 0.0 * volatility, np.nan)
    score = (values - values[known].mean()) / values[known].std()
    return np.where(known, information_coefficient * volatility * score, np.nan)


@dataclass(frozen=True, kw_only=True)
class Constraints:
    """What a book may be; everything is off by default.

    Weights and limits are fractions of book value. A single number stands for every asset.

    Attributes
    ----------
    neutral : ndarray of shape (n_assets, n_rows), optional
        Columns a with `a'w = 0` exactly: ones for the dollar, market beta, dummies of country and sector, factors.
        Linearly dependent columns are fine.
    banded : ndarray of shape (n_assets, n_bands), optional
        Columns whose exposure may be up to `band` on either side.
    band : float or ndarray of shape (n_bands,), default=0
        Largest absolute exposure.
    position_limit : float or ndarray of shape (n_assets,), default=inf
        Largest absolute weight.
    lower, upper : float or ndarray of shape (n_assets,), default=-inf, inf
        Bounds of a weight that nothing relaxes.
    capacity : ndarray of shape (n_assets,), optional
        Largest absolute weight that the volume of an asset bears; 0 or NaN for an asset without volume, which is
        not traded.
    trade_limit : float or ndarray of shape (n_assets,), default=inf
        Largest absolute change of a weight.
    gross_limit, net_limit, turnover_limit : float, default=inf
        Largest sum of absolute weights, absolute sum of weights, and sum of absolute changes, exits included.
    borrow_limit : float or ndarray of shape (n_assets,), default=inf
        Largest short weight that can be borrowed; 0 for a name on the no-short list.
    tradable : ndarray of shape (n_assets,), dtype=bool, optional
        False freezes an asset at its previous weight; all can be traded by default.
    assets, rows : tuple of str, default=()
        Names of the assets and of the columns of `neutral`, for messages; numbers otherwise.
    """

    neutral: FloatArray | None = None
    banded: FloatArray | None = None
    band: float | FloatArray = 0.0
    position_limit: float | FloatArray = np.inf
    lower: float | FloatArray = -np.inf
    upper: float | FloatArray = np.inf
    capacity: FloatArray | None = None
    trade_limit: float | FloatArray = np.inf
    gross_limit: float = np.inf
    net_limit: float = np.inf
    turnover_limit: float = np.inf
    borrow_limit: float | FloatArray = np.inf
    tradable: BoolArray | None = None
    assets: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TradeCosts:
    """What the optimiser charges, over its horizon; a single number stands for every asset.

    Attributes
    ----------
    linear : float or ndarray of shape (n_assets,), default=0
        Per unit traded: half the spread, commission, fees.
    impact : float or ndarray of shape (n_assets,), default=0
        Factor of `|trade|**1.5`, see `CostModel.impact_coefficient`.
    borrow : float or ndarray of shape (n_assets,), default=0
        Per unit of short weight held.
    """

    linear: float | FloatArray = 0.0
    impact: float | FloatArray = 0.0
    borrow: float | FloatArray = 0.0


@dataclass(frozen=True, kw_only=True)
class OptimizerSettings:
    """How much risk costs, and how exactly the answer is wanted.

    Attributes
    ----------
    risk_aversion : float, default=1
        Factor of half the variance, at least 0.
    ridge : float, default=0
        Factor of half the sum of squared weights, at least 0.
    tolerance : float, default=1e-12
        Largest miss of a coupling row, as a weight, at which Newton stops.
    max_gap : float, default=1e-9
        Largest duality gap, a return, with which an answer is given.
    max_iterations : int, default=100
        Newton steps before the interior-point solver is asked.
    """

    risk_aversion: float = 1.0
    ridge: float = 0.0
    tolerance: float = 1e-12
    max_gap: float = 1e-9
    max_iterations: int = 100


@dataclass(frozen=True)
class Limits:
    """What bounds a solution; one that had to be relaxed holds the number that was used.

    Attributes
    ----------
    position : ndarray of shape (n_assets,)
        Largest absolute weight.
    gross, turnover : float
        Largest sums of absolute weights and of absolute changes.
    hedge_frozen : bool
        Whether frozen positions take part in the neutrality.
    net : float, default=inf
        Largest absolute sum of weights.
    bands_hold, trades_hold : bool, default=True
        Whether bands and limits of single trades are in force.
    """

    position: FloatArray
    gross: float
    turnover: float
    hedge_frozen: bool
    net: float = np.inf
    bands_hold: bool = True
    trades_hold: bool = True
