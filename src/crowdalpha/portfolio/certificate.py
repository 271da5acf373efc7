"""How good a book is at most: the gap between what it loses and what no book can undercut."""

from crowdalpha.portfolio.newton import dual_point
from crowdalpha.portfolio.program import Program
from crowdalpha.scoring.arrays import FloatArray

__all__ = ["duality_gap"]


def duality_gap(program: Program, alpha: FloatArray, weights: FloatArray, prices: FloatArray) -> float:
    """Bound how much any other book could add to the objective.

    Parameters
    ----------
    program : Program
        What is minimised.
    alpha : ndarray of shape (n,), dtype=float64
        Expected returns.
    weights : ndarray of shape (n,), dtype=float64
        The book, within its bounds.
    prices : ndarray of shape (n_rows + 2,), dtype=float64
        Any allowed prices: every choice gives a valid bound.

    Returns
    -------
    float
        Loss of the book less the dual value, a return; rounding may push it a little below zero.

    Notes
    -----
    NaN policy: propagate. Cost: O(n * n_rows). By weak duality: the dual value is the minimum of the loss plus
    priced rows, which no book within the limits exceeds. Nothing is taken from the solver but the prices.

    References
    ----------
    .. [1] S. Boyd, L. Vandenberghe, "Convex Optimization" (2004), section 5.5.1.
    """
    return program.loss(weights, alpha) - dual_point(program, alpha, prices).value
