"""A large synthetic book for benches: factors, limits and costs as a fund of 500 million would have them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.measure import FloatArray
from crowdalpha.portfolio import Constraints, FactorRisk, OptimizerSettings, TradeCosts, optimize

N_STYLES, N_COUNTRIES, N_SECTORS, N_INDUSTRIES = 10, 20, 11, 49
HORIZON_DAYS = 20
NAV = 500e6
SPECIFIC_VOLATILITY = 0.085
SKILL = 0.04


@dataclass(frozen=True, eq=False)
class LargeBook:
    """One problem, and the expected returns of the day after."""

    alpha: FloatArray
    next_alpha: FloatArray
    risk: FactorRisk
    constraints: Constraints
    previous: FloatArray
    costs: TradeCosts
    settings: OptimizerSettings
    volatility: FloatArray


def dummies(rng: np.random.Generator, n_assets: int, n_groups: int) -> FloatArray:
    shares = rng.dirichlet(np.full(n_groups, 2.0))
    groups = rng.choice(n_groups, n_assets, p=shares)
    groups[:n_groups] = np.arange(n_groups)
    return np.eye(n_groups)[groups]


def factor_risk(rng: np.random.Generator, n_assets: int) -> tuple[FactorRisk, FloatArray, FloatArray, FloatArray]:
    """Ten styles, twenty countries, 49 industries that nest in eleven sectors, and the market: 80 factors."""
    styles = np.clip(rng.standard_normal((n_assets, N_STYLES)), -3, 3)
    countries, industries = dummies(rng, n_assets, N_COUNTRIES), dummies(rng, n_assets, N_INDUSTRIES)
    sectors = industries @ np.eye(N_SECTORS)[np.arange(N_INDUSTRIES) % N_SECTORS]
    loadings = np.column_stack([np.ones(n_assets), styles, countries, industries])
    volatility = np.concatenate([[0.04], np.full(N_STYLES, 0.012), np.full(N_COUNTRIES, 0.045), np.full(49, 0.022)])
    noise = rng.standard_normal((len(volatility), 4 * len(volatility)))
    correlation = np.corrcoef(noise)
    specific = SPECIFIC_VOLATILITY * np.exp(0.3 * rng.standard_normal(n_assets))
    risk = FactorRisk(loadings, correlation * np.outer(volatility, volatility), specific**2)
    return risk, styles, countries, sectors


def large_book(n_assets: int, *, risk_aversion: float, seed: int, impact: bool = False, live: bool = True) -> LargeBook:
    """Draw a problem; `live` starts from last month's optimum and limits trades and turnover."""
    rng = np.random.default_rng(seed)
    risk, styles, countries, sectors = factor_risk(rng, n_assets)
    volatility = np.sqrt(risk.specific_variance)
    cap = np.exp(1.6 * rng.standard_normal(n_assets))
    share = cap / cap.sum()
    exposures = risk.loadings.T @ share
    beta = risk.loadings @ (risk.factor_covariance @ exposures) + risk.specific_variance * share
    beta /= beta @ share
    adv = 20e6 * cap * np.exp(0.5 * rng.standard_normal(n_assets))
    last, fresh, moved = rng.standard_normal((3, n_assets))
    score = 0.85 * last + np.sqrt(1 - 0.85**2) * fresh
    costs = TradeCosts(
        linear=np.clip(1e-3 / np.sqrt(cap), 1e-4, 50e-4),
        impact=volatility / np.sqrt(HORIZON_DAYS) * np.sqrt(NAV / (adv * 5)) if impact else 0.0,
        borrow=5e-4,
    )
    start = Constraints(
        neutral=np.column_stack([np.ones(n_assets), beta, countries, sectors]),
        banded=styles,
        band=0.05,
        position_limit=0.01,
        capacity=0.2 * 5 * adv / NAV,
        gross_limit=2.0,
    )
    settings = OptimizerSettings(risk_aversion=risk_aversion)
    alpha = SKILL * volatility * last
    previous = optimize(alpha, risk, start, costs=costs, settings=settings).weights if live else np.zeros(n_assets)
    trades = {"trade_limit": 0.02 * 5 * adv / NAV, "turnover_limit": 0.8} if live else {}
    constraints = Constraints(**{**vars(start), **trades})
    near = 0.98 * score + np.sqrt(1 - 0.98**2) * moved
    return LargeBook(
        SKILL * volatility * score,
        SKILL * volatility * near,
        risk,
        constraints,
        previous,
        costs,
        settings,
        volatility,
    )


def crowd(n_assets: int, n_models: int, *, seed: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Draw predictions that lean the same way on common parts, lognormal stakes, and returns they know a little of."""
    rng = np.random.default_rng(seed)
    truth, common = rng.standard_normal(n_assets), rng.standard_normal((n_assets, 20))
    predictions: npt.NDArray[np.float64] = rng.standard_normal((n_assets, n_models))
    predictions += common @ (0.2 + 0.4 * rng.standard_normal((20, n_models)))
    predictions += 0.03 * truth[:, None]
    stakes = np.exp(1.5 * rng.standard_normal(n_models))
    returns = SPECIFIC_VOLATILITY * (0.05 * truth + rng.standard_normal(n_assets))
    return predictions, stakes, returns
