"""From expected returns to weights, and from weights to what a book earned."""

from crowdalpha.portfolio.backtest import Backtest, Decide, backtest, collect, last_traded_day
from crowdalpha.portfolio.backtest_step import Book, DayResult, Execution, open_book, step_day
from crowdalpha.portfolio.capacity import CapacityCurve, capacity_curve
from crowdalpha.portfolio.checks import BankruptBookError, SolverError
from crowdalpha.portfolio.costs import CostModel
from crowdalpha.portfolio.covariance import denoise, detone, shrink, signal_count
from crowdalpha.portfolio.hierarchical import (
    correlation_clusters,
    hierarchical_risk_parity,
    minimum_variance,
    nested_clusters,
)
from crowdalpha.portfolio.optimizer import Optimizer, Solution, optimize, prepare_optimizer
from crowdalpha.portfolio.performance import Performance, performance, realized_exposures
from crowdalpha.portfolio.performance_tables import (
    CostAttribution,
    MonthlyReturns,
    cost_attribution,
    drawdown,
    factor_attribution,
    monthly_returns,
)
from crowdalpha.portfolio.problem import Constraints, Limits, OptimizerSettings, TradeCosts, expected_returns
from crowdalpha.portfolio.program import Duals
from crowdalpha.portfolio.report import BacktestReport, report_document, summarize_backtest
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
    "Backtest",
    "BacktestReport",
    "BankruptBookError",
    "Book",
    "CapacityCurve",
    "Constraints",
    "ContributionRound",
    "CostAttribution",
    "CostModel",
    "DayResult",
    "Decide",
    "DropoutContribution",
    "Duals",
    "Execution",
    "FactorRisk",
    "Limits",
    "MonthlyReturns",
    "Optimizer",
    "OptimizerSettings",
    "Performance",
    "PortfolioSolution",
    "ReferenceBook",
    "Solution",
    "SolverError",
    "TradeCosts",
    "backtest",
    "bias_statistic",
    "capacity_curve",
    "collect",
    "correlation_clusters",
    "cost_attribution",
    "denoise",
    "detone",
    "drawdown",
    "dropout_contribution",
    "estimate_risk",
    "expected_returns",
    "factor_attribution",
    "hierarchical_risk_parity",
    "last_traded_day",
    "minimum_variance",
    "monthly_returns",
    "nested_clusters",
    "open_book",
    "optimize",
    "performance",
    "prepare_contribution",
    "prepare_optimizer",
    "realized_exposures",
    "report_document",
    "shrink",
    "signal_count",
    "step_day",
    "summarize_backtest",
    "true_contribution",
]
