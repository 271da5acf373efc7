"""A diagnosis as one HTML page: no script, nothing fetched. Text is escaped because every element is built as one."""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

import numpy as np

from crowdalpha import __version__
from crowdalpha.client.diagnostics import charts
from crowdalpha.client.diagnostics.charts import Line
from crowdalpha.client.diagnostics.report import ModelReport
from crowdalpha.client.diagnostics.words import (
    ABBREVIATIONS,
    LABELS,
    drawdown_words,
    luck_words,
    score_table,
    shown,
    title,
)

__all__ = ["render_page"]

CHARTED_FEATURES = 20
MINE, OTHER, NEUTRAL, BEYOND, META = "#1f5fa8", "#9aa0a6", "#8e6bbf", "#2a9d8f", "#c2185b"
STYLE = """
body { margin: 0 auto; max-width: 1000px; padding: 2rem 1.2rem 4rem; color: #1c2733; background: #fff;
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .2rem; } h2 { font-size: 1.1rem; margin: 2.2rem 0 .3rem; }
p { margin: .3rem 0 .7rem; max-width: 82ch; } .soft { color: #5b6875; }
ul { list-style: none; padding: 0; margin: 1rem 0; }
li { border-left: 4px solid; padding: .4rem .8rem; margin: .45rem 0; background: #f7f9fa; }
li b { text-transform: uppercase; font-size: .72rem; letter-spacing: .05em; margin-right: .6em; }
.risk { border-color: #c2185b; } .risk b { color: #c2185b; }
.watch { border-color: #e09f3e; } .watch b { color: #a05f00; }
.good { border-color: #2a9d8f; } .good b { color: #1f7a6f; }
svg { width: 100%; height: auto; display: block; font: 11px system-ui, sans-serif; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .86rem; font-variant-numeric: tabular-nums; }
th { text-align: right; border-bottom: 2px solid #e3e8ed; padding: .35rem .45rem; white-space: nowrap; }
td { text-align: right; border-bottom: 1px solid #e3e8ed; padding: .25rem .45rem; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
summary { cursor: pointer; color: #5b6875; margin: .6rem 0; }
"""


def render_page(report: ModelReport) -> str:
    """Render a report as one HTML page.

    Parameters
    ----------
    report : ModelReport
        What was found.

    Returns
    -------
    str
        The page, charts as SVG inside it.
    """
    page = ET.Element("html", {"lang": "en"})
    head = ET.SubElement(page, "head")
    ET.SubElement(head, "meta", {"charset": "utf-8"})
    ET.SubElement(head, "meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"})
    _text(head, "title", f"{report.model}: diagnosis")
    _text(head, "style", STYLE)
    body = ET.SubElement(page, "body")
    _text(body, "h1", "Before you submit")
    _text(body, "p", title(report), "soft")
    _findings(body, report)
    _scores(body, report)
    _over_eras(body, report)
    _exposures(body, report)
    _by_era(body, report)
    _text(body, "p", f"crowdalpha {__version__}", "soft")
    return "<!doctype html>\n" + ET.tostring(page, encoding="unicode", method="html") + "\n"


def _findings(body: ET.Element, report: ModelReport) -> None:
    _text(body, "h2", "What is risky")
    items = ET.SubElement(body, "ul")
    for finding in report.findings:
        item = ET.SubElement(items, "li", {"class": finding.level.value})
        _text(item, "b", finding.level.value).tail = finding.text


def _scores(body: ET.Element, report: ModelReport) -> None:
    figures = report.figures
    _text(body, "h2", "Scores")
    _table(body, *score_table(report))
    block = f"{figures.block:.0f} eras" if round(figures.block) > 1 else "single eras"
    _text(body, "p", f"{ABBREVIATIONS} Intervals come from a bootstrap of blocks of {block}.", "soft")
    for label, words in (
        ("Sharpe ratio of CORR", luck_words(figures.luck)),
        ("Deepest drawdown of cumulative CORR", drawdown_words(figures.drawdown)),
        ("Correlation with the benchmark", shown(figures.mean("with_benchmark"), ".3f")),
        ("Correlation with the meta model", report.notes.get("mmc", shown(figures.mean("cwmm"), ".3f"))),
        ("Churn from era to era", report.notes.get("churn", shown(figures.mean("churn"), ".3f"))),
    ):
        _text(body, "p", f"{label}: {words}.")


def _over_eras(body: ET.Element, report: ModelReport) -> None:
    figures = report.figures
    eras, series = figures.eras, figures.series
    _text(body, "h2", "Cumulative scores")
    lines = [
        Line("CORR of the benchmark", series["benchmark_corr"], OTHER),
        Line("CORR", series["corr"], MINE, 2.6),
        Line("FNC", series["fnc"], NEUTRAL),
        Line("BMC", series["bmc"], BEYOND),
        Line("MMC", series["mmc"], META),
    ]
    known = [line for line in lines if np.isfinite(line.values).any()]
    summed = [Line(line.name, np.nancumsum(line.values), line.colour, line.width) for line in known]
    body.append(charts.line_chart(eras, summed))
    _text(body, "h2", "CORR by era")
    body.append(charts.bar_chart(eras, series["corr"]))
    _text(body, "h2", "Drawdown of cumulative CORR")
    totals = np.nancumsum(series["corr"])
    fall = totals - np.maximum.accumulate(totals)
    body.append(charts.line_chart(eras, [Line("drawdown", fall, META)], fill=True))


def _exposures(body: ET.Element, report: ModelReport) -> None:
    figures = report.figures
    if not figures.exposures:
        return
    _text(body, "h2", "Exposure to features")
    shown_features = figures.exposures[:CHARTED_FEATURES]
    count = f"{len(shown_features)} of {len(figures.exposures)} features of the set {report.feature_set}"
    _text(body, "p", f"Correlation with each feature, mean over the eras; the dot is the largest of any era. {count}.")
    body.append(charts.exposure_chart(shown_features))
    _text(body, "h2", "Largest exposure by era")
    lines = [
        Line("the benchmark", figures.series["benchmark_max_exposure"], OTHER),
        Line("the model", figures.series["max_exposure"], MINE, 2.2),
    ]
    body.append(charts.line_chart(figures.eras, lines))
    details = _details(body, "All features")
    head = ("feature", "mean", "mean absolute", "largest", "in era", "same sign")
    rows = [
        (
            each.feature,
            f"{each.mean:+.3f}",
            f"{each.mean_absolute:.3f}",
            f"{each.largest:+.3f}",
            each.largest_era,
            f"{each.same_sign:.0%}",
        )
        for each in figures.exposures
    ]
    _table(details, head, rows)


def _by_era(body: ET.Element, report: ModelReport) -> None:
    figures = report.figures
    names = [name for name in (*LABELS, "max_exposure", "with_benchmark") if np.isfinite(figures.series[name]).any()]
    head = ["era", "cumulative CORR", *(LABELS.get(name, name.replace("_", " ")) for name in names)]
    totals = np.nancumsum(figures.series["corr"])
    rows = [
        (era, f"{totals[place]:+.4f}", *(shown(float(figures.series[name][place]), "+.4f") for name in names))
        for place, era in enumerate(figures.eras)
    ]
    _table(_details(body, "All eras"), head, rows)


def _details(body: ET.Element, summary: str) -> ET.Element:
    details = ET.SubElement(body, "details")
    _text(details, "summary", summary)
    return details


def _table(parent: ET.Element, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = ET.SubElement(ET.SubElement(parent, "div", {"class": "scroll"}), "table")
    first = ET.SubElement(table, "tr")
    for name in head:
        _text(first, "th", name)
    for row in rows:
        line = ET.SubElement(table, "tr")
        for cell in row:
            _text(line, "td", cell)


def _text(parent: ET.Element, tag: str, text: str, kind: str = "") -> ET.Element:
    element = ET.SubElement(parent, tag, {"class": kind} if kind else {})
    element.text = text
    return element
