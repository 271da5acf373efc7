"""Semismooth Newton on the dual: the coupling rows get prices, the assets answer in closed form.

For given prices the minimum over the weights separates, so that the dual function has a value, a gradient (by how
much each row is missed) and a generalised Hessian from the assets that move. There are about as many prices as
factors and rows, whatever the number of assets. Damping keeps the step defined where rows are dependent or few
assets move; a step that does not raise the dual is shortened, then damped more.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from crowdalpha.portfolio.program import Program
from crowdalpha.portfolio.separable import best_weights, slopes_at
from crowdalpha.scoring.arrays import BoolArray, FloatArray, IndexArray

__all__ = ["DualPoint", "dual_point", "maximize_dual", "moving_columns"]

_FLOOR_DAMPING = 1e-12
_MORE_DAMPING = 300.0
_LESS_DAMPING = 0.1
_MOST_DAMPING = 1e8
_SHORTER = 0.3
_SHORTENINGS = 3
_SUFFICIENT = 1e-4
_FEW = 0.3
"""Share of the assets up to which copying their rows is cheaper than reading all."""

_UNBOUNDED = 1e100
"""Dual value at which it counts as unbounded where nothing bounds the loss."""

_NOISE = 1e-14
"""Rounding of the dual value, relative to its parts: what the line search forgives."""


@dataclass(frozen=True)
class DualPoint:
    """Prices, and what the assets answer to them.

    Attributes
    ----------
    prices : ndarray of shape (n_rows + 2,)
        Of the rows, the gross and the turnover limit.
    worth : ndarray of shape (n,)
        Expected returns less what the rows charge.
    weights, slopes : ndarray of shape (n,)
        Best weights at these prices and their derivatives.
    value : float
        Dual function: a lower bound of the loss.
    gradient : ndarray of shape (n_rows + 2,)
        Miss of each row.
    residual : ndarray of shape (n_rows + 2,)
        The same, projected on the prices that are allowed: zero at the optimum.
    scale : float
        Size of the parts of the value.
    """

    prices: FloatArray
    worth: FloatArray
    weights: FloatArray
    slopes: FloatArray
    value: float
    gradient: FloatArray
    residual: FloatArray
    scale: float


@dataclass(frozen=True)
class _Trial:
    """Prices with the dual value alone: all that the line search needs."""

    prices: FloatArray
    worth: FloatArray
    weights: FloatArray
    moving: BoolArray
    sums: tuple[float, float]
    value: float
    scale: float


def dual_point(program: Program, alpha: FloatArray, prices: FloatArray) -> DualPoint:
    """Evaluate the dual function at allowed prices.

    Parameters
    ----------
    program : Program
        What is minimised.
    alpha : ndarray of shape (n,), dtype=float64
        Expected returns.
    prices : ndarray of shape (n_rows + 2,), dtype=float64
        Prices of the rows, the gross and the turnover limit; the last two at least 0.

    Returns
    -------
    DualPoint
        Value, gradient and the answer of the assets.

    Notes
    -----
    NaN policy: propagate. Cost: O(n * n_rows).
    """
    return _point_of(program, _trial(program, prices, alpha - program.rows @ prices[:-2]))


def _trial(program: Program, prices: FloatArray, worth: FloatArray) -> _Trial:
    gross, turnover = float(prices[-2]), float(prices[-1])
    factor, equal, banded = program.factor_rows, program.equal_rows, program.banded_rows
    weights, moving = best_weights(program.terms, worth, gross_price=gross, turnover_price=turnover)
    sums = float(np.abs(weights).sum()), float(np.abs(weights - program.terms.before).sum())
    charged, paid = program.terms.cost(weights), float(worth @ weights)
    above = np.where(prices[banded] > 0, program.high, program.low)
    value = charged - paid + float(prices[factor] @ (program.held - prices[factor] / 2))
    value -= float(prices[equal] @ program.equal_to + prices[banded] @ above)
    value += gross * (sums[0] - program.gross) if gross > 0 else 0.0
    value += turnover * (sums[1] - program.turnover) if turnover > 0 else 0.0
    return _Trial(prices, worth, weights, moving, sums, value, abs(charged) + abs(paid) + abs(value))


def _point_of(program: Program, trial: _Trial) -> DualPoint:
    prices, weights = trial.prices, trial.weights
    gradient = np.empty(len(prices))
    gradient[:-2] = _exposures(program, weights)
    gradient[program.factor_rows] += program.held - prices[program.factor_rows]
    gradient[program.equal_rows] -= program.equal_to
    gradient[-2:] = trial.sums[0] - program.gross, trial.sums[1] - program.turnover
    return DualPoint(
        prices=prices,
        worth=trial.worth,
        weights=weights,
        slopes=slopes_at(program.terms, weights, trial.moving),
        value=trial.value,
        gradient=gradient,
        residual=_residual(program, prices, gradient),
        scale=trial.scale,
    )


def _exposures(program: Program, weights: FloatArray) -> FloatArray:
    """Sum the rows over the weights; a book of few names needs few of them."""
    held = np.flatnonzero(weights)
    if len(held) > _FEW * len(weights):
        return weights @ program.rows
    return weights[held] @ program.rows[held]


def _residual(program: Program, prices: FloatArray, gradient: FloatArray) -> FloatArray:
    """Project the gradient: a free band counts only where it is left, a free sum only where it is exceeded."""
    residual = gradient.copy()
    banded = program.banded_rows
    exposure, price = gradient[banded], prices[banded]
    over, under = exposure - program.high, exposure - program.low
    outside = np.where(over > 0, over, np.where(under < 0, under, 0.0))
    residual[banded] = np.where(price > 0, over, np.where(price < 0, under, outside))
    sums = residual[-2:]
    residual[-2:] = np.where(prices[-2:] > 0, sums, np.maximum(sums, 0.0))
    return residual


def maximize_dual(
    program: Program, alpha: FloatArray, *, start: FloatArray | None = None, tolerance: float, max_iterations: int
) -> tuple[DualPoint, bool, int]:
    """Find the prices at which every row is met.

    Parameters
    ----------
    program : Program
        What is minimised; every curvature above zero.
    alpha : ndarray of shape (n,), dtype=float64
        Expected returns.
    start : ndarray of shape (n_rows + 2,), optional
        Prices to start from; zeros by default.
    tolerance : float
        Largest residual that counts as solved, as a weight.
    max_iterations : int
        Newton steps at most.

    Returns
    -------
    point : DualPoint
        The last one, the best seen.
    converged : bool
        Whether its residual is within the tolerance; the search also ends where the dual is unbounded, which proves
        that no book meets the rows.
    iterations : int
        Steps taken.

    Notes
    -----
    NaN policy: refuse before. Cost: a step is O(n * n_rows + n_moving * n_rows**2 + n_rows**3).

    References
    ----------
    .. [1] L. Qi, J. Sun, "A nonsmooth version of Newton's method", Mathematical Programming 58 (1993).
    """
    prices = np.zeros(program.rows.shape[1] + 2) if start is None else start
    point, damping = dual_point(program, alpha, prices), _FLOOR_DAMPING
    units, ceiling = _row_units(program, alpha), _largest_loss(program, alpha)
    for iteration in range(max_iterations):
        if point.value > ceiling:
            return point, False, iteration
        if _worst(point, units) <= tolerance * max(1.0, float(np.abs(point.weights).sum())):
            return point, True, iteration
        found = _step(program, point, damping)
        if found is None:
            break
        point, damping = found
    converged = _worst(point, units) <= tolerance * max(1.0, float(np.abs(point.weights).sum()))
    return point, converged, max_iterations


def _largest_loss(program: Program, alpha: FloatArray) -> float:
    """Bound the loss of every book within its bounds: a dual value above it proves that no book meets the rows."""
    if not np.isfinite(program.largest_charge):
        return _UNBOUNDED * (1.0 + float(np.abs(alpha).max(initial=0.0)))
    return program.largest_charge + float(np.abs(alpha) @ program.reach)


def _row_units(program: Program, alpha: FloatArray) -> FloatArray:
    """Give what a residual is divided by: factors are in roots of the objective, all other rows in weights."""
    units = np.ones(program.rows.shape[1] + 2)
    units[program.factor_rows] = np.sqrt(np.abs(alpha).max(initial=0.0)) or 1.0
    return units


def _worst(point: DualPoint, units: FloatArray) -> float:
    return float(np.abs(point.residual / units).max())


def _active(program: Program, point: DualPoint) -> BoolArray:
    """Rows that take part in the step: all but bands and sums that are slack."""
    active = np.ones(len(point.prices), dtype=np.bool_)
    banded = program.banded_rows
    active[banded] = (point.prices[banded] != 0) | (point.residual[banded] != 0)
    for place, limit in ((-2, program.gross), (-1, program.turnover)):
        active[place] = np.isfinite(limit) and bool(point.prices[place] > 0 or point.gradient[place] > 0)
    return active


def moving_columns(program: Program, point: DualPoint, active: BoolArray) -> tuple[IndexArray, FloatArray]:
    """Cut the active rows to the assets that move.

    Parameters
    ----------
    program : Program
        What is minimised.
    point : DualPoint
        Where.
    active : ndarray of shape (n_rows + 2,), dtype=bool
        Rows to take, gross and turnover last.

    Returns
    -------
    moving : ndarray of shape (n_moving,), dtype=intp
        Assets with a slope.
    columns : ndarray of shape (n_moving, n_active), dtype=float64
        What the rows say of them; signs of weights and trades for the two sums.

    Notes
    -----
    NaN policy: propagate. Cost: O(n_moving * n_active).
    """
    moving = np.flatnonzero(point.slopes)
    weights = point.weights[moving]
    columns = np.empty((len(moving), len(active)))
    np.take(program.rows, moving, axis=0, out=columns[:, :-2])
    columns[:, -2] = np.sign(weights)
    columns[:, -1] = np.sign(weights - program.terms.before[moving])
    return moving, columns if active.all() else columns[:, active]


def _step(program: Program, point: DualPoint, damping: float) -> tuple[DualPoint, float] | None:
    """Take one damped step that raises the dual; None if no damping makes one."""
    active = _active(program, point)
    moving, columns = moving_columns(program, point, active)
    columns *= np.sqrt(point.slopes[moving])[:, None]
    hessian = columns.T @ columns
    own = np.arange(program.n_factors)
    hessian[own, own] += 1.0
    while damping <= _MOST_DAMPING:
        damped = hessian.copy()
        damped[np.diag_indices_from(damped)] += damping * program.all_moving[active]
        direction = np.zeros(len(point.prices))
        try:
            factor = linalg.cho_factor(damped, overwrite_a=True, check_finite=False)
        except linalg.LinAlgError:
            damping *= _MORE_DAMPING
            continue
        direction[active] = linalg.cho_solve(factor, point.residual[active], check_finite=False)
        if not np.isfinite(direction).all():  # a pivot so small that it only just counts as positive
            damping *= _MORE_DAMPING
            continue
        found = _search(program, point, direction)
        if found is not None:
            new, is_full = found
            return new, max(damping * (_LESS_DAMPING if is_full else 1.0), _FLOOR_DAMPING)
        damping *= _MORE_DAMPING
    return None


def _search(program: Program, point: DualPoint, direction: FloatArray) -> tuple[DualPoint, bool] | None:
    """Shorten the step until the dual rises enough."""
    banded, size = program.banded_rows, 1.0
    side = np.where(point.prices[banded] == 0, np.sign(point.residual[banded]), np.sign(point.prices[banded]))
    away = program.rows @ direction[:-2]
    for _ in range(_SHORTENINGS):
        prices = point.prices + size * direction
        # A band may come to rest at zero, and change sides from there only; sums never get a negative price.
        crossing = np.flatnonzero(prices[banded] * side < 0) + banded.start
        worth = point.worth - size * away
        if len(crossing):
            worth += program.rows[:, crossing] @ prices[crossing]
            prices[crossing] = 0.0
        prices[-2:] = np.maximum(prices[-2:], 0.0)
        new = _trial(program, prices, worth)
        rise = _SUFFICIENT * float(point.residual @ (prices - point.prices))
        if new.value >= point.value + rise - _NOISE * point.scale:
            return _point_of(program, new), size == 1.0
        size *= _SHORTER
    return None
