from html.parser import HTMLParser

from crowdalpha.release.audit import AttackResult, AuditReport, GateFailure, GateResult
from crowdalpha.release.audit.page import render_page

RESULT = AttackResult("tickers", 0.5, 0.9, 0.002, 4.0, 7.0, 0.4, 0.6, 1.5, {})


def report(name: str = "v1") -> AuditReport:
    return AuditReport(name, "strict", 3, 300, 20, 5, (RESULT,), {})


def test_the_page_holds_figures_verdict_and_failures() -> None:
    failure = GateFailure("tickers", 0.3833, 0.5)
    page = render_page(report(), GateResult(passed=False, failures=(failure,)))

    assert "Gate: refused" in page
    assert failure.words in page
    assert all(f"<td>{figure}</td>" in page for figure in ("0.500", "0.400 to 0.600", "0.900", "7.00"))
    assert report().verdict()[0] in page


def test_names_are_escaped_and_nothing_is_fetched() -> None:
    page = render_page(report("<script>alert(1)</script>"), GateResult(passed=True, failures=()))

    assert "<script" not in page
    assert "http" not in page


def test_every_tag_that_opens_closes() -> None:
    class Balance(HTMLParser):
        depth = 0

        def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
            self.depth += tag != "meta"

        def handle_endtag(self, _tag: str) -> None:
            self.depth -= 1

    parser = Balance()
    parser.feed(render_page(report(), GateResult(passed=True, failures=())))

    assert parser.depth == 0


def test_an_override_is_shown() -> None:
    overridden = report().with_override("for our own staff, who know the names")

    assert "for our own staff, who know the names" in render_page(overridden, GateResult(passed=True, failures=()))
