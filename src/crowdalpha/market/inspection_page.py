"""An inspection as one HTML page with pictures: no script, nothing fetched, all text escaped."""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from crowdalpha import __version__
from crowdalpha.market.checks import RULES, Counts, Finding
from crowdalpha.market.inspection import Inspection, MarketSummary

__all__ = ["render_page"]

WIDTH, NAMES, RIGHT, ROW, AXIS = 960.0, 190.0, 12.0, 22.0, 22.0
CHART = 150.0
FAINTEST = 0.3
MOST_LABELS = 8
COLOURS = {"dropped": "#c2185b", "repaired": "#1f5fa8", "noted": "#b07a1e"}
LINES = ("#1f5fa8", "#c2185b", "#2a9d8f", "#8e6bbf", "#b07a1e", "#5b6875")
STYLE = """
body { margin: 0 auto; max-width: 1040px; padding: 2rem 1.2rem 4rem; color: #1c2733; background: #fff;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .2rem; } h2 { font-size: 1.1rem; margin: 2.2rem 0 .3rem; }
p { margin: .3rem 0 .7rem; max-width: 82ch; } .soft { color: #5b6875; }
svg { width: 100%; height: auto; display: block; font: 11px system-ui, sans-serif; }
table { border-collapse: collapse; width: 100%; font-size: .86rem; font-variant-numeric: tabular-nums; }
th { text-align: left; border-bottom: 2px solid #e3e8ed; padding: .35rem .45rem; }
td { vertical-align: top; border-bottom: 1px solid #e3e8ed; padding: .25rem .45rem; }
.refused { border-left: 4px solid #c2185b; padding: .4rem .8rem; background: #fbf3f6; }
.dropped { color: #c2185b; } .repaired { color: #1f5fa8; } .noted { color: #8a5d10; }
"""


def render_page(inspection: Inspection) -> str:
    """Render an inspection as one HTML page.

    Parameters
    ----------
    inspection : Inspection
        What was found.

    Returns
    -------
    str
        The page, pictures as SVG inside it.

    Notes
    -----
    Cost: O(findings * months).
    """
    page = ET.Element("html", {"lang": "en"})
    head = ET.SubElement(page, "head")
    ET.SubElement(head, "meta", {"charset": "utf-8"})
    ET.SubElement(head, "meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"})
    _text(head, "title", "Market data check")
    _text(head, "style", STYLE)
    body = ET.SubElement(page, "body")
    _text(body, "h1", "Market data check")
    _text(body, "p", ", ".join(inspection.sources), "soft")
    for refusal in inspection.refusals:
        _text(body, "p", f"Refused: {refusal}", "refused")
    if inspection.markets:
        _markets(body, inspection)
        _findings(body, inspection.findings)
    _text(body, "p", f"crowdalpha {__version__}", "soft")
    return "<!doctype html>\n" + ET.tostring(page, encoding="unicode", method="html") + "\n"


def _markets(body: ET.Element, inspection: Inspection) -> None:
    words = f"{inspection.rows_kept:,} of {inspection.rows_read:,} rows are used. "
    words += f"{inspection.eras:,} of {inspection.weeks:,} weeks after warm-up have enough names for an era. "
    words += "Returns are in the currency of each market"
    words += f"; traded values are in {inspection.value_currency}." if inspection.value_currency else "."
    _text(body, "p", words)
    _text(body, "h2", "Names with a price, by month")
    body.append(_coverage(inspection.markets))
    rows = [
        (each.country, ", ".join(each.currencies), f"{each.names:,}", f"{each.days:,}", each.first, each.last)
        for each in inspection.markets
    ]
    _table(body, ("country", "currency", "names", "days", "first", "last"), rows)


def _findings(body: ET.Element, findings: Sequence[Finding]) -> None:
    _text(body, "h2", "What is wrong, and when")
    if not findings:
        _text(body, "p", "Nothing was found.")
        return
    dated = [finding for finding in findings if finding.months]
    if dated:
        _text(body, "p", "A mark is a month with a case; the more cases, the darker.", "soft")
        body.append(_timeline(dated))
    table = _table(body, ("what was done", "rule", "count", "what it is about", "first case, most cases"), [])
    for each in findings:
        line = ET.SubElement(table, "tr")
        _text(line, "td", each.action, each.action)
        _text(line, "td", each.rule)
        _text(line, "td", f"{each.count:,}")
        _text(line, "td", RULES[each.rule][1])
        most = ", ".join(f"{ticker} {count:,}" if count > 1 else ticker for ticker, count in each.tickers)
        _text(line, "td", "; ".join(part for part in (each.example, most) if part))


def _timeline(findings: Sequence[Finding]) -> ET.Element:
    """Draw a line a rule, a mark a month."""
    first = min(_number(finding.months[0][0]) for finding in findings)
    last = max(_number(finding.months[-1][0]) for finding in findings)
    height = ROW * len(findings) + AXIS
    picture = _picture(height)
    step = (WIDTH - NAMES - RIGHT) / (last - first + 1)
    _years(picture, first, last, step=step, height=height)
    for place, finding in enumerate(findings):
        top = ROW * place
        _label(picture, finding.rule, NAMES - 8, top + 15, "end")
        most = max(count for _, count in finding.months)
        for month, count in finding.months:
            mark = ET.SubElement(
                picture,
                "rect",
                {
                    "x": f"{NAMES + (_number(month) - first) * step:.1f}",
                    "y": f"{top + 3:.1f}",
                    "width": f"{max(step, 1.5):.1f}",
                    "height": f"{ROW - 6:.1f}",
                    "fill": COLOURS[finding.action],
                    "fill-opacity": f"{FAINTEST + (1 - FAINTEST) * count / most:.2f}",
                },
            )
            ET.SubElement(mark, "title").text = f"{finding.rule}, {month}: {count:,}"
    return picture


def _coverage(markets: Sequence[MarketSummary]) -> ET.Element:
    """Draw the names of each country over the months, to the most it has: markets differ in size."""
    first = min(_number(each.by_month[0][0]) for each in markets)
    last = max(_number(each.by_month[-1][0]) for each in markets)
    picture = _picture(CHART + AXIS)
    step = (WIDTH - NAMES - RIGHT) / (last - first + 1)
    _years(picture, first, last, step=step, height=CHART + AXIS)
    for place, each in enumerate(markets):
        colour = LINES[place % len(LINES)]
        most = max(count for _, count in each.by_month)
        points = _path(each.by_month, first, step=step, most=most)
        ET.SubElement(picture, "polyline", {"points": points, "fill": "none", "stroke": colour, "stroke-width": "2"})
        words = f"{each.country}, up to {most:,} names"
        _label(picture, words, NAMES - 8, 15 + 16 * place, "end", colour=colour)
    return picture


def _path(counts: Counts, first: int, *, step: float, most: int) -> str:
    points = (
        (NAMES + (_number(month) - first + 0.5) * step, CHART * (1 - 0.92 * count / most)) for month, count in counts
    )
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _years(picture: ET.Element, first: int, last: int, *, step: float, height: float) -> None:
    january = [month for month in range(first, last + 1) if month % 12 == 0]
    for month in january[:: max(1, -(-len(january) // MOST_LABELS))]:
        x = f"{NAMES + (month - first) * step:.1f}"
        ends = {"x1": x, "x2": x, "y1": "0", "y2": f"{height - AXIS:.1f}"}
        ET.SubElement(picture, "line", {**ends, "stroke": "#e3e8ed"})
        _label(picture, str(month // 12), float(x), height - 6, "middle")


def _number(month: str) -> int:
    """Count months from the year 0, so that January divides by twelve."""
    year, _, part = month.partition("-")
    return int(year) * 12 + int(part) - 1


def _picture(height: float) -> ET.Element:
    return ET.Element("svg", {"viewBox": f"0 0 {WIDTH:g} {height:g}", "role": "img"})


def _label(picture: ET.Element, words: str, x: float, y: float, anchor: str, *, colour: str = "#5b6875") -> None:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor, "fill": colour}
    ET.SubElement(picture, "text", place).text = words


def _table(parent: ET.Element, head: Sequence[str], rows: Sequence[Sequence[str]]) -> ET.Element:
    table = ET.SubElement(parent, "table")
    first = ET.SubElement(table, "tr")
    for name in head:
        _text(first, "th", name)
    for row in rows:
        line = ET.SubElement(table, "tr")
        for cell in row:
            _text(line, "td", cell)
    return table


def _text(parent: ET.Element, tag: str, text: str, kind: str = "") -> ET.Element:
    element = ET.SubElement(parent, tag, {"class": kind} if kind else {})
    element.text = text
    return element
