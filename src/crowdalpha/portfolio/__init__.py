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
from crowdalpha.portfolio.optimizer import Optimizer, Solution, optimize, prepare_optimizer
from crowdalpha.portfolio.performance import Performance, performance, realized_exposures
from crowdalpha.portfolio.problem import Constraints, Limits, OptimizerSettings, TradeCosts, expected_returns
from crowdalpha.portfolio.program import Duals
from crowdalpha.portfolio.risk import FactorRisk, bias_statistic, estimate_risk
from crowdalpha.portfolio.true_contribution import (
    ContributionRound,
    DropoutContribution,
    ReferenceBook,
    dropout_contribution,
    prepare_contribution,
    true_contribution,
)

PortfolioSolution = Solution
"""The name that the server records it under."""

__all__ = [
    "BankruptBookError",
    "Book",
    "BookHistory",
    "Constraints",
    "ContributionRound",
    "CostModel",
    "DayResult",
    "DropoutContribution",
    "Duals",
    "Execution",
    "FactorRisk",
    "Limits",
    "Optimizer",
    "OptimizerSettings",
    "Performance",
    "PortfolioSolution",
    "ReferenceBook",
    "Solution",
    "SolverError",
    "TradeCosts",
    "bias_statistic",
    "collect",
    "dropout_contribution",
    "estimate_risk",
    "expected_returns",
    "last_traded_day",
    "open_book",
    "optimize",
    "performance",
    "prepare_contribution",
    "prepare_optimizer",
    "realized_exposures",
    "run_backtest",
    "step_day",
    "true_contribution",
]
