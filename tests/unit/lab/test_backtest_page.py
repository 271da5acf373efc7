import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np

from crowdalpha.lab.backtest_page import render_backtest
from crowdalpha.lab.backtest_words import capacity_words, cost_table, factor_table, headline, month_table
from crowdalpha.portfolio import (
    BacktestReport,
    CapacityCurve,
    CostModel,
    Execution,
    backtest,
    performance,
    summarize_backtest,
)

DATES = np.array(["2024-01-30", "2024-01-31", "2024-02-01"], dtype="datetime64[D]")


def report() -> BacktestReport:
    """One asset, 100 bought for 10 bp, up 10 % and down 5 %."""
    costs = CostModel(half_spread_bps=10, commission_bps=0, impact=0, borrow_bps_per_year=0)
    result = backtest(
        np.array([[0.0], [0.1], [-0.05]]), {-1: np.array([1.0])}, value=100.0, execution=Execution(costs=costs)
    )
    parts = np.column_stack([np.zeros(3), result.earned.sum(axis=1)])
    line = np.array([0.2, 0.05])
    found = summarize_backtest(
        result, DATES, factor_parts=parts, factor_names=["style:size"], exposures={"market": result.net}
    )
    return replace(
        found,
        capacity=CapacityCurve(np.array([1e6, 1e8]), line, line, line, line, line, line),
        impact_sensitivity={2.0: performance(result.returns)},
        notes=("volumes <are> missing",),
    )


def test_the_page_is_well_formed_and_has_a_chart_and_a_table_of_each_kind() -> None:
    page = render_backtest(report(), title="mine & yours.csv")

    # HTML leaves these two open, which is all that keeps the page from being XML.
    closed = re.sub(r"(<meta [^>]*)>", r"\1/>", page.removeprefix("<!doctype html>"))
    body = ET.fromstring(closed)  # noqa: S314  # our own page
    titles = [title.text for title in body.iter("h2")]
    assert len(list(body.iter("svg"))) == 7
    assert len(list(body.iter("table"))) == 5
    assert {"Drawdown, %", "Exposures", "Returns by month, %", "Capacity"} <= set(titles)
    assert "mine &amp; yours.csv" in page
    assert "volumes &lt;are&gt; missing" in page


def test_the_tables_show_the_case_worked_by_hand() -> None:
    # 100 of stock on 99.9 of value: + 10, then - 5.5, so that 104.4 are left.
    assert cost_table(report()) == [
        ("positions earned", "+4.500"),
        ("spread and commission", "-0.100"),
        ("market impact", "+0.000"),
        ("borrow fees", "+0.000"),
        ("interest", "+0.000"),
        ("left", "+4.400"),
    ]
    assert factor_table(report()) == [("size", "+0.000"), ("specific", "+4.500"), ("positions earned", "+4.500")]
    # January: 109.9 / 100; February: 104.4 / 109.9.
    assert month_table(report()) == [("2024", "+9.90", "-5.00", *[""] * 10, "+4.40")]
    assert "largest drawdown 5.0%, 3 days" in headline(report())


def test_capacity_in_words() -> None:
    curve = report().capacity
    assert curve is not None

    # Half of 0.2 lies two thirds of the way down to 0.05, and from 1e6 to 1e8 in the logarithm.
    assert "gone at a starting value of 21,544,347" in capacity_words(curve)
    assert "still there" in capacity_words(replace(curve, annual_return=np.array([0.2, 0.19])))
    assert "no capacity" in capacity_words(replace(curve, annual_return=np.array([-0.2, -0.19])))
