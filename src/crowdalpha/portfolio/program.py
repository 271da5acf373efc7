"""The quadratic program behind the optimiser, in the `split` form, solved by PIQP.

Variables: weights of the free assets, factor exposures, negative parts and sold parts, so that
`|w| = w + 2 * negative` and `|w - w0| = w - w0 + 2 * sold` need only 2n rows. Weights are in units of a twentieth of
the largest position (1e-3 where that is 2 %) and the objective is divided by its largest linear coefficient: an
absolute tolerance then means the same for every book.
"""

from dataclasses import dataclass, replace

import numpy as np
import piqp
from scipy import sparse

from crowdalpha.portfolio.problem import Limits, PreparedProblem
from crowdalpha.scoring.arrays import FloatArray

__all__ = ["ProgramSolution", "minimal_turnover", "solve"]

_UNITS_PER_POSITION = 20
"""How many of the solver's units the largest possible position is."""

_TOLERANCE = 1e-9
_STALL_TOLERANCE = 1e-4
"""Relative gap and dual residual with which a solution within all limits is taken although the solver gave up."""

_ACCEPTED_VIOLATION = 1e-8
"""Largest breach of a limit, as a weight, with which a solution is believed, whatever status the solver gives."""

_MAX_ITERATIONS = 100
_MAX_PASSES = 15
_PASS_TOLERANCE = 1e-6
_SMALLEST_TRADE = 1e-6
"""Trades below this weight share one curvature of impact; they cost nothing."""


@dataclass(frozen=True)
class ProgramSolution:
    """What the solver found: weights of all assets, and the gap in units of the objective.

    `solved` is also true where the solver stalled just short of its tolerance; `status` then says so.
    """

    weights: FloatArray
    solved: bool
    status: str
    duality_gap: float
    iterations: int


@dataclass(frozen=True)
class _Program:
    """`min x'Px/2 + c'x` with `Ax = b`, `low <= Gx <= high` and bounds, in scaled units."""

    quadratic: sparse.csc_matrix
    linear: FloatArray
    equality: sparse.csc_matrix
    equal_to: FloatArray
    inequality: sparse.csc_matrix
    low: FloatArray
    high: FloatArray
    lower: FloatArray
    upper: FloatArray


def solve(problem: PreparedProblem, limits: Limits) -> ProgramSolution:
    """Solve the problem within `limits`.

    Parameters
    ----------
    problem : PreparedProblem
        Checked problem.
    limits : Limits
        Limits to use instead of the problem's own.

    Returns
    -------
    ProgramSolution
        Weights of all assets, and whether the solver certifies them.

    Notes
    -----
    NaN policy: refuse (`prepare` has). The 3/2-power cost is replaced by a parabola that touches it at the last
    trade and lies above it elsewhere; each pass lowers the true objective, until it stands still. Cost: about ten
    sparse factorisations a pass, one pass without impact.
    """
    trade = np.maximum(limits.position, _SMALLEST_TRADE)
    best = _solve_once(problem, limits, trade)
    if not problem.impact.any():
        return best
    value = problem.objective(best.weights)
    for _ in range(_MAX_PASSES):
        touched, trade = trade, np.maximum(np.abs(best.weights - problem.previous), _SMALLEST_TRADE)
        found = _solve_once(problem, limits, trade)
        gain = problem.objective(found.weights) - value
        if not found.solved or gain <= 0:
            trade = touched
            break
        best, value = found, value + gain
        if gain <= _PASS_TOLERANCE * abs(value):
            break
    return replace(best, duality_gap=best.duality_gap + _impact_gap(problem, limits, best.weights, trade))


def _impact_gap(problem: PreparedProblem, limits: Limits, weights: FloatArray, trade: FloatArray) -> float:
    """Bound what is lost because the parabolas were drawn at `trade`: slope error times how far a weight can move."""
    size = np.abs(weights - problem.previous)
    slope_error = 1.5 * problem.impact * np.abs(np.sqrt(size) - size / np.sqrt(trade))
    each = float((slope_error * (limits.position + np.abs(weights)))[problem.free].sum())
    together = float(slope_error[problem.free].max(initial=0.0)) * (limits.gross + float(np.abs(weights).sum()))
    return min(each, together)


def minimal_turnover(problem: PreparedProblem, limits: Limits) -> float | None:
    """Find the least turnover with which all other limits can be met.

    Parameters
    ----------
    problem : PreparedProblem
        Checked problem.
    limits : Limits
        Limits; the one on turnover is ignored.

    Returns
    -------
    float or None
        Sum of absolute changes of weight; None if no turnover is enough.

    Notes
    -----
    NaN policy: refuse (`prepare` has). Cost: one linear program.
    """
    n_assets = len(problem.alpha)
    still = PreparedProblem(
        alpha=np.zeros(n_assets),
        risk=problem.risk,
        neutral=problem.neutral,
        previous=problem.previous,
        trading_cost=np.ones(n_assets),
        impact=np.zeros(n_assets),
        risk_aversion=0.0,
        free=problem.free,
        fixed=problem.fixed,
        limits=limits,
    )
    unlimited = Limits(limits.position, limits.gross, np.inf, limits.hedge_frozen)
    found = solve(still, unlimited)
    return float(np.abs(found.weights - problem.previous).sum()) if found.solved else None


def _solve_once(problem: PreparedProblem, limits: Limits, trade: FloatArray) -> ProgramSolution:
    """Solve with the impact of trades replaced by the parabola that touches it at `trade`."""
    if not problem.free.any():
        excess = problem.violation(problem.fixed, limits)
        return ProgramSolution(problem.fixed, excess <= _ACCEPTED_VIOLATION, "nothing_to_decide", 0.0, 0)
    unit = float(_reach(problem, limits).max()) / _UNITS_PER_POSITION or 1.0
    scale = unit * (max(np.abs(problem.alpha).max(), problem.trading_cost.max()) or 1.0)
    program = _build(problem, limits, trade, unit=unit, scale=scale)
    # Refinement rescues programs without curvature that stall, and misleads on those without an interior: so only then.
    for refine in (False, True):
        solver = _run(program, refine=refine)
        weights = problem.fixed.copy()
        weights[problem.free] = unit * np.asarray(solver.result.x)[: int(problem.free.sum())]
        solved = _certified(solver) and problem.violation(weights, limits) <= _ACCEPTED_VIOLATION
        if solved:
            break
    info = solver.result.info
    return ProgramSolution(
        weights=weights,
        solved=solved,
        status=str(info.status.name).removeprefix("PIQP_").lower(),
        duality_gap=float(abs(info.duality_gap)) * scale,
        iterations=int(info.iter),
    )


def _run(program: _Program, *, refine: bool) -> piqp.SparseSolver:
    solver = piqp.SparseSolver()
    solver.settings.max_iter = _MAX_ITERATIONS
    solver.settings.eps_abs = solver.settings.eps_rel = _TOLERANCE
    solver.settings.check_duality_gap = True
    solver.settings.eps_duality_gap_abs = solver.settings.eps_duality_gap_rel = _TOLERANCE
    solver.settings.iterative_refinement_always_enabled = refine
    solver.setup(
        program.quadratic,
        program.linear,
        program.equality,
        program.equal_to,
        program.inequality,
        program.low,
        program.high,
        program.lower,
        program.upper,
    )
    solver.solve()
    return solver


def _certified(solver: piqp.SparseSolver) -> bool:
    """Whether the duals say that nothing much better exists; violations are measured on the weights themselves."""
    info = solver.result.info
    return bool(info.status == piqp.PIQP_SOLVED or max(info.duality_gap_rel, info.dual_res_rel) <= _STALL_TOLERANCE)


def _build(problem: PreparedProblem, limits: Limits, trade: FloatArray, *, unit: float, scale: float) -> _Program:
    """Write the problem down for the free assets; what is fixed moves to the right-hand sides."""
    free = problem.free
    n, n_factors = int(free.sum()), problem.risk.loadings.shape[1]
    before, position = problem.previous[free] / unit, _reach(problem, limits) / unit
    quadratic, linear = _objective(problem, trade, unit=unit, scale=scale)
    equality, equal_to = _equalities(problem, limits, unit=unit)
    unbounded = np.full(n_factors, np.inf)
    return _Program(
        quadratic=quadratic,
        linear=linear,
        equality=equality,
        equal_to=equal_to,
        inequality=_inequalities(n, n_factors),
        low=np.concatenate([np.zeros(n), before, [-np.inf, -np.inf]]),
        high=np.concatenate([np.full(2 * n, np.inf), _budgets(problem, limits) / unit]),
        lower=np.concatenate([-position, -unbounded, np.zeros(2 * n)]),
        upper=np.concatenate([position, unbounded, position, position + np.abs(before)]),
    )


def _objective(
    problem: PreparedProblem, trade: FloatArray, *, unit: float, scale: float
) -> tuple[sparse.csc_matrix, FloatArray]:
    """Curvature and slope: risk of the factors and of each weight, alpha, cost, and the parabola of the impact."""
    free, per_square = problem.free, unit**2 / scale
    n, n_factors = int(free.sum()), problem.risk.loadings.shape[1]
    cost = problem.trading_cost[free] * unit / scale
    bend = 1.5 * problem.impact[free] / np.sqrt(trade[free]) * per_square
    curvature = problem.risk_aversion * per_square * problem.risk.specific_variance[free] + bend
    factors = problem.risk_aversion * per_square * problem.risk.factor_covariance
    quadratic = _blocks(
        [
            [_diagonal(curvature), None, None],
            [None, sparse.csc_matrix(factors), None],
            [None, None, _empty(2 * n, 2 * n)],
        ],
    )
    slope = cost - problem.alpha[free] * unit / scale - bend * problem.previous[free] / unit
    return quadratic, np.concatenate([slope, np.zeros(n_factors + n), 2 * cost])


def _equalities(problem: PreparedProblem, limits: Limits, *, unit: float) -> tuple[sparse.csc_matrix, FloatArray]:
    """Exposures are what the weights make them; neutrality is exact."""
    free, loadings, neutral = problem.free, problem.risk.loadings, problem.neutral
    n, n_factors, n_rows = int(free.sum()), loadings.shape[1], neutral.shape[1]
    hedged = problem.fixed if limits.hedge_frozen else np.zeros_like(problem.fixed)
    rows = _blocks(
        [
            [sparse.csc_matrix(loadings[free].T), _diagonal(-np.ones(n_factors)), _empty(n_factors, 2 * n)],
            [sparse.csc_matrix(neutral[free].T), _empty(n_rows, n_factors), _empty(n_rows, 2 * n)],
        ],
    )
    return rows, -np.concatenate([loadings.T @ problem.fixed, neutral.T @ hedged]) / unit


def _inequalities(n: int, n_factors: int) -> sparse.csc_matrix:
    """Negative parts, sold parts, gross and turnover."""
    each, one = _diagonal(np.ones(n)), sparse.csc_matrix(np.ones((1, n)))
    none, gap = _empty(n, n), _empty(1, n)
    return _blocks(
        [
            [each, _empty(n, n_factors), each, none],
            [each, _empty(n, n_factors), none, each],
            [one, _empty(1, n_factors), 2 * one, gap],
            [one, _empty(1, n_factors), gap, 2 * one],
        ],
    )


def _blocks(blocks: list[list[sparse.csc_matrix | None]]) -> sparse.csc_matrix:
    return sparse.csc_matrix(sparse.bmat(blocks))


def _diagonal(values: FloatArray) -> sparse.csc_matrix:
    return sparse.csc_matrix(sparse.diags(values))


def _empty(rows: int, columns: int) -> sparse.csc_matrix:
    return sparse.csc_matrix((rows, columns))


def _reach(problem: PreparedProblem, limits: Limits) -> FloatArray:
    """Largest weight that each free asset can have."""
    return np.minimum(limits.position[problem.free], limits.gross)


def _budgets(problem: PreparedProblem, limits: Limits) -> FloatArray:
    """Gross and turnover left to the free assets; a limit that cannot bind becomes one that does not."""
    free, before = problem.free, problem.previous
    widest = _reach(problem, limits).sum()
    gross = min(limits.gross - np.abs(problem.fixed).sum(), widest)
    exits = np.abs(problem.fixed - before)[~free].sum()
    turnover = min(limits.turnover - exits, widest + np.abs(before[free]).sum())
    return np.array([gross, turnover + before[free].sum()])
