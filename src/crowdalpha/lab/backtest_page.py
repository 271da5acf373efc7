"""A backtest as one HTML page: no script, nothing fetched. Text is escaped because every element is built as one."""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from crowdalpha import __version__
from crowdalpha.client.diagnostics.charts import Line, line_chart
from crowdalpha.lab.backtest_words import (
    MONTH_NAMES,
    capacity_table,
    capacity_words,
    cost_table,
    factor_table,
    headline,
    month_table,
    sensitivity_table,
)
from crowdalpha.portfolio import BacktestReport, drawdown

FloatArray = NDArray[np.float64]

__all__ = ["render_backtest"]

VALUE, FALL, LONG, SHORT, SIZE = "#1f5fa8", "#c2185b", "#2a9d8f", "#e09f3e", "#8e6bbf"
STYLE = """
body { margin: 0 auto; max-width: 1000px; padding: 2rem 1.2rem 4rem; color: #1c2733; background: #fff;
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .2rem; } h2 { font-size: 1.1rem; margin: 2.2rem 0 .3rem; }
p { margin: .3rem 0 .7rem; max-width: 82ch; } .soft { color: #5b6875; }
svg { width: 100%; height: auto; display: block; font: 11px system-ui, sans-serif; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .86rem; font-variant-numeric: tabular-nums; }
th { text-align: right; border-bottom: 2px solid #e3e8ed; padding: .35rem .6rem; white-space: nowrap; }
td { text-align: right; border-bottom: 1px solid #e3e8ed; padding: .25rem .6rem; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
"""


def render_backtest(report: BacktestReport, *, title: str) -> str:
    """Render a report as one HTML page.

    Parameters
    ----------
    report : BacktestReport
        What was found.
    title : str
        What was traded.

    Returns
    -------
    str
        The page, charts as SVG inside it.
    """
    page = ET.Element("html", {"lang": "en"})
    head = ET.SubElement(page, "head")
    ET.SubElement(head, "meta", {"charset": "utf-8"})
    ET.SubElement(head, "meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"})
    _text(head, "title", f"{title}: backtest")
    _text(head, "style", STYLE)
    body = ET.SubElement(page, "body")
    _text(body, "h1", "Backtest")
    _text(body, "p", f"{title}, {report.dates[0]} to {report.dates[-1]}. {headline(report)}", "soft")
    for note in report.notes:
        _text(body, "p", f"Note: {note}.")
    _charts(body, report)
    _tables(body, report)
    _text(body, "p", f"crowdalpha {__version__}", "soft")
    return "<!doctype html>\n" + ET.tostring(page, encoding="unicode", method="html") + "\n"


def _charts(body: ET.Element, report: BacktestReport) -> None:
    days = report.dates.astype(str).tolist()
    result = report.result
    value = 100.0 * (result.value / result.value_before[0] - 1.0)
    _chart(body, "Return after costs, %", days, [Line("return", value, VALUE, 2.4)])
    fall: FloatArray = -100.0 * drawdown(result.returns)
    _chart(body, "Drawdown, %", days, [Line("drawdown", fall, FALL)], fill=True)
    _chart(body, "Size, fractions of value", days, [Line("gross", result.gross, VALUE), Line("net", result.net, SHORT)])
    colours = (VALUE, LONG, SHORT, SIZE, FALL)
    lines = [
        Line(name, values, colours[place % len(colours)])
        for place, (name, values) in enumerate(report.exposures.items())
    ]
    if lines:
        words = "The market's is the net weight; the others are the largest in absolute value of their kind."
        _chart(body, "Exposures", days, lines, words=words)
    _chart(body, "Turnover of each day, fractions of value", days, [Line("turnover", result.turnover, SIZE)])
    sums = {
        "spread and commission": (result.linear_cost, VALUE),
        "impact": (result.impact_cost, FALL),
        "borrow": (result.borrow_cost, SHORT),
        "financing": (result.financing_cost, LONG),
    }
    start = result.value_before / result.value_before[0]
    _chart(
        body,
        "Costs paid so far, % of the starting value",
        days,
        [Line(name, 100.0 * np.cumsum(start * cost), colour) for name, (cost, colour) in sums.items()],
    )
    if report.capacity is not None:
        sizes = [f"{size:,.0f}" for size in report.capacity.values.tolist()]
        line = Line("Sharpe ratio", report.capacity.sharpe, VALUE, 2.4)
        _chart(body, "Sharpe ratio by starting value", sizes, [line], words=capacity_words(report.capacity))


def _chart(
    body: ET.Element, title: str, labels: Sequence[str], lines: Sequence[Line], *, fill: bool = False, words: str = ""
) -> None:
    _text(body, "h2", title)
    if words:
        _text(body, "p", words, "soft")
    body.append(line_chart(labels, lines, fill=fill))


def _tables(body: ET.Element, report: BacktestReport) -> None:
    _table(body, "Where the result went", ("part", "% of the starting value"), cost_table(report))
    _table(body, "What the positions earned, by factor", ("factor", "% of the starting value"), factor_table(report))
    _table(body, "Returns by month, %", ("year", *MONTH_NAMES, "year"), month_table(report))
    if report.impact_sensitivity:
        _table(
            body,
            "If impact were otherwise",
            ("impact times", "return a year", "Sharpe ratio"),
            sensitivity_table(report),
        )
    if report.capacity is not None:
        heads = ("starting value", "return a year", "volatility", "Sharpe ratio", "gross", "costs a year")
        _table(body, "Capacity", heads, capacity_table(report.capacity))


def _table(body: ET.Element, title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    _text(body, "h2", title)
    table = ET.SubElement(ET.SubElement(body, "div", {"class": "scroll"}), "table")
    for tag, cells in [("th", head), *(("td", row) for row in rows)]:
        line = ET.SubElement(table, "tr")
        for cell in cells:
            _text(line, tag, cell)


def _text(parent: ET.Element, tag: str, text: str, kind: str = "") -> None:
    ET.SubElement(parent, tag, {"class": kind} if kind else {}).text = text
