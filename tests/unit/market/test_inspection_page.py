from xml.etree import ElementTree as ET

from crowdalpha.market.checks import Finding
from crowdalpha.market.inspection import Inspection, MarketSummary, Refusal
from crowdalpha.market.inspection_page import render_page

US = MarketSummary("US", ("USD",), 2, 40, "2023-12-01", "2024-02-01", (("2023-12", 2), ("2024-01", 1), ("2024-02", 2)))
STALE = Finding.of("price_stale", 3, "A on 2023-12-05", months=(("2023-12", 2), ("2024-02", 1)), tickers=(("A", 3),))
REFUSAL = Refusal("price file", "b<.csv", "close", 2, "'x' is not a number")


def page(*findings: Finding) -> ET.Element:
    inspection = Inspection(("a.csv", "b<.csv"), (REFUSAL,), findings, (US,), rows_read=80, rows_kept=79)
    text = render_page(inspection).removeprefix("<!doctype html>\n").replace('<meta charset="utf-8">', "")
    return ET.fromstring(text.replace('content="width=device-width, initial-scale=1">', 'content=""/>'))  # noqa: S314 - our own page


def test_the_page_shows_what_was_refused_and_found() -> None:
    words = " ".join(page(STALE).itertext())

    assert "Refused: price file b<.csv, column close, row 2: 'x' is not a number" in words
    assert "79 of 80 rows" in words
    assert "runs of ten or more equal closes as traded" in words
    assert "A on 2023-12-05; A 3" in words


def test_the_picture_has_a_mark_for_each_month_with_a_case() -> None:
    marks = list(page(STALE).iter("rect"))

    assert [mark[0].text for mark in marks] == ["price_stale, 2023-12: 2", "price_stale, 2024-02: 1"]
    assert [mark.get("fill-opacity") for mark in marks] == ["1.00", "0.65"]
    assert "2024" in [each.text for each in page(STALE).iter("text")]


def test_the_names_of_each_month_are_drawn() -> None:
    (line,) = page().iter("polyline")
    heights = [float(point.partition(",")[2]) for point in line.get("points", "").split()]

    assert heights[0] == heights[2] < heights[1]


def test_a_page_without_findings_says_so() -> None:
    assert "Nothing was found." in " ".join(page().itertext())


def test_a_page_of_refusals_alone_is_a_page() -> None:
    assert "Refused" in render_page(Inspection(("b.csv",), (REFUSAL,)))
