"""From expected returns to weights: a convex program, a certified answer, and an honest word where limits clash.

Newton on the prices of the coupling rows solves it; an interior-point solver is asked where that stalls, and its
prices are polished by Newton again. No answer leaves without a duality gap within the allowed one. Limits that
contradict each other give way in the order of `crowdalpha.portfolio.relaxation`, each step reported.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

from crowdalpha.portfolio.certificate import duality_gap
from crowdalpha.portfolio.checks import SolverError, per_asset
from crowdalpha.portfolio.interior import InteriorSolution, row_miss, solve_interior
from crowdalpha.portfolio.newton import DualPoint
from crowdalpha.portfolio.prepared import Prepared, prepare, program_of
from crowdalpha.portfolio.problem import Constraints, Limits, OptimizerSettings, TradeCosts
from crowdalpha.portfolio.program import Duals, Program
from crowdalpha.portfolio.proximal import solve_newton
from crowdalpha.portfolio.relaxation import relax, relaxed_names
from crowdalpha.portfolio.risk import FactorRisk
from crowdalpha.scoring.arrays import BoolArray, FloatArray
from crowdalpha.scoring.checks import NonFiniteError

__all__ = ["Optimizer", "Solution", "optimize", "prepare_optimizer"]

_MAX_MISS = 1e-8
"""Largest miss of a row, as a weight, with which an answer is given."""

_CASH = 1e-10
"""Sum of absolute weights up to which a book is called cash."""

_NOTHING = 1e-15
"""A weight below this is the rounding of a position that was closed."""


@dataclass(frozen=True)
class Solution:
    """Weights, and how far they can be trusted.

    Attributes
    ----------
    weights : ndarray of shape (n_assets,), dtype=float64
        Fractions of book value; previous weights for frozen assets, 0 for assets without alpha.
    status : str
        `solved`; `nothing_to_decide` if no asset is free; for a book of cash `no_alpha` if all expected returns are
        the same, else `all_cash`: nothing is worth its cost within the limits.
    relaxed : tuple of str
        Limits that gave way, in the order of `crowdalpha.portfolio.relaxation`; empty if every limit held.
    limits : Limits
        The limits that were used.
    objective : float
        Expected alpha less the charge for risk and the cost.
    duality_gap : float
        Bound on how much a better portfolio could add to the objective.
    max_violation : float
        Largest breach of the limits that were used, as a weight.
    expected_alpha, risk, cost : float
        Expected return, predicted volatility (not variance) and cost, over the horizon of the problem.
    turnover : float
        Sum of absolute changes of weight.
    duals : Duals
        Prices of the rows and sums that couple the assets; a warm start for the next problem.
    solver : str, default="newton"
        `newton`, or `piqp` where its answer could not be polished.
    iterations : int, default=0
        Newton steps.
    forced : tuple of str, default=()
        Free assets that are alone in a neutral row: it fixes their weight, whatever their alpha.
    """

    weights: FloatArray
    status: str
    relaxed: tuple[str, ...]
    limits: Limits
    objective: float
    duality_gap: float
    max_violation: float
    expected_alpha: float
    risk: float
    cost: float
    turnover: float
    duals: Duals = field(default_factory=Duals)
    solver: str = "newton"
    iterations: int = 0
    forced: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """A certified answer on the free assets; `point` is None where it cannot be differentiated."""

    weights: FloatArray
    prices: FloatArray
    gap: float
    solver: str
    iterations: int
    point: DualPoint | None


@dataclass(frozen=True)
class Optimizer:
    """A problem that is prepared once and solved for many expected returns.

    Attributes
    ----------
    prepared : Prepared
        Checked problem.
    program : Program
        What the solvers read, within the limits as given.
    threads : ThreadpoolController
        Keeps its matrices on one thread: they are so small that more would only wait for each other.
    """

    prepared: Prepared
    program: Program
    threads: ThreadpoolController = field(default_factory=ThreadpoolController, repr=False, compare=False)

    def solve(self, alpha: npt.ArrayLike, *, start: Duals | None = None) -> Solution:
        """Choose the portfolio.

        Parameters
        ----------
        alpha : array-like of shape (n_assets,)
            Expected returns over the horizon; finite for every free asset, ignored for the others.
        start : Duals, optional
            Duals of an earlier solution: a nearby problem then takes a few steps.

        Returns
        -------
        Solution
            The optimum within the limits, or within the relaxed ones that it names.

        Raises
        ------
        ShapeError
            If there is not one number per asset.
        NonFiniteError
            If a free asset has none.
        SolverError
            If even the relaxed problem ends without a certified solution; it names the limit in the way.

        Notes
        -----
        NaN policy: refuse for free assets. Cost: see `maximize_dual`.
        """
        prepared, known = self.prepared, self.alpha(alpha)
        limits, program = prepared.limits, self.program
        if not prepared.free.any() and prepared.violation(prepared.fixed, limits) <= _MAX_MISS:
            return _solution(prepared, limits, known, None, program)
        with self.threads.limit(limits=1, user_api="blas"):
            answer, last = answer_to(program, known[prepared.free], start=start, settings=prepared.settings)
            if answer is None:
                limits = relax(prepared)
                program = program_of(prepared, limits)
                if prepared.free.any():
                    answer, last = answer_to(program, known[prepared.free], start=None, settings=prepared.settings)
        if answer is None and prepared.free.any():
            raise SolverError(_in_the_way(prepared, limits, last))
        return _solution(prepared, limits, known, answer, program)

    def alpha(self, alpha: npt.ArrayLike) -> FloatArray:
        """Check expected returns, and set those of assets that are not free to zero."""
        values = per_asset(alpha, "alpha", n_assets=len(self.prepared.free))
        bad = self.prepared.free & ~np.isfinite(values)
        if bad.any():
            name = self.prepared.asset(int(np.argmax(bad)))
            raise NonFiniteError(f"alpha is not finite for asset {name}; prepare the optimizer without it to close it")
        return np.where(self.prepared.free, values, 0.0)


def prepare_optimizer(
    risk: FactorRisk,
    constraints: Constraints,
    previous: FloatArray | None = None,
    *,
    costs: TradeCosts | None = None,
    settings: OptimizerSettings | None = None,
    held: BoolArray | None = None,
) -> Optimizer:
    """Check a problem and write it down once, for many expected returns.

    Parameters
    ----------
    risk : FactorRisk
        Over the horizon of the optimisation.
    constraints : Constraints
        What is allowed.
    previous : ndarray of shape (n_assets,), optional
        Weights held now; cash by default.
    costs : TradeCosts, optional
        Over the same horizon; none by default.
    settings : OptimizerSettings, optional
        Risk aversion and tolerances.
    held : ndarray of shape (n_assets,), dtype=bool, optional
        Assets that may be held; all by default.

    Returns
    -------
    Optimizer
        Call its `solve`.

    Raises
    ------
    ShapeError
        If lengths differ.
    NonFiniteError
        If a number that a free asset needs is missing.
    RangeError
        If a limit, a cost or a variance is negative, or nothing bounds an asset without curvature.

    Notes
    -----
    NaN policy: refuse for free assets, omit for the others. Cost: O(n_assets * n_factors**2).
    """
    may = np.ones(len(risk.specific_variance), dtype=np.bool_) if held is None else held
    threads = ThreadpoolController()
    with threads.limit(limits=1, user_api="blas"):
        prepared = prepare(
            may, risk, constraints, previous, costs=costs or TradeCosts(), settings=settings or OptimizerSettings()
        )
        return Optimizer(prepared, program_of(prepared, prepared.limits), threads)


def optimize(
    alpha: npt.ArrayLike,
    risk: FactorRisk,
    constraints: Constraints,
    previous: FloatArray | None = None,
    *,
    costs: TradeCosts | None = None,
    settings: OptimizerSettings | None = None,
    start: Duals | None = None,
) -> Solution:
    """Choose the portfolio.

    Maximise `alpha'w - risk_aversion/2 * w'Cw - ridge/2 * w'w - linear'|w - previous| - impact'|w - previous|**1.5
    - borrow'w-` within the constraints.

    Parameters
    ----------
    alpha : array-like of shape (n_assets,)
        Expected return over the horizon; NaN for an asset that should not be held: it is closed if it can be traded.
    risk : FactorRisk
        C, over the same horizon.
    constraints : Constraints
        What is allowed.
    previous : ndarray of shape (n_assets,), optional
        Weights held now; cash by default.
    costs : TradeCosts, optional
        Over the same horizon; none by default.
    settings : OptimizerSettings, optional
        Risk aversion and tolerances.
    start : Duals, optional
        Duals of an earlier solution, as a warm start.

    Returns
    -------
    Solution
        The optimum within the limits, or within the relaxed ones that it names.

    Raises
    ------
    ShapeError
        If lengths differ.
    NonFiniteError
        If alpha is infinite, or a number that a free asset needs is missing.
    RangeError
        If a limit, a cost or a variance is negative, or nothing bounds an asset without curvature.
    SolverError
        If even the relaxed problem ends without a certified solution; it names the limit in the way.

    Notes
    -----
    NaN policy: omit in alpha, refuse elsewhere for assets that are decided on. Cost: ten to thirty steps of
    O(n_assets * n_rows), a few from a warm start.

    References
    ----------
    .. [1] S. Boyd et al., "Multi-period trading via convex optimization" (2017), section 4.

    Examples
    --------
    >>> risk = FactorRisk(np.zeros((2, 1)), np.zeros((1, 1)), np.full(2, 0.1))
    >>> optimize([0.05, -0.02], risk, Constraints()).weights
    array([ 0.5, -0.2])
    """
    values = per_asset(alpha, "alpha", n_assets=len(risk.specific_variance))
    if np.isinf(values).any():
        raise NonFiniteError(f"alpha is infinite at row {int(np.argmax(np.isinf(values)))}; NaN means not to hold it")
    optimizer = prepare_optimizer(risk, constraints, previous, costs=costs, settings=settings, held=~np.isnan(values))
    return optimizer.solve(values, start=start)


def answer_to(
    program: Program, alpha: FloatArray, *, start: Duals | None, settings: OptimizerSettings
) -> tuple[Answer | None, InteriorSolution | None]:
    """Solve a program by Newton, else by the interior-point method and Newton from there.

    Parameters
    ----------
    program : Program
        What is minimised.
    alpha : ndarray of shape (n_free,), dtype=float64
        Expected returns of the free assets.
    start : Duals or None
        Warm start.
    settings : OptimizerSettings
        Tolerances.

    Returns
    -------
    answer : Answer or None
        Certified, or None: no book within the limits was found.
    last : InteriorSolution or None
        What the second solver said, where it was asked.

    Notes
    -----
    NaN policy: refuse before. Cost: see `maximize_dual` and `solve_interior`.
    """
    if program.gross < 0 or program.turnover < 0 or not len(alpha):
        return None, None
    answer = _by_newton(program, alpha, program.prices_of(start), settings)
    if answer is not None:
        return answer, None
    last = solve_interior(program, alpha)
    if not last.solved:
        return None, last
    polished = _by_newton(program, alpha, last.prices, settings)
    if polished is not None:
        return polished, last
    gap = duality_gap(program, alpha, last.weights, last.prices)
    if not (gap <= settings.max_gap and row_miss(program, last.weights) <= _MAX_MISS):
        return None, last
    return Answer(last.weights, last.prices, max(gap, 0.0), "piqp", 0, None), last


def _by_newton(program: Program, alpha: FloatArray, prices: FloatArray, settings: OptimizerSettings) -> Answer | None:
    found = solve_newton(program, alpha, start=prices, settings=settings)
    if not found.gap <= settings.max_gap:
        return None
    # The stopping rule of Newton already says that every row is met.
    if not found.converged and row_miss(program, found.point.weights) > _MAX_MISS:
        return None
    is_smooth = found.converged and not found.is_flat
    return Answer(
        found.point.weights,
        found.point.prices,
        abs(found.gap),
        "newton",
        found.iterations,
        found.point if is_smooth else None,
    )


def _in_the_way(prepared: Prepared, limits: Limits, last: InteriorSolution | None) -> str:
    """Say which limit is broken most where nothing was certified."""
    if last is None:
        return "no book meets the limits: frozen positions exceed gross_limit or turnover_limit"
    weights = prepared.fixed.copy()
    weights[prepared.free] = last.weights
    breaches = prepared.breaches(weights, limits)
    name = max(breaches, key=lambda key: breaches[key])
    return (
        f"the solver ended with {last.status!r}; {name} is missed by {max(breaches[name], 0.0):.1e} even with relaxed "
        "limits; widen it, or check the scale of alpha and risk"
    )


def _status(prepared: Prepared, weights: FloatArray, alpha: FloatArray) -> str:
    if not prepared.free.any():
        return "nothing_to_decide"
    if np.abs(weights).sum() > _CASH:
        return "solved"
    free = alpha[prepared.free]
    return "no_alpha" if free.min() == free.max() else "all_cash"


def _solution(
    prepared: Prepared, limits: Limits, alpha: FloatArray, answer: Answer | None, program: Program
) -> Solution:
    weights = prepared.fixed.copy()
    if answer is not None:
        weights[prepared.free] = np.where(np.abs(answer.weights) < _NOTHING, 0.0, answer.weights)
    held, risk = np.flatnonzero(weights), prepared.risk
    names = FactorRisk(risk.loadings[held], risk.factor_covariance, risk.specific_variance[held])
    variance = names.variance(weights[held]) if len(held) else 0.0
    cost, expected = prepared.cost(weights), float(alpha @ weights)
    settings = prepared.settings
    charge = settings.risk_aversion * variance + settings.ridge * float(weights @ weights)
    return Solution(
        weights=weights,
        status=_status(prepared, weights, alpha),
        relaxed=relaxed_names(prepared, limits),
        limits=limits,
        objective=expected - charge / 2 - cost,
        duality_gap=0.0 if answer is None else answer.gap,
        max_violation=prepared.violation(weights, limits),
        expected_alpha=expected,
        risk=float(np.sqrt(variance)),
        cost=cost,
        turnover=float(np.abs(weights - prepared.previous).sum()),
        duals=Duals() if answer is None else program.duals_of(answer.prices),
        solver="newton" if answer is None else answer.solver,
        iterations=0 if answer is None else answer.iterations,
        forced=prepared.forced,
    )
