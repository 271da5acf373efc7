"""What a participant looks at before submitting: scores by era, exposures, drawdowns, and what is risky about them."""

from crowdalpha.client.diagnostics.document import to_json
from crowdalpha.client.diagnostics.figures import Drawdown, FeatureExposure, Figures, Luck, ScoreFigures
from crowdalpha.client.diagnostics.findings import Finding, Level
from crowdalpha.client.diagnostics.frames import SCORE_NAMES, Diagnosis, diagnose
from crowdalpha.client.diagnostics.page import render_page
from crowdalpha.client.diagnostics.report import ModelReport, diagnose_file

__all__ = [
    "SCORE_NAMES",
    "Diagnosis",
    "Drawdown",
    "FeatureExposure",
    "Figures",
    "Finding",
    "Level",
    "Luck",
    "ModelReport",
    "ScoreFigures",
    "diagnose",
    "diagnose_file",
    "render_page",
    "to_json",
]
