"""From expected returns to weights, and from weights to what a book earned."""

from crowdalpha.portfolio.backtest import (
    Book,
    BookHistory,
    DayResult,
    Execution,
    collect,
    last_traded_day,
    open_book,
    run_backtest,
    step_day,
)
from crowdalpha.portfolio.checks import BankruptBookError, SolverError
from crowdalpha.portfolio.costs import CostModel
from crowdalpha.portfolio.optimizer import PortfolioSolution, optimize
from crowdalpha.portfolio.performance import Performance, performance, realized_exposures
from crowdalpha.portfolio.problem import Limits, PortfolioProblem, expected_returns
from crowdalpha.portfolio.risk import FactorRisk, bias_statistic, estimate_risk

__all__ = [
    "BankruptBookError",
    "Book",
    "BookHistory",
    "CostModel",
    "DayResult",
    "Execution",
    "FactorRisk",
    "Limits",
    "Performance",
    "PortfolioProblem",
    "PortfolioSolution",
    "SolverError",
    "bias_statistic",
    "collect",
    "estimate_risk",
    "expected_returns",
    "last_traded_day",
    "open_book",
    "optimize",
    "performance",
    "realized_exposures",
    "run_backtest",
    "step_day",
]
