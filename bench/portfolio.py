"""The optimiser against solvers through cvxpy, and True Contribution against differences and diffcp.

cvxpy and diffcp are no dependencies of the project: where they are not installed, the row says so and has no ratio.
"""

import importlib
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from operator import itemgetter
from types import ModuleType
from typing import Any

import numpy as np
from scipy import sparse

from bench.books import LargeBook, crowd, large_book
from bench.measure import FloatArray, Row, timed
from crowdalpha.portfolio import (
    Duals,
    Optimizer,
    ReferenceBook,
    Solution,
    dropout_contribution,
    prepare_contribution,
    prepare_optimizer,
)
from crowdalpha.portfolio.sensitivity import sensitivity
from crowdalpha.portfolio.true_contribution import standard_signals

N_ASSETS, N_MODELS = 5_000, 6_000
N_SMALL, N_DIFFERENCES = 200, 100
SEED = 20_260_101
RISK_AVERSION = 20.0
PROTOCOL_SECONDS = 10.0
NAN = float("nan")
UNIT = 1e-3
"""Weights are given to other solvers in thousandths, and the objective in millionths: better for their tolerances."""


def run() -> list[Row]:
    rows = [differences(), protocol()]
    cvxpy = importlib.import_module("cvxpy") if find_spec("cvxpy") else None
    rows += optimizers(cvxpy)
    return [*rows, *gradients(cvxpy)]


def row(work: str, peer: float, ours: float, *, equal: bool, wanted: float | None = None, limit: str = "") -> Row:
    return Row(work, peer, ours, equal=equal, peer_bytes=NAN, our_bytes=NAN, wanted=wanted, limit=limit)


def best_of(work: Callable[[], object], repeats: int = 10) -> float:
    return min(timed(work)[1] for _ in range(repeats))


def reference_book(book: LargeBook) -> ReferenceBook:
    return ReferenceBook(
        risk=book.risk,
        volatility=book.volatility,
        information_coefficient=0.04,
        constraints=book.constraints,
        costs=book.costs,
        settings=book.settings,
    )


def differences() -> Row:
    """Central differences of the whole pipeline in some stakes of the whole crowd."""
    # Few assets: their positions may be large, else the limits leave nothing free.
    drawn = large_book(N_SMALL, risk_aversion=200.0, seed=SEED, impact=True, live=False)
    book = reference_book(drawn)
    predictions, stakes, returns = crowd(N_SMALL, N_MODELS, seed=SEED)
    signals, optimizer, scale = standard_signals(predictions), book.optimizer(), book.scale()
    ready, seconds = timed(lambda: prepare_contribution(predictions, stakes, book=book))
    ours = ready.contributions(returns)

    def earned(model: int, step: float) -> float:
        moved = stakes.copy()
        moved[model] += step
        mean = signals @ moved
        alpha = scale * (mean - mean.mean()) / mean.std()
        return float(returns @ optimizer.solve(alpha, start=ready.book.duals).weights)

    models, step = np.random.default_rng(SEED).choice(N_MODELS, N_DIFFERENCES, replace=False), 1e-2 * stakes.mean()

    def all_differences() -> FloatArray:
        ends = np.array([earned(model, step) - earned(model, -step) for model in models])
        found: FloatArray = ends / (2 * step) * stakes.sum()
        return found

    peer, peer_seconds = timed(all_differences)
    error = float(np.linalg.norm(ours[models] - peer) / np.linalg.norm(peer))
    loud = np.abs(peer) > 1e-3 * np.abs(peer).max()
    right = bool((np.sign(peer) == np.sign(ours[models]))[loud].all())
    return row(
        f"TC of 6,000 models, 200 assets, against central differences: error {error:.0e}",
        peer_seconds * N_MODELS / N_DIFFERENCES,
        seconds,
        equal=error <= 1e-4 and right,
    )


def protocol() -> Row:
    """The published protocol at full size, raw predictions included."""
    book = reference_book(large_book(N_ASSETS, risk_aversion=RISK_AVERSION, seed=SEED, live=False))
    predictions, stakes, returns = crowd(N_ASSETS, N_MODELS, seed=SEED)
    found, seconds = timed(lambda: dropout_contribution(predictions, stakes, returns, book=book, seed=SEED))
    is_held = found.split_half >= 0.98 and seconds <= PROTOCOL_SECONDS and found.largest_gap <= 1e-9
    return row(
        f"TC protocol, 100 dropouts, 6,000 models x 5,000 assets: split half {found.split_half:.3f}, at most 10 s",
        NAN,
        seconds,
        equal=is_held,
    )


def optimizers(cvxpy: ModuleType | None) -> list[Row]:
    """Cold and warm, all constraints; then with the 3/2-power impact."""
    rows = []
    for impact, solver in ((False, "PIQP"), (True, "CLARABEL")):
        book = large_book(N_ASSETS, risk_aversion=RISK_AVERSION, seed=SEED, impact=impact)
        ready = prepared(book)
        cold = best_of(partial(solved_cold, book))
        first = ready.solve(book.alpha)
        warm = best_of(partial(ready.solve, book.next_alpha, start=first.duals))
        second = ready.solve(book.next_alpha, start=first.duals)
        name = f"optimizer, 5,000 assets, 80 factors{', impact' if impact else ''}"
        ok = max(first.duality_gap, second.duality_gap) <= 1e-9
        if cvxpy is None:
            rows.append(row(f"{name}, cold (cvxpy not installed)", NAN, cold, equal=ok, wanted=5))
            rows.append(row(f"{name}, warm (cvxpy not installed)", NAN, warm, equal=ok, wanted=20))
            continue
        model = modelled(cvxpy, book, impact=impact)
        weights, peer_cold = model(book.alpha, solver)
        again, peer_warm = min((model(book.next_alpha, solver) for _ in range(3)), key=itemgetter(1))
        ok = ok and bool(np.abs(weights - first.weights).max() < 1e-4 and np.abs(again - second.weights).max() < 1e-4)
        rows.append(row(f"{name}, cold, against cvxpy with {solver}", peer_cold, cold, equal=ok, wanted=5))
        rows.append(row(f"{name}, warm, against cvxpy with {solver}", peer_warm, warm, equal=ok, wanted=20))
    return rows


def prepared(book: LargeBook) -> Optimizer:
    return prepare_optimizer(book.risk, book.constraints, book.previous, costs=book.costs, settings=book.settings)


def solved_cold(book: LargeBook) -> Solution:
    return prepared(book).solve(book.alpha)


def modelled(
    cvxpy: ModuleType, book: LargeBook, *, impact: bool
) -> Callable[[FloatArray, str], tuple[FloatArray, float]]:
    """Write the problem down for cvxpy, alpha as the parameter, and return what solves it."""
    n = len(book.alpha)
    alpha, weights = cvxpy.Parameter(n), cvxpy.Variable(n)
    problem = written(cvxpy, book, alpha, weights, impact=impact)

    def solve(values: FloatArray, solver: str) -> tuple[FloatArray, float]:
        alpha.value = values / UNIT
        seconds = timed(lambda: problem.solve(solver=getattr(cvxpy, solver)))[1]
        return np.asarray(weights.value) * UNIT, seconds

    return solve


def written(
    cvxpy: ModuleType,
    book: LargeBook,
    alpha: Any,  # noqa: ANN401 - cvxpy has no types
    weights: Any,  # noqa: ANN401 - cvxpy has no types
    *,
    impact: bool,
) -> Any:  # noqa: ANN401 - cvxpy has no types
    """The same problem in another language, weights in thousandths and the objective in millionths."""
    limits, costs, aversion = book.constraints, book.costs, book.settings.risk_aversion
    reach = np.minimum(limits.position_limit, np.asarray(limits.capacity))
    trade = np.broadcast_to(limits.trade_limit, len(reach))
    lower, upper = np.maximum(-reach, book.previous - trade), np.minimum(reach, book.previous + trade)
    lower, upper = np.minimum(lower, reach), np.maximum(upper, -reach)
    values, vectors = np.linalg.eigh(book.risk.factor_covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    loadings, banded, neutral = (columns_of(part) for part in (book.risk.loadings, limits.banded, limits.neutral))
    factors, styles = cvxpy.Variable(loadings.shape[1]), cvxpy.Variable(banded.shape[1])
    change = weights - book.previous / UNIT
    size = cvxpy.abs(change)
    charge = cvxpy.sum_squares(root.T @ factors) + cvxpy.sum_squares(cvxpy.multiply(book.volatility, weights))
    paid = (np.asarray(costs.linear) / UNIT) @ size + costs.borrow / UNIT * cvxpy.sum(cvxpy.neg(weights))
    if impact:
        paid = paid + (np.asarray(costs.impact) / UNIT**0.5) @ cvxpy.power(size, 1.5)
    rules = [
        factors == loadings.T @ weights,
        styles == banded.T @ weights,
        neutral.T @ weights == 0,
        styles <= limits.band / UNIT,
        styles >= -limits.band / UNIT,
        weights >= lower / UNIT,
        weights <= upper / UNIT,
        cvxpy.norm1(weights) <= limits.gross_limit / UNIT,
    ]
    if np.isfinite(limits.turnover_limit):
        rules.append(cvxpy.sum(size) <= limits.turnover_limit / UNIT)
    return cvxpy.Problem(cvxpy.Maximize(alpha @ weights - aversion / 2 * charge - paid), rules)


def columns_of(part: FloatArray | None) -> sparse.csc_matrix:
    """Give dummies as what they are, mostly zeros: without it the other solvers take ten times as long."""
    return sparse.csc_matrix(np.zeros((0, 0)) if part is None else part)


def gradients(cvxpy: ModuleType | None) -> list[Row]:
    """The derivative alone, and the pipeline from signals to contributions, against diffcp on the same book."""
    drawn = large_book(N_ASSETS, risk_aversion=RISK_AVERSION, seed=SEED, live=False)
    predictions, stakes, returns = crowd(N_ASSETS, N_MODELS, seed=SEED)
    book, signals = reference_book(drawn), standard_signals(predictions)
    scale = book.scale()

    def backwards(gradient: FloatArray, mean: FloatArray) -> FloatArray:
        z = (mean - mean.mean()) / mean.std()
        scored = scale * gradient
        found: FloatArray = signals.T @ ((scored - scored.mean() - z * (z @ scored) / len(z)) / mean.std())
        return found

    def forwards(start: Duals | None = None) -> tuple[FloatArray, FloatArray]:
        mean = signals @ (stakes / stakes.sum())
        solved = sensitivity(book.optimizer(), scale * (mean - mean.mean()) / mean.std(), start=start)
        return backwards(solved.adjoint(returns), mean), mean

    ours, mean = forwards()
    pipeline = best_of(forwards, 3)
    solved = sensitivity(book.optimizer(), scale * (mean - mean.mean()) / mean.std())
    optimizer, alpha = book.optimizer(), scale * (mean - mean.mean()) / mean.std()
    alone = best_of(lambda: sensitivity(optimizer, alpha, start=solved.duals).adjoint(returns), 20)
    names = "derivative of a solved book, 5,000 assets", "TC of 6,000 models from signals, 5,000 assets"
    if cvxpy is None or find_spec("diffcp") is None:
        return [
            row(f"{names[0]} (diffcp not installed)", NAN, alone, equal=True, wanted=5_000),
            row(f"{names[1]} (diffcp not installed)", NAN, pipeline, equal=True, wanted=200),
        ]
    own = missed_by(optimizer, alpha, solved.adjoint(returns), returns)
    gradient, forward, backward = diffcp_gradient(cvxpy, drawn, alpha, returns)
    peer = backwards(gradient, mean)
    error = float(np.linalg.norm(peer - ours) / np.linalg.norm(ours))
    return [
        row(f"{names[0]}, {own:.0e} off differences; diffcp lsqr", backward, alone, equal=True, wanted=5_000),
        row(f"{names[1]}, diffcp lsqr, which is {error:.0e} off", forward + backward, pipeline, equal=True, wanted=200),
    ]


def missed_by(optimizer: Optimizer, alpha: FloatArray, gradient: FloatArray, returns: FloatArray) -> float:
    """Relative miss of a central difference, the median of some random directions: some of them cross a kink."""
    rng, step, misses = np.random.default_rng(SEED), 1e-5, []
    for _ in range(5):
        away = alpha * rng.standard_normal(len(alpha))
        ends = [float(returns @ optimizer.solve(alpha + side * step * away).weights) for side in (1, -1)]
        seen = (ends[0] - ends[1]) / (2 * step)
        misses.append(abs(seen - float(gradient @ away)) / abs(seen))
    return float(np.median(misses))


def diffcp_gradient(
    cvxpy: ModuleType, book: LargeBook, alpha: FloatArray, returns: FloatArray
) -> tuple[FloatArray, float, float]:
    """Solve and differentiate the conic form; the risk has to become a second-order cone for it."""
    diffcp = importlib.import_module("diffcp")
    conic = importlib.import_module("cvxpy.reductions.solvers.conic_solvers.scs_conif")
    weights = cvxpy.Variable(len(alpha))
    problem = written(cvxpy, book, alpha / UNIT, weights, impact=False)
    data, _, _ = problem.get_problem_data(cvxpy.SCS, solver_opts={"use_quad_obj": False})
    cones = conic.dims_to_solver_dict(data["dims"])
    options = {"mode": "lsqr", "solve_method": "Clarabel"}
    found, forward = timed(lambda: diffcp.solve_and_derivative(data["A"], data["b"], data["c"], cones, **options))
    x, y, s, _, adjoint = found
    place = data["param_prob"].var_id_to_col[weights.id]
    push = np.zeros(len(x))
    push[place : place + len(alpha)] = returns
    (_, _, slope), backward = timed(lambda: adjoint(push, np.zeros(len(y)), np.zeros(len(s))))
    # The conic objective is minimised and holds alpha / UNIT; weights come in thousandths.
    return -np.asarray(slope[place : place + len(alpha)]), forward, backward
