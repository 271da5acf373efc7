"""How concentrated the stakes behind a meta model are."""

import numpy as np

from crowdalpha.ensemble.checks import stake_values
from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.checks import RangeError

__all__ = ["effective_number", "top_share"]


def effective_number(stakes: FloatArray) -> float:
    """Count the models that carry the weight: the inverse of the Herfindahl-Hirschman index.

    Parameters
    ----------
    stakes : ndarray of shape (n_models,), dtype=float64
        Stakes, in any one unit.

    Returns
    -------
    float
        Between 1 (one model holds all) and `n_models` (all hold the same); NaN if nobody staked.

    Raises
    ------
    ShapeError
        If `stakes` is not a vector of at least one model.
    NonFiniteError
        If a stake is not finite.
    RangeError
        If a stake is negative.

    Notes
    -----
    NaN policy: refuse. Cost: O(n_models). Does not depend on the unit of the stakes.

    References
    ----------
    .. [1] A. Hirschman, "The paternity of an index", American Economic Review 54 (1964).

    Examples
    --------
    >>> effective_number(np.array([1.0, 1.0, 0.0]))
    2.0
    """
    values = stake_values(stakes)
    if not values.any():
        return float("nan")
    # Scaled by the largest, so that the square of a huge or a tiny stake is still a number.
    scaled = values / values.max()
    return float(scaled.sum() ** 2 / (scaled**2).sum())


def top_share(stakes: FloatArray, k: int) -> float:
    """Measure the share of all stake that the `k` largest stakes hold.

    Parameters
    ----------
    stakes : ndarray of shape (n_models,), dtype=float64
        Stakes, in any one unit.
    k : int
        How many of the largest stakes to add up; more than there are means all.

    Returns
    -------
    float
        Share in [0, 1]; NaN if nobody staked.

    Raises
    ------
    ShapeError
        If `stakes` is not a vector of at least one model.
    NonFiniteError
        If a stake is not finite.
    RangeError
        If a stake or `k` is negative.

    Notes
    -----
    NaN policy: refuse. Cost: O(n_models log n_models).

    Examples
    --------
    >>> top_share(np.array([1.0, 6.0, 3.0]), 2)
    0.9
    """
    values = stake_values(stakes)
    if k < 0:
        raise RangeError(f"k is {k}; it counts the largest stakes and must be at least 0")
    if not values.any():
        return float("nan")
    largest_first = np.sort(values)[::-1]
    return float(largest_first[:k].sum() / largest_first.sum())
