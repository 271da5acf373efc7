"""The tables of a backtest in words, the same for the page and the screen."""

import math

from crowdalpha.lab.summary import in_words
from crowdalpha.portfolio import BacktestReport, CapacityCurve

__all__ = [
    "MONTH_NAMES",
    "capacity_table",
    "capacity_words",
    "cost_table",
    "factor_table",
    "headline",
    "month_table",
    "sensitivity_table",
]

MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
Rows = list[tuple[str, ...]]


def headline(report: BacktestReport) -> str:
    """Say the result in a sentence."""
    done = report.performance
    return (
        f"After costs {done.annual_return:+.1%} a year, volatility {done.annual_volatility:.1%}, Sharpe ratio "
        f"{in_words(done.sharpe, '+.2f')}, largest drawdown {done.max_drawdown:.1%}, {len(report.dates)} days."
    )


def cost_table(report: BacktestReport) -> Rows:
    """From what positions earned to what was left; the rows add up."""
    costs = report.costs
    return [
        ("positions earned", _percent(costs.gross)),
        ("spread and commission", _percent(-costs.spread_and_commission)),
        ("market impact", _percent(-costs.impact)),
        ("borrow fees", _percent(-costs.borrow)),
        ("interest", _percent(-costs.financing)),
        ("left", _percent(costs.net)),
    ]


def factor_table(report: BacktestReport) -> Rows:
    """List what each factor earned, and the sum."""
    rows = [(name.removeprefix("style:"), _percent(part)) for name, part in report.factors.items()]
    return [*rows, ("positions earned", _percent(report.costs.gross))]


def month_table(report: BacktestReport, *, digits: int = 2) -> Rows:
    """List a row a year, its months and their total, in per cent."""
    table = report.monthly
    return [
        (str(year), *("" if math.isnan(each) else f"{100 * each:+.{digits}f}" for each in (*months, total)))
        for year, months, total in zip(table.years.tolist(), table.months.tolist(), table.yearly.tolist(), strict=True)
    ]


def sensitivity_table(report: BacktestReport) -> Rows:
    """List results with more or less impact than assumed."""
    found = report.impact_sensitivity or {}
    return [
        (f"{times:g}", f"{each.annual_return:+.2%}", in_words(each.sharpe, "+.2f")) for times, each in found.items()
    ]


def capacity_table(curve: CapacityCurve) -> Rows:
    """List a row a starting value."""
    columns = zip(
        curve.values.tolist(),
        curve.annual_return.tolist(),
        curve.annual_volatility.tolist(),
        curve.sharpe.tolist(),
        curve.gross.tolist(),
        curve.annual_cost.tolist(),
        strict=True,
    )
    return [
        (f"{value:,.0f}", f"{earned:+.2%}", f"{risk:.2%}", in_words(sharpe, "+.2f"), f"{gross:.2f}", f"{cost:.2%}")
        for value, earned, risk, sharpe, gross, cost in columns
    ]


def capacity_words(curve: CapacityCurve) -> str:
    """Say at which size half of the return is gone."""
    if math.isnan(curve.capacity):
        return "The smallest book earns nothing after costs, so that there is no capacity to speak of."
    if math.isinf(curve.capacity):
        return "Half of the return of the smallest book is still there at the largest that was tried."
    return f"Half of the return of the smallest book is gone at a starting value of {curve.capacity:,.0f}."


def _percent(value: float) -> str:
    # A cost of zero is no negative number.
    return f"{100 * value + 0.0:+.3f}"
