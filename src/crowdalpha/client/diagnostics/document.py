"""A diagnosis as JSON: the same figures, for programs."""

import json
import math
from dataclasses import asdict

import numpy as np

from crowdalpha.client.diagnostics.figures import LEVEL, ScoreFigures
from crowdalpha.client.diagnostics.report import ModelReport

__all__ = ["FORMAT", "known_values", "to_json"]

FORMAT = 1
"""Changes when a name in the document does."""

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]


def to_json(report: ModelReport) -> str:
    """Write a report as JSON.

    Parameters
    ----------
    report : ModelReport
        What was found.

    Returns
    -------
    str
        Strict JSON, two spaces deep: `by_era` holds one list a series in the order of `eras`; a number that is not
        defined or not finite is null, and `notes` may say why.
    """
    figures = report.figures
    document = {
        "format": FORMAT,
        "model": report.model,
        "benchmark": report.benchmark,
        "data": report.data,
        "target": report.target,
        "feature_set": report.feature_set,
        "eras": list(figures.eras),
        "by_era": {name: values.tolist() for name, values in figures.series.items()},
        "cumulative_corr": np.nancumsum(figures.series["corr"]).tolist(),
        "scores": {name: _score(score) for name, score in figures.scores.items()},
        "interval": {"level": LEVEL, "block_eras": figures.block},
        "sharpe_probability": asdict(figures.luck),
        "drawdown": None if figures.drawdown is None else asdict(figures.drawdown),
        "exposures": [asdict(exposure) for exposure in figures.exposures],
        "findings": [asdict(finding) for finding in report.findings],
        "notes": report.notes,
    }
    return json.dumps(known_values(document), indent=2, allow_nan=False)


def _score(score: ScoreFigures) -> dict[str, object]:
    intervals = {"mean": [score.mean_low, score.mean_high], "sharpe": [score.sharpe_low, score.sharpe_high]}
    return {**score.figures, "intervals": intervals}


def known_values(value: object) -> JsonValue:
    """Put null for what is no finite number."""
    if isinstance(value, dict):
        return {str(name): known_values(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [known_values(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    raise TypeError(f"{type(value).__name__} has no place in JSON")
