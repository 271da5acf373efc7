"""What participants predict: later returns, less what known factors explain of them.

A window starts `lag_days` after the era, so that a prediction made that evening could have been traded, and
lasts `horizon_days`, both counted in days of the panel.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from crowdalpha.market.arrays import BoolArray, FloatArray
from crowdalpha.market.factors import FactorKind

__all__ = [
    "FAMILIES",
    "HORIZON_DAYS",
    "LAG_DAYS",
    "PAYOUT_HORIZON_DAYS",
    "Family",
    "Rule",
    "factor_basis",
    "forward_returns",
    "residuals",
    "tilt_weights",
    "window_end",
]

Family = Literal["excess", "country", "sector", "neutral", "value", "momentum", "volatility", "capacity"]

LAG_DAYS = 2
PAYOUT_HORIZON_DAYS = 20
HORIZON_DAYS = (5, 20, 60)


@dataclass(frozen=True)
class Rule:
    """How a family of targets is made of returns.

    Parameters
    ----------
    kinds : tuple of FactorKind
        Kinds of factors that are taken out.
    styles : tuple of str
        Styles that are taken out where "style" is not among the kinds.
    tilt : {"value", "momentum", "volatility", "size"}, optional
        Exposure by which names are weighted.
    sign : float, default=1
        1 if names with much of it weigh more, -1 if those with little.
    """

    kinds: tuple[FactorKind, ...]
    styles: tuple[str, ...] = ()
    tilt: Literal["value", "momentum", "volatility", "size"] | None = None
    sign: float = 1.0


EVERY_KIND: tuple[FactorKind, ...] = ("market", "country", "sector", "style")
FAMILIES: Mapping[Family, Rule] = MappingProxyType(
    {
        "excess": Rule(("market",)),
        "country": Rule(("market", "country"), styles=("beta",)),
        "sector": Rule(("market", "country", "sector")),
        "neutral": Rule(EVERY_KIND),
        "value": Rule(EVERY_KIND, tilt="value"),
        "momentum": Rule(EVERY_KIND, tilt="momentum"),
        "volatility": Rule(EVERY_KIND, tilt="volatility", sign=-1.0),
        "capacity": Rule(EVERY_KIND, tilt="size"),
    }
)
TILT = 4.0
"""Steepness of the weights: a name half a deviation up weighs 0.88, one as far down 0.12."""
RANK_TOLERANCE = 1e-10


def window_end(row: int, *, horizon_days: int, lag_days: int = LAG_DAYS) -> int:
    """Row of the last day that a target of an era on `row` needs.

    Parameters
    ----------
    row : int
        Day of the era.
    horizon_days, lag_days : int
        Length of the window, and days before it starts.

    Returns
    -------
    int
        Row of the panel; the target is known at that day's close.

    Notes
    -----
    NaN policy: refuse (there are none). Cost: O(1).

    Examples
    --------
    >>> window_end(300, horizon_days=20)
    322
    """
    return row + lag_days + horizon_days


def forward_returns(carried: FloatArray, row: int, *, horizon_days: int, lag_days: int = LAG_DAYS) -> FloatArray:
    """Compute the return of the window of an era.

    Parameters
    ----------
    carried : ndarray of shape (n_days, n_assets), dtype=float64
        Total-return prices, carried over gaps as `carried_prices` does.
    row : int
        Day of the era.
    horizon_days, lag_days : int
        Length of the window, and days before it starts.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=float64
        Simple returns from the close of day `row + lag_days` to that of the last day. An asset that stops
        trading in between counts to its last price, one that stopped before the start has return 0. All NaN
        where the window ends after the panel.

    Notes
    -----
    NaN policy: propagate. Cost: O(n_assets).

    Examples
    --------
    >>> prices = np.array([[9.0], [9.0], [10.0], [12.0]])
    >>> forward_returns(prices, 0, horizon_days=1)
    array([0.2])
    """
    end = window_end(row, horizon_days=horizon_days, lag_days=lag_days)
    if end >= len(carried):
        return np.full(carried.shape[1], np.nan)
    change: FloatArray = carried[end] / carried[row + lag_days] - 1.0
    return change


def factor_basis(exposures: FloatArray) -> FloatArray:
    """Find an orthonormal basis of what the factors span.

    Parameters
    ----------
    exposures : ndarray of shape (n_assets, n_factors), dtype=float64
        Exposures of the assets of one era; collinear columns and columns of zeros are allowed.

    Returns
    -------
    ndarray of shape (n_assets, rank), dtype=float64
        Orthonormal columns.

    Notes
    -----
    NaN policy: refuse. Cost: O(n_assets * n_factors**2). Directions whose share of the largest eigenvalue of the
    Gram matrix is under 1e-10 count as collinear. Columns of zeros are left out first, so that a factor that
    no asset has yet changes no bit.
    """
    used = exposures[:, exposures.any(axis=0)]
    eigenvalues, vectors = np.linalg.eigh(used.T @ used)
    kept = eigenvalues > RANK_TOLERANCE * eigenvalues.max(initial=0.0)
    basis: FloatArray = used @ (vectors[:, kept] / np.sqrt(eigenvalues[kept]))
    return basis


def tilt_weights(exposure: FloatArray) -> FloatArray:
    """Weigh names by an exposure.

    Parameters
    ----------
    exposure : ndarray of any shape, dtype=float64
        Z-scores.

    Returns
    -------
    ndarray of the same shape, dtype=float64
        Logistic function of four times the exposure, between 0 and 1.

    Notes
    -----
    NaN policy: propagate. Cost: O(n).

    Examples
    --------
    >>> tilt_weights(np.array([-0.5, 0.0, 0.5])).round(2)
    array([0.12, 0.5 , 0.88])
    """
    weights: FloatArray = 1.0 / (1.0 + np.exp(-TILT * exposure))
    return weights


def residuals(
    returns: FloatArray, basis: FloatArray, member: BoolArray, *, weights: FloatArray | None = None
) -> FloatArray:
    """Take from the returns of one era what the factors explain.

    Parameters
    ----------
    returns : ndarray of shape (n_assets,), dtype=float64
        Returns of all assets of the panel.
    basis : ndarray of shape (n_members, rank), dtype=float64
        As `factor_basis` returns it for the members; with weights, of exposures times their square roots.
    member : ndarray of shape (n_assets,), dtype=bool
        Universe of the era.
    weights : ndarray of shape (n_members,), dtype=float64, optional
        Weights of the regression, positive.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=float64
        Residuals of a least squares regression, times the weights if there are any, in the unit of `returns`; NaN
        outside the universe, and for all where a member's return is not known or there are no more assets than
        factors.

    Notes
    -----
    NaN policy: propagate. Cost: O(n_members * rank). Projected twice, which takes the rounding of the first time
    out: the residual, times its weight, is orthogonal to each factor to about 1e-15 of its length. So a book that
    holds each name by its target is neutral, with weights too.
    """
    out = np.full(len(returns), np.nan)
    left = returns[member]
    if len(left) <= basis.shape[1]:
        return out
    roots = None if weights is None else np.sqrt(weights)
    left = left if roots is None else left * roots
    left = left - basis @ (basis.T @ left)
    left = left - basis @ (basis.T @ left)
    out[member] = left if roots is None else left * roots
    return out
