"""The smallest neutralization that brings the largest exposure under a limit."""

import numpy as np
import numpy.typing as npt

from crowdalpha.client.estimators._base import LEAST_RESIDUAL, Numbers
from crowdalpha.scoring import ConstantError, FloatArray, RangeError, center, checks, feature_exposures, neutralize

__all__ = ["smallest_proportion"]


def smallest_proportion(
    prediction: npt.ArrayLike,
    features: npt.ArrayLike,
    *,
    limit: float,
    neutralizers: npt.ArrayLike | None = None,
    tolerance: float = 1e-9,
) -> float:
    r"""Smallest proportion of neutralization that brings every absolute exposure of one era under a limit.

    Parameters
    ----------
    prediction : array-like of shape (n_assets,)
        Prediction of one era, any unit; ranked or gaussianized if that is what will be neutralized.
    features : array-like of shape (n_assets, n_features)
        Features to which exposure is limited; constant ones are skipped.
    limit : float in [0, 1]
        Largest absolute Pearson correlation allowed.
    neutralizers : array-like of shape (n_assets, n_neutralizers), optional
        What the prediction will be neutralized to; default: `features`.
    tolerance : float, default=1e-9
        An exposure this far above the limit counts as under it: rounding.

    Returns
    -------
    float
        Proportion for `crowdalpha.scoring.neutralize`, in [0, 1]; 0 where the prediction is under the limit as it is.

    Raises
    ------
    RangeError
        If the limit or the tolerance lies outside its range, or no proportion reaches the limit. Neutralization to
        the same features always reaches it, unless they explain the prediction whole; to others it may not.
    ConstantError
        If the prediction is constant, or no feature varies.
    ShapeError
        If the rows differ or there are none.
    NonFiniteError
        If a value is not finite.

    Notes
    -----
    NaN policy: refuse. What is left at proportion `c` is `r + d f`, with the residual `r`, the explained part `f` and
    `d = 1 - c`. Its exposure to a centred feature `g` of length 1 stays under the limit `L` where

    .. math:: (g'r + d\,g'f)^2 \le L^2 \lVert r + d f \rVert^2 ,

    a quadratic in `d`. The largest absolute exposure need not fall as `c` grows, so the intervals in which each
    feature is over the limit are found exactly, and the first `c` that lies in none is taken.
    Cost: one neutralization and O(n_assets * n_features), whatever the answer.

    Examples
    --------
    >>> round(smallest_proportion([1.0, 0.0, 0.0, -1.0], [[1.0], [1.0], [-1.0], [-1.0]], limit=0.6), 6)
    0.25
    """
    for name, value in (("limit", limit), ("tolerance", tolerance)):
        checks.in_range(value, 0.0, 1.0, name)
    matrix, column = checks.features(features, "features"), checks.vector(prediction, "prediction")[:, None]
    others = matrix if neutralizers is None else checks.features(neutralizers, "neutralizers")
    checks.same_rows(prediction=column, features=matrix, neutralizers=others)
    checks.finite(prediction=column)
    left = neutralize(column, others)
    if np.isnan(left).any():
        raise ConstantError("prediction is constant, so it has no exposure; give one that varies")
    centred = center(column)
    if np.abs(left).max() <= LEAST_RESIDUAL * np.abs(centred).max():
        left = np.zeros_like(left)
    parts = np.hstack([left, centred - left])
    lengths = np.linalg.norm(parts, axis=0)
    exposures = np.nan_to_num(feature_exposures(matrix, parts)) * lengths
    if (matrix.max(axis=0) == matrix.min(axis=0)).all():
        raise ConstantError("every feature is constant, so no exposure is defined; give features that vary")
    # half of the tolerance is for the rounding of the answer itself
    remaining = _largest_share(exposures, parts.T @ parts, (limit + tolerance / 2) ** 2)
    if remaining < 0 or (remaining == 0 and not lengths[0]):
        raise RangeError(_unreachable(matrix, left, centred, limit))
    return 1.0 - remaining


def _largest_share(exposures: FloatArray, products: FloatArray, squared_limit: float) -> float:
    """Largest d in [0, 1] at which no feature is over the limit; below 0 if there is none."""
    residual, explained = exposures.T
    A = explained**2 - squared_limit * products[1, 1] + 0.0
    B = residual * explained - squared_limit * products[0, 1]
    C = residual**2 - squared_limit * products[0, 0]
    low, high = _over_the_limit(A, B, C)
    order = np.argsort(-high, kind="stable")
    reached = np.minimum.accumulate(np.concatenate([[1.0], low[order]]))
    gaps = np.append(high[order], -np.inf) <= reached
    return float(reached[np.argmax(gaps)])


def _over_the_limit(A: FloatArray, B: FloatArray, C: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Open intervals on which A d^2 + 2 B d + C > 0: their lower and upper ends."""
    discriminant = B**2 - A * C
    roots = discriminant > 0
    always = ~roots & ((A > 0) | (C > 0))
    a, b, c = A[roots], B[roots], C[roots]
    # the sum of two numbers of one sign loses no digits; the other root follows from the product of both
    safe = -(b + np.copysign(np.sqrt(discriminant[roots]), b))
    with np.errstate(divide="ignore", over="ignore"):
        ends = np.sort(np.stack([safe / a, c / safe]), axis=0)
    outside = a >= 0
    forever = np.full(int(outside.sum()), np.inf)
    whole = np.full(int(always.sum()), np.inf)
    low = np.concatenate([ends[0, ~outside], -forever, ends[1, outside], -whole])
    high = np.concatenate([ends[1, ~outside], ends[0, outside], forever, whole])
    return low, high


def _unreachable(matrix: Numbers, left: FloatArray, centred: FloatArray, limit: float) -> str:
    if not left.any():
        largest = np.nanmax(np.abs(feature_exposures(matrix, centred)))
        return (
            f"the largest exposure is {largest:.4g}, the limit {limit:g}, and the neutralizers explain the prediction "
            "whole: whatever is left of it has the same exposure; gaussianize it first, or neutralize to fewer features"
        )
    after = np.abs(feature_exposures(matrix, left)[:, 0])
    worst = int(np.nanargmax(after))
    return (
        f"limit is {limit:g}, and no proportion reaches it: whole neutralization leaves an exposure of "
        f"{after[worst]:.4g} to feature {worst}; neutralize to that feature too, or raise the limit"
    )
