"""An audit as one HTML page: no script, nothing fetched. Text is escaped because every element is built as one."""

from xml.etree import ElementTree as ET

from crowdalpha import __version__
from crowdalpha.release.audit.attacks import TITLES
from crowdalpha.release.audit.limits import GateResult
from crowdalpha.release.audit.report import AuditReport
from crowdalpha.release.audit.results import AttackResult

__all__ = ["render_page"]

STYLE = """
body { margin: 0 auto; max-width: 960px; padding: 2rem 1.2rem 4rem; color: #1c2733; background: #fff;
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .2rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .3rem; }
.soft { color: #5b6875; } .failed { color: #c2185b; } .passed { color: #1f7a6f; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .3rem .45rem; border-bottom: 1px solid #e3e8ed; }
th:first-child, td:first-child { text-align: left; }
.scroll { overflow-x: auto; } meter { width: 90px; vertical-align: middle; }
"""
HEAD = ("attack", "success", "", "95 % interval", "in ten best", "chance", "mean rank", "bits")


def render_page(report: AuditReport, verdict: GateResult) -> str:
    """Write the page.

    Parameters
    ----------
    report : AuditReport
        Of the release.
    verdict : GateResult
        Of the gate.

    Returns
    -------
    str
        A whole HTML document.

    Notes
    -----
    NaN policy: refuse (there are none). Cost: O(results).
    """
    page = ET.Element("html", lang="en")
    head = ET.SubElement(page, "head")
    ET.SubElement(head, "meta", charset="utf-8")
    ET.SubElement(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    _add(head, "title", f"Audit of {report.release}")
    _add(head, "style", STYLE)
    body = ET.SubElement(page, "body")
    _add(body, "h1", f"Audit of {report.release}")
    size = f"{report.n_eras} eras, {report.n_rows:,} rows, {report.n_features} features"
    _add(body, "p", f"Policy {report.policy}; {size}; the attacker has {report.n_signals} public signals.", "soft")
    if report.manifest is not None:
        _add(body, "p", f"SHA-256 of the manifest of its files: {report.manifest}", "soft")
    _gate(body, report, verdict)
    _add(body, "h2", "What the attacks found")
    _list(body, report.verdict())
    _table(body, report.results)
    _add(body, "p", "Blind guesses give 1.44 bits. Bits are log2 of the candidates minus the mean log2 rank.", "soft")
    if advice := report.advice():
        _add(body, "h2", "What to change")
        _list(body, advice)
    _add(body, "p", f"crowdalpha {__version__}", "soft")
    return "<!doctype html>\n" + ET.tostring(page, encoding="unicode", method="html") + "\n"


def _gate(body: ET.Element, report: AuditReport, verdict: GateResult) -> None:
    words = "Gate: passed" if verdict.passed else "Gate: refused"
    _add(body, "h2", words, "passed" if verdict.passed else "failed")
    _list(body, [failure.words for failure in verdict.failures])
    if report.override is not None:
        _add(body, "p", f"Published although refused, because: {report.override}")


def _table(body: ET.Element, results: tuple[AttackResult, ...]) -> None:
    table = ET.SubElement(ET.SubElement(body, "div", {"class": "scroll"}), "table")
    row = ET.SubElement(table, "tr")
    for name in HEAD:
        _add(row, "th", name)
    for result in results:
        row = ET.SubElement(table, "tr")
        _add(row, "td", TITLES.get(result.attack, result.attack))
        _add(row, "td", f"{result.success:.3f}")
        ET.SubElement(ET.SubElement(row, "td"), "meter", value=f"{result.success:.4f}", min="0", max="1")
        for words in (
            f"{result.ci_low:.3f} to {result.ci_high:.3f}",
            f"{result.success_at_10:.3f}",
            f"{result.chance:.4f}",
            f"{result.expected_rank:.1f}",
            f"{result.bits:.2f}",
        ):
            _add(row, "td", words)


def _list(body: ET.Element, sentences: list[str]) -> None:
    if sentences:
        items = ET.SubElement(body, "ul")
        for sentence in sentences:
            _add(items, "li", sentence)


def _add(parent: ET.Element, tag: str, text: str, style: str = "") -> None:
    ET.SubElement(parent, tag, {"class": style} if style else {}).text = text
