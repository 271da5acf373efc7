"""One asset at a time: the best weight against a price, in closed form.

Once the rows that couple the assets have prices, each asset solves its own problem on `[lower, upper]`:

    minimise  h w^2 / 2 - c w + k |w - w0| + b |w - w0|^1.5 + long w+ + short w-

Its kinks at 0 and at w0 cut the line into three zones. In a zone, with `u = sqrt(|w - w0|)`, the slope is
`h u^2 + 1.5 b u + q`, whose root is taken; what is left is to pick the zone and clip.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from crowdalpha.scoring.arrays import BoolArray, FloatArray

__all__ = ["Separable", "best_weights", "slopes_at"]


@dataclass(frozen=True)
class Separable:
    """The terms of the objective that belong to one asset each, all of shape (n,) and at least zero but `before`.

    Attributes
    ----------
    curvature : ndarray
        h, of the specific risk and the ridge.
    before : ndarray
        w0, weights held now.
    linear, impact : ndarray
        k and b, costs of the trade and of its 3/2 power.
    borrow : ndarray
        Fee on short weight.
    lower, upper : ndarray
        Bounds; may be infinite where `curvature` is above zero.
    """

    curvature: FloatArray
    before: FloatArray
    linear: FloatArray
    impact: FloatArray
    borrow: FloatArray
    lower: FloatArray
    upper: FloatArray

    @cached_property
    def has_impact(self) -> bool:
        """Whether any trade has a 3/2-power cost."""
        return bool(self.impact.any())

    @cached_property
    def is_bent(self) -> bool:
        """Whether every asset has a curvature."""
        return bool((self.curvature > 0).all())

    def cost(self, weights: FloatArray) -> float:
        """Sum what the weights cost: half the curvature, the trades and the borrow fee."""
        size = np.abs(weights - self.before)
        return float(
            0.5 * self.curvature @ (weights * weights)
            + self.linear @ size
            + self.impact @ (size * np.sqrt(size))
            + self.borrow @ np.maximum(-weights, 0.0)
        )


def best_weights(
    terms: Separable, price: FloatArray, *, gross_price: float = 0.0, turnover_price: float = 0.0
) -> tuple[FloatArray, BoolArray]:
    """Minimise every asset's own problem.

    Parameters
    ----------
    terms : Separable
        The assets.
    price : ndarray of shape (n,), dtype=float64
        c, what a unit of weight is worth once the coupling rows are paid.
    gross_price, turnover_price : float, default=0
        Prices of a unit of absolute weight and of absolute trade, at least 0.

    Returns
    -------
    weights : ndarray of shape (n,)
        The minimisers.
    moving : ndarray of shape (n,), dtype=bool
        Whether a weight would move with its price: not on a bound, not on a kink.

    Notes
    -----
    NaN policy: propagate. Cost: O(n). Exactly on a kink a weight does not move: one element of the
    generalised derivative.

    Examples
    --------
    >>> one = np.ones(1)
    >>> terms = Separable(0.1 * one, 0 * one, 0 * one, 0.02 * one, 0 * one, -one, one)
    >>> best_weights(terms, np.array([0.04]))
    (array([0.25]), array([ True]))
    """
    before, cost = terms.before, terms.linear + turnover_price
    short = terms.borrow + gross_price
    down = price - terms.curvature * before + cost
    up = cost + cost - down
    left = before - _move(terms, down + short)
    right = before + _move(terms, up + gross_price)
    weights = np.where(right > np.maximum(before, 0.0), right, left)
    low, high = np.minimum(before, 0.0), np.maximum(before, 0.0)
    # A move of zero means that the zone's slope points out of it: the zone then says `before`, which is not outside.
    is_outside = (left < low) | (right > high)
    if before.any():
        middle = np.where(before >= 0, before - _move(terms, down - gross_price), before + _move(terms, up - short))
        inside = np.clip(middle, low, high)
        weights = np.where(is_outside, weights, inside)
        moving = is_outside | ((inside > low) & (inside < high))
    else:
        weights, moving = np.where(is_outside, weights, 0.0), is_outside
    moving |= _smooth(weights, before, cost, short, gross_price)
    clipped = np.clip(weights, terms.lower, terms.upper)
    moving &= (clipped > terms.lower) & (clipped < terms.upper)
    return clipped, moving


def slopes_at(terms: Separable, weights: FloatArray, moving: BoolArray) -> FloatArray:
    """Differentiate the best weights with respect to their price.

    Parameters
    ----------
    terms : Separable
        The assets.
    weights : ndarray of shape (n,), dtype=float64
        From `best_weights`.
    moving : ndarray of shape (n,), dtype=bool
        From `best_weights`.

    Returns
    -------
    ndarray of shape (n,), dtype=float64
        At least 0; 0 at a bound or a kink.

    Notes
    -----
    NaN policy: propagate. Cost: O(n).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        bend = np.where(terms.impact > 0, 0.75 * terms.impact / np.sqrt(np.abs(weights - terms.before)), 0.0)
        return np.where(moving, 1.0 / (terms.curvature + bend), 0.0)


def _move(terms: Separable, constant: FloatArray) -> FloatArray:
    """Square the positive root of `h u^2 + 1.5 b u + constant`: 0 where it has none, infinite where nothing bends."""
    short_of = np.maximum(-constant, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        if not terms.has_impact:
            found = short_of / terms.curvature
        else:
            bend = 1.5 * terms.impact
            found = (2.0 * short_of / (bend + np.sqrt(bend * bend + 4.0 * terms.curvature * short_of))) ** 2
    return found if terms.is_bent else np.where(short_of > 0, found, 0.0)


def _smooth(
    weights: FloatArray, before: FloatArray, cost: FloatArray, short: FloatArray, gross_price: float
) -> BoolArray:
    """Whether a weight sits on 0 or `before` where nothing kinks."""
    at_zero, at_before = weights == 0, weights == before
    kink_at_zero = at_zero & ((short > 0) | (gross_price > 0))
    smooth: BoolArray = (at_zero | at_before) & ~kink_at_zero & ~(at_before & (cost > 0))
    return smooth
