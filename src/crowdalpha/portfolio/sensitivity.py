"""How the optimal weights move with the expected returns: the derivative of the optimiser, as a factorised operator.

At a certified optimum some assets move and the others sit on a bound or a kink; some rows bind. Implicit
differentiation of the optimality conditions on that set gives, with `d` the slopes of the moving assets, Z their
binding columns and H = Z' diag(d) Z + identity on the factor columns:

    dw/dalpha = diag(d) - diag(d) Z H^+ Z' diag(d)

H is the last matrix of Newton, and the whole operator is symmetric: one product with a vector of returns is the
derivative of the book's return with respect to every expected return.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crowdalpha.portfolio.checks import SolverError
from crowdalpha.portfolio.newton import DualPoint, moving_columns
from crowdalpha.portfolio.optimizer import Answer, Optimizer, answer_to
from crowdalpha.portfolio.program import Duals, Program
from crowdalpha.scoring.arrays import FloatArray, IndexArray
from crowdalpha.scoring.checks import RangeError

__all__ = ["Sensitivity", "sensitivity"]

_CUT_OFF = 1e-12
"""Directions of the scaled matrix below this share of the largest are dependent rows, and left out."""


@dataclass(frozen=True)
class Sensitivity:
    """A book, and its derivative with respect to the expected returns.

    Attributes
    ----------
    weights : ndarray of shape (n_assets,)
        The book.
    moving : ndarray of shape (n_moving,), dtype=intp
        Assets that move.
    slopes : ndarray of shape (n_moving,)
        What they would do alone.
    columns : ndarray of shape (n_moving, rank)
        Symmetric root of what the coupling takes back: `dw/dalpha = diag(slopes) - columns @ columns.T`.
    duality_gap : float
        Certificate of the book.
    duals : Duals
        Warm start for a nearby book.
    """

    weights: FloatArray
    moving: IndexArray
    slopes: FloatArray
    columns: FloatArray
    duality_gap: float
    duals: Duals

    def adjoint(self, returns: FloatArray) -> FloatArray:
        """Differentiate the return of the book with respect to the expected returns.

        Parameters
        ----------
        returns : ndarray of shape (n_assets,) or (n_assets, n_days), dtype=float64
            Realised returns.

        Returns
        -------
        ndarray of the same shape
            d(returns' w)/d alpha; 0 for assets that do not move.

        Notes
        -----
        NaN policy: propagate for assets that move, omit for the others. Cost: O(n_moving * rank) a day.
        """
        seen = returns[self.moving]
        alone = (self.slopes * seen.T).T
        result = np.zeros(returns.shape)
        result[self.moving] = alone - self.columns @ (self.columns.T @ seen)
        return result


def sensitivity(optimizer: Optimizer, alpha: npt.ArrayLike, *, start: Duals | None = None) -> Sensitivity:
    """Solve for a book and differentiate it.

    Parameters
    ----------
    optimizer : Optimizer
        Prepared problem.
    alpha : array-like of shape (n_assets,)
        Expected returns.
    start : Duals, optional
        Warm start.

    Returns
    -------
    Sensitivity
        The book and its derivative.

    Raises
    ------
    ShapeError, NonFiniteError
        As `Optimizer.solve`.
    SolverError
        If no polished solution within the limits as given is certified: nothing is differentiated then.
    RangeError
        If an asset has neither specific variance nor ridge: its weight is no function of its expected return.

    Notes
    -----
    NaN policy: refuse. Cost: the solve, and O(n_moving * n_rows**2 + n_rows**3). Where a weight is exactly on a kink
    or a bound it counts as held there, one element of the generalised derivative.

    References
    ----------
    .. [1] A. Dontchev, R. T. Rockafellar, "Implicit Functions and Solution Mappings" (2009), section 2.
    """
    prepared, program = optimizer.prepared, optimizer.program
    known = optimizer.alpha(alpha)
    if (program.terms.curvature <= 0).any():
        name = prepared.asset(int(np.flatnonzero(prepared.free)[int(np.argmin(program.terms.curvature))]))
        raise RangeError(f"asset {name} has neither specific risk nor ridge; give it one to differentiate its weight")
    with optimizer.threads.limit(limits=1, user_api="blas"):
        answer, _ = answer_to(program, known[prepared.free], start=start, settings=prepared.settings)
        if answer is None or answer.point is None:
            raise SolverError(
                "no polished solution within the limits as given was certified; a book with relaxed limits or an "
                "open gap is not differentiated"
            )
        return _differentiate(optimizer, answer, answer.point)


def _differentiate(optimizer: Optimizer, answer: Answer, point: DualPoint) -> Sensitivity:
    prepared, program = optimizer.prepared, optimizer.program
    moving, binding = moving_columns(program, point, _binding(program, point.prices))
    slopes = point.slopes[moving]
    steps = np.sqrt(slopes)[:, None] * binding
    matrix = steps.T @ steps
    own = np.arange(program.n_factors)
    matrix[own, own] += 1.0
    size = 1.0 / np.sqrt(np.maximum(np.diag(matrix), np.finfo(np.float64).tiny))
    values, vectors = np.linalg.eigh(matrix * np.outer(size, size))
    keep = values > _CUT_OFF * values.max(initial=0.0)
    root = size[:, None] * vectors[:, keep] / np.sqrt(values[keep])
    weights = prepared.fixed.copy()
    weights[prepared.free] = answer.weights
    return Sensitivity(
        weights=weights,
        moving=np.flatnonzero(prepared.free)[moving],
        slopes=slopes,
        columns=slopes[:, None] * (binding @ root),
        duality_gap=answer.gap,
        duals=program.duals_of(answer.prices),
    )


def _binding(program: Program, prices: FloatArray) -> npt.NDArray[np.bool_]:
    """Rows that bind: all but bands and sums without a price."""
    binding = np.ones(len(prices), dtype=np.bool_)
    binding[program.banded_rows] = prices[program.banded_rows] != 0
    binding[-2:] = prices[-2:] > 0
    return binding
