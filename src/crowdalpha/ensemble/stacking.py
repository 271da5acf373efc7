"""Weights that trade skill against redundancy: a ridge problem with weights of at least zero."""

import numpy as np
from numpy.typing import NDArray

from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.checks import RangeError, ShapeError, finite, matrix, vector

__all__ = ["blended_weights", "stacked_weights"]

Labels = NDArray[np.int64]

SWEEPS = 100
"""Far above what the search for the models with weight takes; three to eight are usual."""
TOLERANCE = 1e-12


def stacked_weights(
    correlation: FloatArray, skill: FloatArray, *, ridge: float = 0.5, clones: Labels | None = None
) -> FloatArray:
    """Solve argmin of a'(C + ridge I)a / 2 - skill'a over a >= 0, and make the weights sum to 1.

    Parameters
    ----------
    correlation : ndarray of shape (n_models, n_models), dtype=float64
        C, the correlation of the models' predictions.
    skill : ndarray of shape (n_models,), dtype=float64
        Expected score of each model, in any one unit.
    ridge : float, default=0.5
        How little correlation and skill are trusted; a large one gives weights in proportion to skill.
    clones : ndarray of shape (n_models,), dtype=int64, optional
        Label of each model, models of one label are taken as one and share its weight.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        Weights that sum to 1; all zero if no model is expected to score above zero.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    NonFiniteError
        If a value is not finite.
    RangeError
        If `ridge` is not above 0.

    Notes
    -----
    NaN policy: refuse. Cost: a linear system of the models with weight, a few times.

    References
    ----------
    .. [1] L. Breiman, "Stacked regressions", Machine Learning 24 (1996).
    .. [2] C. Lawson, R. Hanson, "Solving least squares problems" (1974), chapter 23.

    Examples
    --------
    >>> C = np.array([[1.0, 0.5], [0.5, 1.0]])
    >>> stacked_weights(C, np.array([0.02, 0.02]))
    array([0.5, 0.5])
    >>> stacked_weights(C, np.array([0.02, -0.01]))
    array([1., 0.])
    """
    C, mu = matrix(correlation, "correlation"), vector(skill, "skill")
    if C.shape != (len(mu), len(mu)):
        raise ShapeError(f"correlation has shape {C.shape} for {len(mu)} models")
    finite(correlation=C, skill=mu)
    if not ridge > 0:
        raise RangeError(f"ridge is {ridge}; it must be above 0")
    if clones is None:
        return _share(_solve(C + ridge * np.eye(len(mu)), mu))
    if clones.shape != mu.shape:
        raise ShapeError(f"clones has shape {clones.shape}; give one label to each of the {len(mu)} models")
    _, group, size = np.unique(clones, return_inverse=True, return_counts=True)
    order = np.argsort(group, kind="stable")
    starts = np.cumsum(size) - size
    merged = np.add.reduceat(np.add.reduceat(C[np.ix_(order, order)], starts, axis=0), starts, axis=1)
    means = merged / np.outer(size, size) + ridge * np.eye(len(size))
    alone = _solve(means, np.add.reduceat(mu[order], starts) / size)
    return _share((alone / size)[group])


def blended_weights(weights: FloatArray, base: FloatArray, *, share: float) -> FloatArray:
    """Blend weights with the stake weights.

    Parameters
    ----------
    weights : ndarray of shape (n_models,), dtype=float64
        Weights of a method, which sum to 1, or to 0 where it has nothing to say.
    base : ndarray of shape (n_models,), dtype=float64
        Stakes, in any one unit.
    share : float in [0, 1]
        Share of the stake weights in the blend.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        Weights that sum to 1; the stake weights alone where `weights` are all zero, and the other way round; zero
        where both are.

    Raises
    ------
    ShapeError
        If the lengths differ.
    RangeError
        If `share` is outside [0, 1].

    Notes
    -----
    NaN policy: propagate. Cost: O(n_models).

    Examples
    --------
    >>> blended_weights(np.array([1.0, 0.0]), np.array([10.0, 30.0]), share=0.5)
    array([0.625, 0.375])
    """
    if weights.shape != base.shape:
        raise ShapeError(f"weights has shape {weights.shape} and base {base.shape}")
    if not 0 <= share <= 1:
        raise RangeError(f"share is {share}; it must lie between 0 and 1")
    ours, stakes = _share(weights), _share(base)
    if not ours.any() or not stakes.any():
        return ours + stakes
    blend: FloatArray = share * stakes + (1.0 - share) * ours
    return blend


def _share(values: FloatArray) -> FloatArray:
    total = values.sum()
    return values / total if total > 0 else np.zeros_like(values)


def _solve(H: FloatArray, mu: FloatArray) -> FloatArray:
    """Find which weights are above zero: block pivoting while it makes progress, one at a time where it does not."""
    inside = mu > 0
    scale = TOLERANCE * max(float(np.abs(mu).max()), np.finfo(np.float64).tiny)
    best, patience = len(mu) + 1, 3
    for _ in range(SWEEPS + 3 * len(mu)):
        a = np.zeros_like(mu)
        if inside.any():
            a[inside] = np.linalg.solve(H[np.ix_(inside, inside)], mu[inside])
        slope = H @ a - mu
        wrong = np.where(inside, a < -scale, slope < -scale)
        count = int(wrong.sum())
        if not count:
            break
        if count < best:
            best, patience = count, 3
        elif patience:
            patience -= 1
        else:
            # Murty's rule: always ends, as it moves the last wrong one alone.
            wrong[: np.flatnonzero(wrong)[-1]] = False
        inside = inside ^ wrong
    return np.maximum(a, 0.0)
