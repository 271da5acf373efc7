import re
from dataclasses import replace

import numpy as np

from crowdalpha.client.diagnostics import ModelReport, render_page
from tests.fixtures.diagnoses import figures


def test_the_page_has_its_charts_and_fetches_nothing(report: ModelReport) -> None:
    page = render_page(report)

    assert page.startswith("<!doctype html>\n<html")
    assert page.count("<svg") == 5
    assert not re.search(r"<script|@import|src=|href=|url\(", page)


def test_the_page_says_what_is_risky_and_names_every_era_and_feature(report: ModelReport) -> None:
    page = render_page(report)

    assert all(f"<td>{era}</td>" in page for era in report.figures.eras)
    assert all(f"<td>{each.feature}</td>" in page for each in report.figures.exposures)
    assert page.count("<li class=") == len(report.findings)


def test_what_a_participant_wrote_is_escaped(report: ModelReport) -> None:
    page = render_page(replace(report, model="<script>alert(1)</script>.csv"))

    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_a_report_without_features_has_no_exposures(report: ModelReport) -> None:
    bare = replace(figures(corr=np.array([0.01, 0.02, -0.01])), exposures=())

    assert "Exposure to features" not in render_page(replace(report, figures=bare))
