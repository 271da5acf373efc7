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
from crowdalpha.portfolio.optimizer import PortfolioSolution, optimize
from crowdalpha.portfolio.performance import Performance, performance, realized_exposures
from crowdalpha.portfolio.performance_tables import (
    CostAttribution,
    MonthlyReturns,
    cost_attribution,
    drawdown,
    factor_attribution,
    monthly_returns,
)
from crowdalpha.portfolio.problem import Limits, PortfolioProblem, expected_returns
from crowdalpha.portfolio.report import BacktestReport, report_document, summarize_backtest
from crowdalpha.portfolio.risk import FactorRisk, bias_statistic, estimate_risk

__all__ = [
    "Backtest",
    "BacktestReport",
    "BankruptBookError",
    "Book",
    "CapacityCurve",
    "CostAttribution",
    "CostModel",
    "DayResult",
    "Decide",
    "Execution",
    "FactorRisk",
    "Limits",
    "MonthlyReturns",
    "Performance",
    "PortfolioProblem",
    "PortfolioSolution",
    "SolverError",
    "backtest",
    "bias_statistic",
    "capacity_curve",
    "collect",
    "correlation_clusters",
    "cost_attribution",
    "denoise",
    "detone",
    "drawdown",
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
    "realized_exposures",
    "report_document",
    "shrink",
    "signal_count",
    "step_day",
    "summarize_backtest",
]
