import json
from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.client.diagnostics import ModelReport, to_json
from crowdalpha.client.diagnostics.document import known_values
from tests.fixtures.diagnoses import figures


def test_the_document_holds_every_series_and_figure(report: ModelReport) -> None:
    document = json.loads(to_json(report))

    assert document["eras"] == list(report.figures.eras)
    assert document["by_era"]["corr"] == pytest.approx(report.figures.series["corr"])
    assert document["cumulative_corr"][-1] == pytest.approx(report.figures.series["corr"].sum())
    assert document["scores"]["corr"]["mean"] == pytest.approx(report.figures.series["corr"].mean())
    low, high = document["scores"]["corr"]["intervals"]["mean"]
    assert low < document["scores"]["corr"]["mean"] < high
    assert document["exposures"][0]["feature"] == report.figures.exposures[0].feature
    assert {finding["level"] for finding in document["findings"]} <= {"risk", "watch", "good"}
    assert set(document["notes"]) == {"mmc", "churn"}


def test_what_is_not_defined_is_null(report: ModelReport) -> None:
    nothing = figures(corr=np.full(3, np.nan), bmc=np.full(3, 0.1))
    document = json.loads(to_json(replace(report, figures=nothing)))

    assert document["drawdown"] is None
    assert document["by_era"]["corr"] == [None, None, None]
    assert document["scores"]["bmc"]["sharpe"] is None  # infinite


def test_what_json_does_not_know_is_refused() -> None:
    with pytest.raises(TypeError, match="set has no place in JSON"):
        known_values({"a": [{1}]})
