"""Programs without curvature: Newton on a sequence of programs that have some.

An asset without specific variance and without ridge has no best weight for a price. A parabola around the last answer
gives it one; the parabola follows the answer and flattens, and what is reported is certified on the program itself.
"""

from dataclasses import dataclass, replace

import numpy as np

from crowdalpha.portfolio.newton import DualPoint, dual_point, maximize_dual
from crowdalpha.portfolio.problem import OptimizerSettings
from crowdalpha.portfolio.program import Program
from crowdalpha.scoring.arrays import FloatArray

__all__ = ["NewtonSolution", "solve_newton"]

_FLAT = 1e-12
"""Curvatures below this share of the largest count as none."""

_MAX_ROUNDS = 60
_FLATTER = 0.5
_MARGIN = 0.1
"""Share of the allowed gap at which the sequence stops."""


@dataclass(frozen=True)
class NewtonSolution:
    """What Newton found.

    Attributes
    ----------
    point : DualPoint
        Weights, prices and slopes.
    converged : bool
        Whether every row is met.
    gap : float
        Duality gap on the program itself.
    iterations : int
        Newton steps.
    is_flat : bool
        Whether the program lacked curvature: its slopes then belong to the last parabola and mean nothing.
    """

    point: DualPoint
    converged: bool
    gap: float
    iterations: int
    is_flat: bool


def solve_newton(
    program: Program, alpha: FloatArray, *, start: FloatArray | None, settings: OptimizerSettings
) -> NewtonSolution:
    """Solve a program by Newton's method, with or without curvature.

    Parameters
    ----------
    program : Program
        What is minimised.
    alpha : ndarray of shape (n,), dtype=float64
        Expected returns.
    start : ndarray of shape (n_rows + 2,) or None
        Prices to start from.
    settings : OptimizerSettings
        Tolerances.

    Returns
    -------
    NewtonSolution
        The answer and its certificate.

    Notes
    -----
    NaN policy: refuse before. Cost: see `maximize_dual`; without curvature that many times the rounds, up to 60.

    References
    ----------
    .. [1] R. T. Rockafellar, "Monotone operators and the proximal point algorithm", SIAM J. Control Optim. 14 (1976).
    """
    curvature = program.terms.curvature
    top = float(curvature.max(initial=0.0))
    if top > 0 and float(curvature.min()) > _FLAT * top:
        return _solved(program, program, alpha, alpha, start, settings)
    worth = float(max(np.abs(alpha).max(initial=0.0), program.terms.linear.max(initial=0.0))) or 1.0
    reach = float(np.maximum(np.abs(program.terms.lower), np.abs(program.terms.upper)).max(initial=0.0)) or 1.0
    extra = worth / reach
    center = np.clip(program.terms.before, program.terms.lower, program.terms.upper)
    steps = 0
    for _ in range(_MAX_ROUNDS):
        bent = replace(program, terms=replace(program.terms, curvature=curvature + extra))
        found = _solved(program, bent, alpha, alpha + extra * center, start, settings)
        steps += found.iterations
        if not found.converged or found.gap <= _MARGIN * settings.max_gap:
            break
        center, start, extra = found.point.weights, found.point.prices, extra * _FLATTER
    return replace(found, iterations=steps, is_flat=True)


def _solved(
    program: Program,
    bent: Program,
    alpha: FloatArray,
    slope: FloatArray,
    start: FloatArray | None,
    settings: OptimizerSettings,
) -> NewtonSolution:
    point, converged, iterations = maximize_dual(
        bent, slope, start=start, tolerance=settings.tolerance, max_iterations=settings.max_iterations
    )
    bound = point.value if bent is program else dual_point(program, alpha, point.prices).value
    gap = program.loss(point.weights, alpha) - bound
    return NewtonSolution(point, converged, gap, iterations, is_flat=False)
