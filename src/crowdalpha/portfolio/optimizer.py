"""From expected returns to weights: a convex program, and an honest answer when it has no solution.

A problem that cannot be met is relaxed in this order, each step reported: the turnover limit grows to what is
needed; position limits are doubled, up to 16 times; frozen positions are left out of the neutrality; the gross
limit grows to what frozen positions hold already. The neutrality of what is traded is never relaxed.
"""

from dataclasses import dataclass, replace

import numpy as np

from crowdalpha.portfolio.checks import SolverError
from crowdalpha.portfolio.problem import Limits, PortfolioProblem, PreparedProblem, prepare
from crowdalpha.portfolio.program import ProgramSolution, minimal_turnover, solve
from crowdalpha.scoring.arrays import FloatArray

__all__ = ["PortfolioSolution", "optimize"]

_POSITION_FACTORS = (1, 2, 4, 8, 16)
_SLACK = 1.001
"""Room above what is just feasible: there nothing could be chosen, and a solver has no interior to work in."""


@dataclass(frozen=True)
class PortfolioSolution:
    """Weights, and how far they can be trusted.

    Attributes
    ----------
    weights : ndarray of shape (n_assets,), dtype=float64
        Fractions of book value; previous weights for frozen assets, 0 for assets without alpha.
    status : str
        `solved`; `nothing_to_decide` if no asset is free; another word of the solver if it stalled just short of
        its tolerance (relative gap below 1e-4, all limits met).
    relaxed : tuple of str
        Out of `turnover`, `position`, `neutrality`, `gross`, in that order; empty if every limit held.
    limits : Limits
        The limits that were used.
    objective : float
        Expected alpha less the charge for risk and the cost.
    duality_gap : float
        Bound on how much a better portfolio could add to the objective.
    max_violation : float
        Largest breach of the limits that were used, as a weight.
    expected_alpha, risk, cost : float
        Expected return, predicted volatility (not variance) and trading cost, over the horizon of the problem.
    turnover : float
        Sum of absolute changes of weight.
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


def optimize(problem: PortfolioProblem) -> PortfolioSolution:
    """Choose the portfolio.

    Parameters
    ----------
    problem : PortfolioProblem
        Alpha, risk, costs and limits; units as its attributes say.

    Returns
    -------
    PortfolioSolution
        The optimum within the limits, or within the relaxed ones that it names.

    Raises
    ------
    ShapeError
        If lengths differ.
    NonFiniteError
        If a number that a free asset needs is missing.
    RangeError
        If a limit, a cost or a variance is negative.
    SolverError
        If even the relaxed problem ends without a certified solution.

    Notes
    -----
    NaN policy: omit in alpha (the asset is closed, or frozen where it cannot be traded), refuse elsewhere.
    Cost: about ten sparse factorisations of 3 * n_assets + n_factors variables; with impact, once more a pass.

    References
    ----------
    .. [1] R. Schwan et al., "PIQP: a proximal interior-point quadratic programming solver", CDC (2023).
    .. [2] S. Boyd et al., "Multi-period trading via convex optimization" (2017), section 4.
    """
    prepared = prepare(problem)
    limits = prepared.limits
    found = solve(prepared, limits)
    if not found.solved:
        limits = _relax(prepared)
        found = solve(prepared, limits)
    if not found.solved:
        raise SolverError(
            f"the solver ended with {found.status!r} and a violation of "
            f"{prepared.violation(found.weights, limits):.1e} with relaxed limits; check the scale of alpha and risk",
        )
    return _solution(prepared, limits, found)


def _relax(prepared: PreparedProblem) -> Limits:
    """Find the first limits, in the stated order, that some portfolio meets."""
    given = prepared.limits
    for factor in _POSITION_FACTORS:
        wider = replace(given, position=given.position * factor)
        least = minimal_turnover(prepared, wider)
        if least is not None:
            return replace(wider, turnover=max(given.turnover, least * _SLACK))
    held = float(np.abs(prepared.fixed).sum())
    frozen = replace(given, hedge_frozen=False, gross=given.gross if given.gross > held else held * _SLACK)
    least = minimal_turnover(prepared, frozen)
    closing = float(np.abs(prepared.fixed - prepared.previous).sum())
    return replace(frozen, turnover=max(given.turnover, (closing if least is None else least) * _SLACK))


def _relaxed_names(given: Limits, used: Limits) -> tuple[str, ...]:
    changed = {
        "turnover": used.turnover > given.turnover,
        "position": bool((used.position > given.position).any()),
        "neutrality": not used.hedge_frozen,
        "gross": used.gross > given.gross,
    }
    return tuple(name for name, is_changed in changed.items() if is_changed)


def _solution(prepared: PreparedProblem, limits: Limits, found: ProgramSolution) -> PortfolioSolution:
    weights = found.weights
    return PortfolioSolution(
        weights=weights,
        status=found.status,
        relaxed=_relaxed_names(prepared.limits, limits),
        limits=limits,
        objective=prepared.objective(weights),
        duality_gap=found.duality_gap,
        max_violation=prepared.violation(weights, limits),
        expected_alpha=float(prepared.alpha @ weights),
        risk=float(np.sqrt(prepared.risk.variance(weights))),
        cost=prepared.cost(weights),
        turnover=float(np.abs(weights - prepared.previous).sum()),
    )
