"""What there is to say about a backtest, as plain values."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from crowdalpha.portfolio.backtest import Backtest
from crowdalpha.portfolio.capacity import CapacityCurve
from crowdalpha.portfolio.performance import Performance, performance
from crowdalpha.portfolio.performance_tables import (
    CostAttribution,
    MonthlyReturns,
    cost_attribution,
    drawdown,
    monthly_returns,
)
from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.checks import ShapeError

__all__ = ["FORMAT", "SPECIFIC", "BacktestReport", "report_document", "summarize_backtest"]

FORMAT = 1
"""Changes when a name in the document does."""

SPECIFIC = "specific"
"""Name of what no factor explains."""

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True)
class BacktestReport:
    """A backtest, and where its result came from.

    Attributes
    ----------
    dates : ndarray of shape (n_days,), dtype=datetime64[D]
        Days of the book.
    result : Backtest
        The book.
    performance : Performance
        After costs.
    monthly : MonthlyReturns
        Compounded, after costs.
    costs : CostAttribution
        From what positions earned to what was left.
    factors : mapping of str to float
        What each factor, and last `specific`, earned over the whole time, fractions of the starting value; they add
        up to `costs.gross`.
    exposures : mapping of str to ndarray of shape (n_days,)
        What the book was exposed to after each close.
    capacity : CapacityCurve or None
        None if it was not asked for.
    impact_sensitivity : mapping of float to Performance
        Results if impact were so many times what was assumed, with the same targets.
    notes : tuple of str
        What the reader should know of the data.
    """

    dates: npt.NDArray[np.datetime64]
    result: Backtest
    performance: Performance
    monthly: MonthlyReturns
    costs: CostAttribution
    factors: Mapping[str, float]
    exposures: Mapping[str, FloatArray]
    capacity: CapacityCurve | None = None
    impact_sensitivity: Mapping[float, Performance] | None = None
    notes: tuple[str, ...] = ()


def summarize_backtest(
    result: Backtest,
    dates: npt.NDArray[np.datetime64],
    *,
    factor_parts: FloatArray,
    factor_names: Sequence[str],
    exposures: Mapping[str, FloatArray],
) -> BacktestReport:
    """Compute everything that a report shows of a book.

    Parameters
    ----------
    result : Backtest
        A book of n_days.
    dates : ndarray of shape (n_days,), dtype=datetime64[D]
        Its days.
    factor_parts : ndarray of shape (n_days, n_factors + 1), dtype=float64
        As `factor_attribution` gives it.
    factor_names : sequence of str
        Names of the n_factors; a name may come more than once, and its parts are added.
    exposures : mapping of str to ndarray of shape (n_days,)
        Passed on.

    Returns
    -------
    BacktestReport
        Without capacity, sensitivity and notes: `dataclasses.replace` adds them.

    Raises
    ------
    ShapeError
        If lengths do not fit.

    Notes
    -----
    NaN policy: refuse in returns. Cost: O(n_days * n_factors).
    """
    wanted = (len(result.value), len(factor_names) + 1)
    if factor_parts.shape != wanted:
        raise ShapeError(f"factor_parts has shape {factor_parts.shape}; days and names need {wanted}")
    before = result.value_before
    totals = (before / before[0]) @ factor_parts
    factors = dict.fromkeys([*factor_names, SPECIFIC], 0.0)
    for name, part in zip([*factor_names, SPECIFIC], totals.tolist(), strict=True):
        factors[name] += part
    return BacktestReport(
        dates=dates,
        result=result,
        performance=performance(result.returns),
        monthly=monthly_returns(result.returns, dates),
        costs=cost_attribution(result),
        factors=factors,
        exposures=exposures,
    )


def report_document(report: BacktestReport) -> dict[str, Json]:
    """Restate a report as what JSON can hold.

    Parameters
    ----------
    report : BacktestReport
        What was found.

    Returns
    -------
    dict
        Lists one element a day in `by_day`; null where a number is not defined or not finite.

    Notes
    -----
    NaN policy: propagate, as null. Cost: O(n_days).
    """
    result, monthly = report.result, report.monthly
    by_day = {
        "date": report.dates.astype(str).tolist(),
        "value": result.value.tolist(),
        "return": result.returns.tolist(),
        "drawdown": drawdown(result.returns).tolist(),
        "gross": result.gross.tolist(),
        "net": result.net.tolist(),
        "turnover": result.turnover.tolist(),
        "untraded": result.untraded.tolist(),
        "spread_and_commission": result.linear_cost.tolist(),
        "impact": result.impact_cost.tolist(),
        "borrow": result.borrow_cost.tolist(),
        "financing": result.financing_cost.tolist(),
    }
    months = [
        {"year": year, "months": row, "year_return": total}
        for year, row, total in zip(
            monthly.years.tolist(), monthly.months.tolist(), monthly.yearly.tolist(), strict=True
        )
    ]
    curve = report.capacity
    document = {
        "format": FORMAT,
        "performance": asdict(report.performance) | {"total_return": monthly.total},
        "costs": asdict(report.costs),
        "factors": dict(report.factors),
        "monthly": months,
        "turnover": {"total": float(result.turnover.sum()), "untraded": float(result.untraded.sum())},
        "impact_sensitivity": {f"{times:g}": asdict(each) for times, each in (report.impact_sensitivity or {}).items()},
        "capacity": None
        if curve is None
        else {name: values.tolist() for name, values in asdict(curve).items()} | {"capacity": curve.capacity},
        "exposures": {name: values.tolist() for name, values in report.exposures.items()},
        "by_day": by_day,
        "notes": list(report.notes),
    }
    return {name: _known(value) for name, value in document.items()}


def _known(value: object) -> Json:
    """Put null for what is no finite number."""
    if isinstance(value, dict):
        return {str(name): _known(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_known(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    raise TypeError(f"{type(value).__name__} has no place in JSON")
