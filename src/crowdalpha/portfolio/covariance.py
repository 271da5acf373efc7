"""Covariances from samples, cleaned: shrinkage, Marchenko-Pastur denoising, detoning.

A sample covariance of n assets over T days has noise in every eigenvalue, and an optimiser looks for exactly the
directions whose noise makes them look safe. Denoising answers as `FactorRisk`, so that the optimiser never meets an
n x n matrix; where T < n the T x T Gram matrix is decomposed instead.
"""

import numpy as np

from crowdalpha.portfolio.checks import at_least
from crowdalpha.portfolio.risk import FactorRisk
from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.checks import NonFiniteError, RangeError, ShapeError, finite, matrix

__all__ = ["denoise", "detone", "shrink", "signal_count"]

WHITENING_ROUNDS = 30
"""Rounds of removing factors and rescaling; five to fifteen are enough for the count to settle in simulations."""

TRACY_WIDOM_95 = 0.9793
"""95 % quantile of the Tracy-Widom law of order 1: the largest eigenvalue of noise strays that far above the edge."""

_LOWEST_SHARE = 0.05
"""Least share of an asset that is taken as left after removing factors: where it is all gone, nothing can be told."""


def shrink(returns: FloatArray) -> tuple[FloatArray, float]:
    """Shrink the sample covariance towards a multiple of the identity by the Ledoit-Wolf share.

    Parameters
    ----------
    returns : ndarray of shape (n_days, n_assets), dtype=float64
        Returns, one period a row.

    Returns
    -------
    covariance : ndarray of shape (n_assets, n_assets), dtype=float64
        Positive semidefinite, and definite if anything varied at all.
    shrinkage : float in [0, 1]
        Share of the target.

    Raises
    ------
    ShapeError
        If there are fewer than two days.
    NonFiniteError
        If a return is not finite.

    Notes
    -----
    NaN policy: refuse. Cost: O(n_days * n_assets * min(n_days, n_assets)), and n_assets**2 for the answer. Divides by
    n_days, as the paper does.

    References
    ----------
    .. [1] O. Ledoit, M. Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", Journal of
       Multivariate Analysis 88 (2004).

    Examples
    --------
    >>> covariance, share = shrink(np.array([[0.01, 0.0], [-0.01, 0.0], [0.0, 0.02], [0.0, -0.02]]))
    >>> bool(0 < share <= 1), bool(covariance[1, 1] > covariance[0, 0] > 0)
    (True, True)
    """
    centred, _ = _centred(returns)
    n_days, n_assets = centred.shape
    sample = centred.T @ centred / n_days
    level = float(np.trace(sample)) / n_assets
    squared = float((sample**2).sum())
    distance = squared - n_assets * level**2
    noise = (float((((centred**2).sum(axis=1)) ** 2).sum()) / n_days - squared) / n_days
    share = float(np.clip(noise / distance, 0.0, 1.0)) if distance > 0 else 1.0
    shrunk = (1 - share) * sample
    shrunk[np.diag_indices(n_assets)] += share * level
    return shrunk, share


def denoise(returns: FloatArray, *, debias: bool = True) -> FactorRisk:
    """Keep the eigenvalues of the correlation that noise cannot explain; replace the others by their mean.

    Parameters
    ----------
    returns : ndarray of shape (n_days, n_assets), dtype=float64
        Returns, one period a row.
    debias : bool, default=True
        Whether to take out of each kept eigenvalue what noise adds to it.

    Returns
    -------
    FactorRisk
        In the unit of `returns`; as many factors as were kept, uncorrelated with unit variance. The variances are
        those of the sample.

    Raises
    ------
    ShapeError
        If there are fewer than two days.
    NonFiniteError
        If a return is not finite.
    RangeError
        If an asset never moved: it has no correlation.

    Notes
    -----
    NaN policy: refuse. Cost: one eigendecomposition of size min(n_days, n_assets). Eigenvalues are kept while they
    are above what the largest of pure noise, of the size that is left, stays below in 95 % of draws. Residual
    variances that differ much widen the spectrum and some noise is kept; `signal_count` counts without it.

    References
    ----------
    .. [1] V. Marchenko, L. Pastur, "Distribution of eigenvalues for some sets of random matrices" (1967).
    .. [2] I. Johnstone, "On the distribution of the largest eigenvalue in principal components analysis", Annals of
       Statistics 29 (2001).
    .. [3] J. Baik, J. Silverstein, "Eigenvalues of large sample covariance matrices of spiked population models",
       Journal of Multivariate Analysis 97 (2006).
    .. [4] M. Lopez de Prado, "Machine Learning for Asset Managers" (2020), chapter 2.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> market = rng.normal(0, 0.01, (200, 1)) + rng.normal(0, 0.01, (200, 30))
    >>> risk = denoise(market)
    >>> risk.loadings.shape, bool(np.allclose(risk.covariance().diagonal(), market.var(axis=0)))
    ((30, 1), True)
    """
    centred, _ = _centred(returns)
    deviation = _moving(centred)
    values, vectors = _spectrum(centred / deviation)
    n_days, n_assets = centred.shape
    kept = _above_edge(values, n_days=n_days, n_assets=n_assets)
    top, basis = values[:kept], vectors[:, :kept]
    noise = _noise_level(values, kept, n_days=n_days, n_assets=n_assets)
    if debias and kept:
        top = _without_noise(top, noise, ratio=n_assets / n_days)
    rest = max((n_assets - float(top.sum())) / (n_assets - kept), 0.0) if kept < n_assets else 0.0
    loadings = basis * np.sqrt(np.maximum(top - rest, 0.0))
    # Restated as a correlation: each asset has variance one again before it gets its own.
    total = (loadings**2).sum(axis=1) + rest
    scale = deviation / np.sqrt(total)
    return FactorRisk(loadings * scale[:, None], np.eye(kept), rest * scale**2)


def signal_count(returns: FloatArray) -> int:
    """Count the factors in returns, with the specific variances of the assets made equal first.

    Parameters
    ----------
    returns : ndarray of shape (n_days, n_assets), dtype=float64
        Returns, one period a row.

    Returns
    -------
    int
        Eigenvalues that pure noise cannot explain.

    Raises
    ------
    ShapeError
        If there are fewer than two days.
    NonFiniteError
        If a return is not finite.
    RangeError
        If an asset never moved.

    Notes
    -----
    NaN policy: refuse. Cost: some ten eigendecompositions of size min(n_days, n_assets). For counting only: as a
    risk model, rescaled assets were no better in simulations.

    References
    ----------
    .. [1] A. Onatski, "Determining the number of factors from empirical distribution of eigenvalues", Review of
       Economics and Statistics 92 (2010).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> signal_count(rng.normal(0, 0.01, (200, 1)) + rng.normal(0, 0.01, (200, 30)))
    1
    """
    centred, _ = _centred(returns)
    n_days, n_assets = centred.shape
    scaled = centred / _moving(centred)
    kept, before = -1, -2
    for _ in range(WHITENING_ROUNDS):
        values, vectors = _spectrum(scaled)
        before, kept = kept, _above_edge(values * n_assets / values.sum(), n_days=n_days, n_assets=n_assets)
        if kept == before:
            break
        basis = vectors[:, :kept]
        residual = (scaled - (scaled @ basis) @ basis.T).var(axis=0)
        # An asset that is a direction of its own loses most of its variance to it, though nothing else has a part
        # in it: without this correction it would look quiet, be scaled up, and stay a factor.
        left = np.maximum(1.0 - (basis**2).sum(axis=1), _LOWEST_SHARE)
        scaled = scaled / np.sqrt(np.maximum(residual / left, np.finfo(np.float64).tiny))
    return kept


def detone(correlation: FloatArray, *, n_removed: int = 1) -> FloatArray:
    """Take the largest eigenvectors, the market first, out of a correlation matrix.

    Parameters
    ----------
    correlation : ndarray of shape (n, n), dtype=float64
        Symmetric, ones on the diagonal.
    n_removed : int, default=1
        Eigenvectors to remove.

    Returns
    -------
    ndarray of shape (n, n), dtype=float64
        A correlation matrix again, singular: to cluster by, never to invert. What an eigenvector explained whole has
        correlation 0 with everything.

    Raises
    ------
    ShapeError
        If the matrix is not square.
    NonFiniteError
        If an element is not finite.
    RangeError
        If there are not so many eigenvectors to remove and keep one.

    Notes
    -----
    NaN policy: refuse. Cost: one eigendecomposition, O(n**3).

    References
    ----------
    .. [1] M. Lopez de Prado, "Machine Learning for Asset Managers" (2020), section 2.6.

    Examples
    --------
    >>> detone(np.array([[1.0, 0.5, 0.5], [0.5, 1.0, 0.5], [0.5, 0.5, 1.0]])).round(6)
    array([[ 1. , -0.5, -0.5],
           [-0.5,  1. , -0.5],
           [-0.5, -0.5,  1. ]])
    """
    square = matrix(correlation, "correlation")
    finite(correlation=square)
    if square.shape[0] != square.shape[1]:
        raise ShapeError(f"correlation has shape {square.shape}; it must be square")
    if not 0 <= n_removed < len(square):
        raise RangeError(f"n_removed is {n_removed}; it must be from 0 to {len(square) - 1}")
    values, vectors = np.linalg.eigh((square + square.T) / 2)
    tone = vectors[:, len(square) - n_removed :]
    rest = square - (tone * values[len(square) - n_removed :]) @ tone.T
    spread = np.sqrt(np.where(np.diag(rest) > np.finfo(np.float64).eps * len(square), np.diag(rest), np.inf))
    detoned: FloatArray = rest / spread[:, None] / spread
    np.fill_diagonal(detoned, 1.0)
    return (detoned + detoned.T) / 2


def _centred(returns: FloatArray) -> tuple[FloatArray, FloatArray]:
    panel = matrix(returns, "returns")
    if not np.isfinite(panel).all():
        day, asset = np.argwhere(~np.isfinite(panel))[0]
        raise NonFiniteError(f"returns is {panel[day, asset]} on day {day} for asset {asset}; drop or fill it first")
    at_least(len(panel), 2, "number of days in returns")
    mean = panel.mean(axis=0)
    return panel - mean, mean


def _moving(centred: FloatArray) -> FloatArray:
    """Deviations of assets, all of which moved."""
    deviation: FloatArray = centred.std(axis=0)
    still = deviation <= np.finfo(np.float64).tiny
    if still.any():
        raise RangeError(f"returns: asset {int(np.argmax(still))} never moved and has no correlation; leave it out")
    return deviation


def _spectrum(scaled: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Eigenvalues of the second moments, largest first, and their vectors; as many as can be above zero."""
    n_days, n_assets = scaled.shape
    if n_assets <= n_days:
        values, vectors = np.linalg.eigh(scaled.T @ scaled / n_days)
        return np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    values, left = np.linalg.eigh(scaled @ scaled.T / n_days)
    values, left = values[::-1], left[:, ::-1]
    # Centring costs one rank, and its vector would be divided by zero.
    used = values > values[0] * n_days * np.finfo(np.float64).eps
    values, left = values[used], left[:, used]
    return values, scaled.T @ left / np.sqrt(n_days * values)


def _noise_level(values: FloatArray, kept: int, *, n_days: int, n_assets: int) -> float:
    """Variance of the noise once `kept` directions of days and assets are gone with what they took of it."""
    free = (n_assets - kept) * (n_days - kept)
    return n_days * max(n_assets - float(values[:kept].sum()), 0.0) / free if free > 0 else 0.0


def _above_edge(values: FloatArray, *, n_days: int, n_assets: int) -> int:
    """Count eigenvalues, from the top, above the largest that noise of the remaining size gives."""
    limit = min(n_days, n_assets) - 1
    counts = np.arange(min(limit, len(values)))
    left = n_assets - np.concatenate([[0.0], np.cumsum(values)])[: len(counts)]
    noise = n_days * np.maximum(left, 0.0) / ((n_assets - counts) * (n_days - counts))
    days, assets = np.sqrt(n_days - counts), np.sqrt(n_assets - counts)
    spread = (days + assets) * np.cbrt(1.0 / days + 1.0 / assets)
    edge = noise * ((days + assets) ** 2 + TRACY_WIDOM_95 * spread) / n_days
    below = values[: len(counts)] <= edge
    return int(np.argmax(below)) if below.any() else len(counts)


def _without_noise(top: FloatArray, noise: float, *, ratio: float) -> FloatArray:
    """Invert the map from a true spike to the sample eigenvalue it gives in noise."""
    if noise <= 0:
        return top
    raised = top / noise + 1.0 - ratio
    spikes: FloatArray = noise * (raised + np.sqrt(np.maximum(raised**2 - 4.0 * top / noise, 0.0))) / 2.0
    return spikes
