"""The second solver: the same program in the `split` form, by PIQP's interior-point method.

Variables: weights, factor exposures, negative parts and sold parts, so that `|w| = w + 2 * negative` and
`|w - w0| = w - w0 + 2 * sold` need only 2n rows. Weights are in units of a twentieth of the largest position and the
objective is divided by its largest linear coefficient: an absolute tolerance then means the same for every book.
"""

from dataclasses import dataclass, replace

import numpy as np
import piqp
from scipy import sparse

from crowdalpha.portfolio.program import Program
from crowdalpha.portfolio.separable import Separable
from crowdalpha.scoring.arrays import FloatArray

__all__ = ["InteriorSolution", "minimal_turnover", "row_miss", "solve_interior"]

_UNITS_PER_POSITION = 20
"""How many of the solver's units the largest possible position is."""

_TOLERANCE = 1e-9
_STALL_TOLERANCE = 1e-4
"""Relative gap and dual residual with which a solution within all limits is taken although the solver gave up."""

_ACCEPTED_VIOLATION = 1e-8
"""Largest miss of a row, as a weight, with which a solution is believed, whatever status the solver gives."""

_RESTING = 1e-6
"""Price of a band or a sum, relative to the objective, that an interior point leaves on a limit that does not bind."""

_MAX_ITERATIONS = 100
_MAX_PASSES = 15
_PASS_TOLERANCE = 1e-6
_SMALLEST_TRADE = 1e-6
"""Trades below this weight share one curvature of impact; they cost nothing."""


@dataclass(frozen=True)
class InteriorSolution:
    """What the solver found.

    Attributes
    ----------
    weights : ndarray of shape (n,)
        Within their bounds.
    prices : ndarray of shape (n_rows + 2,)
        Of the rows, the gross and the turnover limit.
    solved : bool
        Also true where the solver stalled just short of its tolerance; `status` then says so.
    status : str
        The solver's word.
    """

    weights: FloatArray
    prices: FloatArray
    solved: bool
    status: str


@dataclass(frozen=True)
class _Scale:
    unit: float
    loss: float


def solve_interior(program: Program, alpha: FloatArray) -> InteriorSolution:
    """Solve a program.

    Parameters
    ----------
    program : Program
        What is minimised.
    alpha : ndarray of shape (n,), dtype=float64
        Expected returns.

    Returns
    -------
    InteriorSolution
        Weights and prices; `solved` only if every row is met.

    Notes
    -----
    NaN policy: refuse before. The 3/2-power cost is replaced by a parabola that touches it at the last trade and lies
    above it elsewhere; each pass lowers the true loss, until it stands still. Cost: about ten sparse factorisations a
    pass, one pass without impact.

    References
    ----------
    .. [1] R. Schwan et al., "PIQP: a proximal interior-point quadratic programming solver", CDC (2023).
    """
    scale = _scale(program, alpha)
    trade = np.full(len(alpha), scale.unit * _UNITS_PER_POSITION)
    best = _solve_once(program, alpha, trade, scale)
    if not program.terms.impact.any():
        return best
    loss = program.loss(best.weights, alpha)
    for _ in range(_MAX_PASSES):
        trade = np.maximum(np.abs(best.weights - program.terms.before), _SMALLEST_TRADE)
        found = _solve_once(program, alpha, trade, scale)
        gain = loss - program.loss(found.weights, alpha)
        if not found.solved or gain <= 0:
            break
        best, loss = found, loss - gain
        if gain <= _PASS_TOLERANCE * abs(loss):
            break
    return best


def minimal_turnover(program: Program) -> float | None:
    """Find the least turnover of the free assets with which all other limits can be met.

    Parameters
    ----------
    program : Program
        What is minimised; only its limits count, and not the one on turnover.

    Returns
    -------
    float or None
        Sum of absolute changes of weight; None if no turnover is enough.

    Notes
    -----
    NaN policy: refuse before. Cost: one linear program.
    """
    if program.gross < 0:
        return None
    terms, n = program.terms, len(program.terms.before)
    if n == 0:
        return 0.0 if np.abs(program.equal_to).max(initial=0.0) <= _ACCEPTED_VIOLATION else None
    still = replace(
        program,
        terms=Separable(np.zeros(n), terms.before, np.ones(n), np.zeros(n), np.zeros(n), terms.lower, terms.upper),
        rows=program.rows[:, program.n_factors :],
        held=np.zeros(0),
        turnover=np.inf,
    )
    found = solve_interior(still, np.zeros(n))
    return float(np.abs(found.weights - terms.before).sum()) if found.solved else None


def row_miss(program: Program, weights: FloatArray) -> float:
    """Measure by how much weights miss the rows and the sums of a program, in units of weight.

    Parameters
    ----------
    program : Program
        The rows.
    weights : ndarray of shape (n,), dtype=float64
        Of its assets.

    Returns
    -------
    float
        The largest miss, at least 0.

    Notes
    -----
    NaN policy: propagate. Cost: O(n * n_rows).
    """
    exposure = weights @ program.rows
    banded = exposure[program.banded_rows]
    return max(
        0.0,
        float(np.abs(exposure[program.equal_rows] - program.equal_to).max(initial=0.0)),
        float(np.maximum(banded - program.high, program.low - banded).max(initial=0.0)),
        float(np.abs(weights).sum() - program.gross),
        float(np.abs(weights - program.terms.before).sum() - program.turnover),
    )


def _scale(program: Program, alpha: FloatArray) -> _Scale:
    terms = program.terms
    finite = np.concatenate([np.abs(terms.lower), np.abs(terms.upper), [program.gross], np.abs(terms.before)])
    reach = float(np.max(finite, where=np.isfinite(finite), initial=0.0))
    if np.isfinite(program.gross):
        reach = min(reach, max(program.gross, 0.0))
    loss = float(max(np.abs(alpha).max(initial=0.0), terms.linear.max(initial=0.0))) or 1.0
    unit = reach / _UNITS_PER_POSITION or 1.0
    return _Scale(unit, loss * unit)


def _solve_once(program: Program, alpha: FloatArray, trade: FloatArray, scale: _Scale) -> InteriorSolution:
    """Solve with the impact of trades replaced by the parabola that touches it at `trade`."""
    # Refinement rescues programs without curvature that stall, and misleads on those without an interior: so only then.
    for refine in (False, True):
        solver = _run(program, alpha, trade, scale, refine=refine)
        raw = np.asarray(solver.result.x)[: len(alpha)] * scale.unit
        weights = np.clip(np.nan_to_num(raw), program.terms.lower, program.terms.upper)
        solved = _certified(solver) and row_miss(program, weights) <= _ACCEPTED_VIOLATION
        if solved:
            break
    status = str(solver.result.info.status.name).removeprefix("PIQP_").lower()
    return InteriorSolution(weights, _prices(program, solver, weights, scale), solved, status)


def _prices(program: Program, solver: piqp.SparseSolver, weights: FloatArray, scale: _Scale) -> FloatArray:
    """Read the duals of the rows, in units of the objective."""
    n, price = len(weights), scale.loss / scale.unit
    prices = np.zeros(program.rows.shape[1] + 2)
    exposures = weights @ program.rows[:, program.factor_rows]
    prices[program.factor_rows] = exposures + program.held
    prices[program.equal_rows] = np.asarray(solver.result.y)[program.n_factors :] * price
    rows = (np.asarray(solver.result.z_u) - np.asarray(solver.result.z_l))[2 * n :] * price
    prices[program.banded_rows] = rows[: len(program.low)]
    is_limited = np.isfinite([program.gross, program.turnover])
    prices[-2:][is_limited] = np.maximum(rows[len(program.low) :], 0.0)
    may_rest = slice(program.n_factors + len(program.equal_to), None)
    prices[may_rest] = np.where(np.abs(prices[may_rest]) < _RESTING * price, 0.0, prices[may_rest])
    return prices


def _certified(solver: piqp.SparseSolver) -> bool:
    """Whether the duals say that nothing much better exists; misses are measured on the weights themselves."""
    info = solver.result.info
    return bool(info.status == piqp.PIQP_SOLVED or max(info.duality_gap_rel, info.dual_res_rel) <= _STALL_TOLERANCE)


def _run(program: Program, alpha: FloatArray, trade: FloatArray, scale: _Scale, *, refine: bool) -> piqp.SparseSolver:
    terms, unit, n, k = program.terms, scale.unit, len(alpha), program.n_factors
    solver = piqp.SparseSolver()
    solver.settings.max_iter = _MAX_ITERATIONS
    solver.settings.eps_abs = solver.settings.eps_rel = _TOLERANCE
    solver.settings.check_duality_gap = True
    solver.settings.eps_duality_gap_abs = solver.settings.eps_duality_gap_rel = _TOLERANCE
    solver.settings.iterative_refinement_always_enabled = refine
    quadratic, linear = _objective(program, alpha, trade, scale)
    equality, equal_to = _equalities(program, scale)
    inequality, low, high = _inequalities(program, scale)
    reach = np.maximum(np.abs(terms.lower), np.abs(terms.upper)) / unit
    solver.setup(
        quadratic,
        linear,
        equality,
        equal_to,
        inequality,
        low,
        high,
        np.concatenate([terms.lower / unit, np.full(k, -np.inf), np.zeros(2 * n)]),
        np.concatenate([terms.upper / unit, np.full(k, np.inf), reach, reach + np.abs(terms.before) / unit]),
    )
    solver.solve()
    return solver


def _objective(
    program: Program, alpha: FloatArray, trade: FloatArray, scale: _Scale
) -> tuple[sparse.csc_matrix, FloatArray]:
    """Curvature and slope: risk of the factors and of each weight, alpha, cost, and the parabola of the impact."""
    terms, n, k = program.terms, len(alpha), program.n_factors
    per_weight = scale.unit / scale.loss
    bend = 1.5 * terms.impact / np.sqrt(trade) * per_weight * scale.unit
    curvature = terms.curvature * per_weight * scale.unit + bend
    slope = (terms.linear - alpha) * per_weight - bend * terms.before / scale.unit
    quadratic = _diagonal(np.concatenate([curvature, np.ones(k), np.zeros(2 * n)]))
    return quadratic, np.concatenate([slope, np.zeros(k), terms.borrow * per_weight, 2 * terms.linear * per_weight])


def _equalities(program: Program, scale: _Scale) -> tuple[sparse.csc_matrix, FloatArray]:
    """Exposures are what the weights make them; exact rows are exact."""
    n, k, root = len(program.terms.before), program.n_factors, np.sqrt(scale.loss)
    factors, equal = program.rows[:, program.factor_rows], program.rows[:, program.equal_rows]
    rows = _blocks(
        [
            [sparse.csc_matrix(factors.T * (scale.unit / root)), _diagonal(-np.ones(k)), _empty(k, 2 * n)],
            [sparse.csc_matrix(equal.T), _empty(equal.shape[1], k), _empty(equal.shape[1], 2 * n)],
        ],
    )
    return rows, np.concatenate([-program.held / root, program.equal_to / scale.unit])


def _inequalities(program: Program, scale: _Scale) -> tuple[sparse.csc_matrix, FloatArray, FloatArray]:
    """Negative parts, sold parts, bands, gross and turnover."""
    n, k, before = len(program.terms.before), program.n_factors, program.terms.before / scale.unit
    each, one = _diagonal(np.ones(n)), sparse.csc_matrix(np.ones((1, n)))
    none, gap = _empty(n, n), _empty(1, n)
    banded = program.rows[:, program.banded_rows]
    s = banded.shape[1]
    blocks: list[list[sparse.csc_matrix | None]] = [
        [each, _empty(n, k), each, none],
        [each, _empty(n, k), none, each],
        [sparse.csc_matrix(banded.T), _empty(s, k), _empty(s, n), _empty(s, n)],
    ]
    high = [np.full(2 * n, np.inf), program.high / scale.unit]
    if np.isfinite(program.gross):
        blocks.append([one, _empty(1, k), 2 * one, gap])
        high.append(np.array([program.gross / scale.unit]))
    if np.isfinite(program.turnover):
        blocks.append([one, _empty(1, k), gap, 2 * one])
        high.append(np.array([program.turnover / scale.unit + before.sum()]))
    low = np.concatenate([np.zeros(n), before, program.low / scale.unit, np.full(len(high) - 2, -np.inf)])
    return _blocks(blocks), low, np.concatenate(high)


def _blocks(blocks: list[list[sparse.csc_matrix | None]]) -> sparse.csc_matrix:
    return sparse.csc_matrix(sparse.bmat(blocks))


def _diagonal(values: FloatArray) -> sparse.csc_matrix:
    return sparse.csc_matrix(sparse.diags(values))


def _empty(rows: int, columns: int) -> sparse.csc_matrix:
    return sparse.csc_matrix((rows, columns))
