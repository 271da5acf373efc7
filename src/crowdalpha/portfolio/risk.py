"""Factor risk: a covariance as loadings, factor covariance and specific variance; n x n is never formed.

Each day's returns are regressed on the same exposures; what the regression explains becomes the factor
covariance, what it leaves becomes specific variance.
"""

from dataclasses import dataclass

import numpy as np

from crowdalpha.portfolio.checks import at_least, per_asset
from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.checks import NonFiniteError, ShapeError, finite, in_range, matrix

__all__ = ["FactorRisk", "bias_statistic", "estimate_risk"]

FACTOR_SHRINKAGE = 0.1
"""Share of the factor correlations that is not believed: off-diagonal elements keep 90 %. An assumption."""

SPECIFIC_PRIOR_DAYS = 20
"""Days of evidence that the cross-sectional median variance is worth: a stock with 20 days is half itself."""

SPECIFIC_FLOOR = 0.05
"""Lowest specific variance, as a share of the median: about a fifth of the median volatility."""

_RIDGE = 1e-10
"""Keeps a day solvable on which a whole country did not trade; relative to an orthonormal basis."""


@dataclass(frozen=True)
class FactorRisk:
    """A covariance matrix `B F B' + diag(D)`, in parts.

    Attributes
    ----------
    loadings : ndarray of shape (n_assets, n_factors), dtype=float64
        B, exposures of the assets.
    factor_covariance : ndarray of shape (n_factors, n_factors), dtype=float64
        F, per period.
    specific_variance : ndarray of shape (n_assets,), dtype=float64
        D, per period.
    """

    loadings: FloatArray
    factor_covariance: FloatArray
    specific_variance: FloatArray

    def variance(self, weights: FloatArray) -> float:
        """Predict the variance of a book.

        Parameters
        ----------
        weights : ndarray of shape (n_assets,), dtype=float64
            Fractions of book value.

        Returns
        -------
        float
            Variance of its return per period.

        Raises
        ------
        ShapeError
            If there is not one weight per asset.

        Notes
        -----
        NaN policy: propagate. Cost: O(n_assets * n_factors).
        """
        held = per_asset(weights, "weights", n_assets=len(self.specific_variance))
        factors = self.loadings.T @ held
        return float(factors @ self.factor_covariance @ factors + (self.specific_variance * held**2).sum())

    def covariance(self) -> FloatArray:
        """Form the matrix itself: for small universes and tests; an optimiser takes the parts.

        Returns
        -------
        ndarray of shape (n_assets, n_assets), dtype=float64
            `B F B' + diag(D)`.

        Notes
        -----
        NaN policy: propagate. Cost: O(n_assets**2 * n_factors).
        """
        whole: FloatArray = self.loadings @ self.factor_covariance @ self.loadings.T
        whole[np.diag_indices(len(whole))] += self.specific_variance
        return whole

    def scaled(self, periods: float) -> "FactorRisk":
        """Restate the risk over a longer horizon, taking returns of different periods as uncorrelated.

        Parameters
        ----------
        periods : float
            Length of the new period in old ones; 20 turns daily into monthly risk.

        Returns
        -------
        FactorRisk
            The same loadings, with covariance and variance times `periods`.

        Raises
        ------
        RangeError
            If `periods` is negative.

        Notes
        -----
        NaN policy: propagate. Cost: O(n_factors**2 + n_assets).
        """
        at_least(periods, 0.0, "periods")
        return FactorRisk(self.loadings, self.factor_covariance * periods, self.specific_variance * periods)


def estimate_risk(
    returns: FloatArray,
    exposures: FloatArray,
    *,
    half_life_days: float = 90,
    factor_shrinkage: float = FACTOR_SHRINKAGE,
    specific_prior_days: float = SPECIFIC_PRIOR_DAYS,
    specific_floor: float = SPECIFIC_FLOOR,
) -> FactorRisk:
    """Estimate daily factor risk from a window of daily returns.

    Parameters
    ----------
    returns : ndarray of shape (n_days, n_assets), dtype=float64
        Daily returns, oldest first, known at the time of the estimate; NaN where an asset did not trade.
    exposures : ndarray of shape (n_assets, n_factors), dtype=float64
        Exposures at the time of the estimate, used for every day; collinear columns are allowed. Nothing is
        added: pass a column of ones to have a market factor.
    half_life_days : float, default=90
        Days after which an observation counts half.
    factor_shrinkage : float in [0, 1], default=0.1
        Share by which the off-diagonal elements of the factor covariance are reduced.
    specific_prior_days : float, default=20
        Days of evidence that the median specific variance is worth.
    specific_floor : float, default=0.05
        Lowest specific variance, as a share of the median.

    Returns
    -------
    FactorRisk
        Daily units. An asset without a single return gets the median specific variance.

    Raises
    ------
    ShapeError
        If the assets of the two arrays differ.
    NonFiniteError
        If an exposure is not finite, a return is infinite, or no day has more returns than factors.
    RangeError
        If an option is out of its range.

    Notes
    -----
    NaN policy: omit (an asset is out of the regression on the days it did not trade). Unweighted least squares;
    among collinear exposures the shortest vector of factor returns. Second moments are taken around zero, since a
    daily mean is noise. Residual variances are scaled by n / (n - rank) of their day. Serial correlation is not
    modelled: check with `bias_statistic`. Cost: O(n_days * n_assets * n_factors), and n_factors**2 more for each
    missing return.

    References
    ----------
    .. [1] E. Fama, J. MacBeth, "Risk, return, and equilibrium", Journal of Political Economy 81 (1973).
    .. [2] R. Grinold, R. Kahn, "Active Portfolio Management", 2nd ed. (1999), chapter 3.

    Examples
    --------
    >>> market = np.array([[0.01], [-0.01]] * 50) * np.ones(4)
    >>> risk = estimate_risk(market, np.ones((4, 1)))
    >>> round(float(risk.factor_covariance[0, 0]), 6), float(risk.specific_variance.max()) < 1e-20
    (0.0001, True)
    """
    days, loadings = matrix(returns, "returns"), matrix(exposures, "exposures")
    finite(exposures=loadings)
    if days.shape[1] != len(loadings):
        raise ShapeError(f"returns has {days.shape[1]} assets and exposures {len(loadings)}; align them first")
    if np.isinf(days).any():
        raise NonFiniteError("returns holds an infinity; a price of zero is no price, drop it first")
    at_least(half_life_days, np.finfo(np.float64).tiny, "half_life_days")
    at_least(specific_prior_days, 0.0, "specific_prior_days")
    at_least(specific_floor, 0.0, "specific_floor")
    in_range(factor_shrinkage, 0.0, 1.0, "factor_shrinkage")

    basis, back = _orthonormal_basis(loadings)
    coordinates, residuals, usable = _regress(days, basis)
    decay = 0.5 ** (np.arange(len(days))[::-1] / half_life_days) * usable
    factor_returns = coordinates @ back.T
    covariance = (factor_returns * decay[:, None]).T @ factor_returns / decay.sum()
    covariance = (1 - factor_shrinkage) * covariance + factor_shrinkage * np.diag(np.diag(covariance))
    specific = _specific_variance(residuals, decay, prior_days=specific_prior_days, floor=specific_floor)
    return FactorRisk(loadings, (covariance + covariance.T) / 2, specific)


def _orthonormal_basis(exposures: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Split exposures into an orthonormal basis of their columns and the way back to shortest factor returns."""
    left, singular, right = np.linalg.svd(exposures, full_matrices=False)
    keep = singular > singular.max(initial=0.0) * max(exposures.shape) * np.finfo(np.float64).eps
    return left[:, keep], right[keep].T / singular[keep]


def _regress(days: FloatArray, basis: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Regress each day on the basis; residuals are NaN where the return is, and scaled for lost freedom."""
    n_assets, rank = basis.shape
    traded = ~np.isnan(days)
    counts = traded.sum(axis=1)
    usable = (counts > rank).astype(np.float64)
    if not usable.any():
        raise NonFiniteError(f"returns: no day has more than {rank} returns, as many as there are factors to estimate")
    filled = np.where(traded, days, 0.0)
    coordinates = filled @ basis
    gaps = np.flatnonzero((counts < n_assets) & (usable > 0))
    if len(gaps):
        absent = (basis[~traded[day]] for day in gaps)
        grams = (1 + _RIDGE) * np.eye(rank) - np.stack([rows.T @ rows for rows in absent])
        coordinates[gaps] = np.linalg.solve(grams, coordinates[gaps][:, :, None])[:, :, 0]
    coordinates *= usable[:, None]
    freedom = np.sqrt(counts / np.maximum(counts - rank, 1))
    residuals = np.where(traded & (usable[:, None] > 0), (days - coordinates @ basis.T) * freedom[:, None], np.nan)
    return coordinates, residuals, usable


def _specific_variance(residuals: FloatArray, decay: FloatArray, *, prior_days: float, floor: float) -> FloatArray:
    """Exponentially weighted mean square per asset, shrunk to the median by how little was seen, then floored."""
    seen = ~np.isnan(residuals)
    weight = decay @ seen
    known = weight > 0
    raw = np.zeros(residuals.shape[1])
    squares = decay @ np.where(seen, residuals, 0.0) ** 2
    raw[known] = squares[known] / weight[known]
    effective_days = np.zeros(residuals.shape[1])
    effective_days[known] = weight[known] ** 2 / ((decay**2) @ seen)[known]
    median = np.median(raw[known])
    own = effective_days / (effective_days + prior_days) if prior_days > 0 else known.astype(np.float64)
    return np.maximum(own * raw + (1 - own) * median, floor * median)


def bias_statistic(realized: FloatArray, predicted_volatility: FloatArray) -> float:
    """Compare realised returns with the volatility that was predicted for them.

    Parameters
    ----------
    realized : ndarray of shape (n_periods,), dtype=float64
        Returns of a book, one per period.
    predicted_volatility : ndarray of shape (n_periods,), dtype=float64
        Volatility predicted before each period, in the same unit and above zero.

    Returns
    -------
    float
        Root mean square of the ratio: 1 if the model is right, above 1 if it understates risk.

    Raises
    ------
    ShapeError
        If the lengths differ.
    NonFiniteError
        If a value is not finite.
    RangeError
        If a predicted volatility is not above zero.

    Notes
    -----
    NaN policy: refuse. Cost: O(n_periods).

    References
    ----------
    .. [1] G. Connor, L. Goldberg, R. Korajczyk, "Portfolio Risk Analysis" (2010), chapter on validation.

    Examples
    --------
    >>> bias_statistic(np.array([0.02, -0.02]), np.array([0.01, 0.01]))
    2.0
    """
    observed = per_asset(realized, "realized", n_assets=len(predicted_volatility))
    finite(realized=observed, predicted_volatility=predicted_volatility)
    at_least(float(predicted_volatility.min()), np.finfo(np.float64).tiny, "predicted_volatility")
    return float(np.sqrt(np.mean((observed / predicted_volatility) ** 2)))
