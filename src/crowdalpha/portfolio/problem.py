"""The question that the optimiser answers, checked, and its answer measured against it."""

from dataclasses import dataclass

import numpy as np

from crowdalpha.portfolio.checks import at_least, per_asset
from crowdalpha.portfolio.risk import FactorRisk
from crowdalpha.scoring.arrays import BoolArray, FloatArray
from crowdalpha.scoring.checks import NonFiniteError, RangeError, ShapeError, finite, matrix

__all__ = ["Limits", "PortfolioProblem", "PreparedProblem", "expected_returns"]


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
class PortfolioProblem:
    """Maximise `alpha'w - risk_aversion/2 * w'Cw - trading_cost'|w - previous| - impact'|w - previous|**1.5`.

    Weights are fractions of book value; alpha, risk and costs are over one and the same horizon.

    Attributes
    ----------
    alpha : ndarray of shape (n_assets,)
        Expected return; NaN for an asset that should not be held: it is closed if it can be traded.
    risk : FactorRisk
        C, over the same horizon.
    neutral : ndarray of shape (n_assets, n_rows)
        Columns a with `a'w = 0` exactly: ones for the dollar, market beta, dummies of country and sector.
        Linearly dependent columns are fine.
    previous : ndarray of shape (n_assets,)
        Weights held now.
    position_limit : float or ndarray of shape (n_assets,)
        Largest absolute weight.
    gross_limit : float
        Largest sum of absolute weights.
    turnover_limit : float
        Largest sum of absolute changes of weight, exits included.
    trading_cost : ndarray of shape (n_assets,)
        Linear cost per unit traded.
    risk_aversion : float
        At least 0.
    tradable : ndarray of shape (n_assets,), dtype=bool
        False freezes an asset at its previous weight.
    impact : ndarray of shape (n_assets,), optional
        Coefficient of the 3/2-power cost, see `CostModel.impact_coefficient`.
    """

    alpha: FloatArray
    risk: FactorRisk
    neutral: FloatArray
    previous: FloatArray
    position_limit: float | FloatArray
    gross_limit: float
    turnover_limit: float
    trading_cost: FloatArray
    risk_aversion: float
    tradable: BoolArray
    impact: FloatArray | None = None


@dataclass(frozen=True)
class Limits:
    """What bounds a solution; one that had to be relaxed holds the number that was used."""

    position: FloatArray
    gross: float
    turnover: float
    hedge_frozen: bool


@dataclass(frozen=True)
class PreparedProblem:
    """A checked problem, with unknown exposures of assets that are not decided on set to zero."""

    alpha: FloatArray
    risk: FactorRisk
    neutral: FloatArray
    previous: FloatArray
    trading_cost: FloatArray
    impact: FloatArray
    risk_aversion: float
    free: BoolArray
    fixed: FloatArray
    limits: Limits

    def cost(self, weights: FloatArray) -> float:
        """Cost of trading to `weights`."""
        size = np.abs(weights - self.previous)
        return float(self.trading_cost @ size + self.impact @ (size * np.sqrt(size)))

    def objective(self, weights: FloatArray) -> float:
        """Value that is maximised."""
        return float(
            self.alpha @ weights - self.risk_aversion / 2 * self.risk.variance(weights) - self.cost(weights),
        )

    def violation(self, weights: FloatArray, limits: Limits) -> float:
        """Largest amount by which `weights` breaks a limit or a neutrality, in units of weight."""
        hedged = weights if limits.hedge_frozen else np.where(self.free, weights, 0.0)
        excess = [
            np.abs(self.neutral.T @ hedged).max(initial=0.0),
            (np.abs(weights) - limits.position)[self.free].max(initial=0.0),
            np.abs(weights).sum() - limits.gross,
            np.abs(weights - self.previous).sum() - limits.turnover,
        ]
        return float(max(0.0, *excess))


def prepare(problem: PortfolioProblem) -> PreparedProblem:
    """Check a problem and split its assets into free, frozen and closed ones.

    Parameters
    ----------
    problem : PortfolioProblem
        As its attributes say.

    Returns
    -------
    PreparedProblem
        The same problem, with every array float64, finite and of one length.

    Raises
    ------
    ShapeError
        If lengths differ.
    NonFiniteError
        If a number that a free asset needs is missing.
    RangeError
        If a limit, a cost or a variance is negative.

    Notes
    -----
    NaN policy: refuse for assets that can be traded and have an alpha; omit for the others, whose unknown
    exposures count as zero. Cost: O(n_assets * (n_factors + n_rows)).
    """
    n_assets = len(problem.alpha)
    alpha = per_asset(problem.alpha, "alpha", n_assets=n_assets)
    previous = per_asset(problem.previous, "previous", n_assets=n_assets)
    if problem.tradable.shape != (n_assets,) or problem.tradable.dtype != np.bool_:
        raise ShapeError(f"tradable must hold one bool for each of {n_assets} assets, not {problem.tradable.shape}")
    finite(previous=previous)
    if np.isinf(alpha).any():
        raise NonFiniteError(f"alpha is infinite at row {int(np.argmax(np.isinf(alpha)))}; NaN means not to hold it")
    free = problem.tradable & ~np.isnan(alpha)
    decided = {
        "neutral": _rows(problem.neutral, "neutral", n_assets),
        "loadings": _rows(problem.risk.loadings, "risk.loadings", n_assets),
        "specific": per_asset(problem.risk.specific_variance, "risk.specific_variance", n_assets=n_assets),
        "cost": per_asset(problem.trading_cost, "trading_cost", n_assets=n_assets),
        "impact": per_asset(
            np.zeros(n_assets) if problem.impact is None else problem.impact, "impact", n_assets=n_assets
        ),
    }
    known = {name: _known(name, values, free) for name, values in decided.items()}
    risk = FactorRisk(known["loadings"], matrix(problem.risk.factor_covariance, "factor_covariance"), known["specific"])
    finite(factor_covariance=risk.factor_covariance)
    for name in ("specific", "cost", "impact"):
        at_least(float(known[name].min()), 0.0, name)
    return PreparedProblem(
        alpha=np.where(free, alpha, 0.0),
        risk=risk,
        neutral=known["neutral"],
        previous=previous,
        trading_cost=known["cost"],
        impact=known["impact"],
        risk_aversion=problem.risk_aversion,
        free=free,
        fixed=np.where(problem.tradable, 0.0, previous),
        limits=_limits(problem, n_assets),
    )


def _limits(problem: PortfolioProblem, n_assets: int) -> Limits:
    """Read the limits; each must be a number of at least zero."""
    position = np.broadcast_to(np.asarray(problem.position_limit, dtype=np.float64), (n_assets,))
    at_least(float(position.min()), 0.0, "position_limit")
    at_least(problem.gross_limit, 0.0, "gross_limit")
    at_least(problem.turnover_limit, 0.0, "turnover_limit")
    at_least(problem.risk_aversion, 0.0, "risk_aversion")
    if np.isinf(position).any() and np.isinf(problem.gross_limit):
        raise RangeError("position_limit and gross_limit are both infinite; one of them must bound the book")
    return Limits(position, problem.gross_limit, problem.turnover_limit, hedge_frozen=True)


def _rows(values: FloatArray, name: str, n_assets: int) -> FloatArray:
    rows = matrix(values, name)
    if len(rows) != n_assets:
        raise ShapeError(f"{name} has {len(rows)} rows for {n_assets} assets; align it with alpha first")
    return rows


def _known(name: str, values: FloatArray, free: BoolArray) -> FloatArray:
    """Refuse gaps of free assets, and read those of the others as zero."""
    gaps = ~np.isfinite(values)
    bad = free & (gaps if gaps.ndim == 1 else gaps.any(axis=1))
    if bad.any():
        raise NonFiniteError(f"{name} is not finite for asset {int(np.argmax(bad))}; set its alpha to NaN to close it")
    return np.where(gaps, 0.0, values)
