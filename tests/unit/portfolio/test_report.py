import json
from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.portfolio import (
    CapacityCurve,
    CostModel,
    Execution,
    backtest,
    report_document,
    summarize_backtest,
)
from crowdalpha.scoring.checks import ShapeError

DATES = np.array(["2024-01-31", "2024-02-01"], dtype="datetime64[D]")
RULES = Execution(costs=CostModel(half_spread_bps=10, commission_bps=0, impact=0, borrow_bps_per_year=0))
RESULT = backtest(np.array([[0.0], [0.1]]), {-1: np.array([1.0])}, value=100.0, execution=RULES)
REPORT = summarize_backtest(
    RESULT,
    DATES,
    factor_parts=np.array([[0.0, 0.0], [0.06, RESULT.earned.sum() - 0.06]]),
    factor_names=["market"],
    exposures={"market": RESULT.net},
)


def test_the_report_of_a_book_worked_by_hand() -> None:
    # 100 buy 100 for 10 bp: 99.9 and a position of 100, which earns 10.
    assert REPORT.costs.gross == pytest.approx(0.1)
    assert REPORT.costs.spread_and_commission == pytest.approx(0.001)
    assert REPORT.monthly.total == pytest.approx(0.099)
    # 6 % of a value of 99.9 on the second day.
    assert REPORT.factors["market"] == pytest.approx(0.06 * 0.999)
    assert REPORT.factors["specific"] == pytest.approx(0.1 - 0.06 * 0.999)


def test_the_document_is_strict_json_with_a_value_a_day() -> None:
    document = report_document(REPORT)

    read = json.loads(json.dumps(document, allow_nan=False))
    assert read == document
    assert read["by_day"]["date"] == ["2024-01-31", "2024-02-01"]
    assert {len(values) for values in read["by_day"].values()} == {2}
    assert read["monthly"][0]["months"][:3] == [pytest.approx(-0.001), pytest.approx(10 / 99.9), None]
    assert read["capacity"] is None


def test_what_is_not_finite_is_null() -> None:
    line = np.array([0.1, 0.09])
    curve = CapacityCurve(np.array([1.0, 2.0]), line, line, np.array([np.nan, 1.0]), line, line, line)

    document = report_document(replace(REPORT, capacity=curve))["capacity"]

    assert isinstance(document, dict)
    assert document["capacity"] is None
    assert document["sharpe"] == [None, 1.0]


def test_names_must_fit_the_parts() -> None:
    with pytest.raises(ShapeError, match=r"factor_parts has shape \(2, 1\)"):
        summarize_backtest(RESULT, DATES, factor_parts=np.zeros((2, 1)), factor_names=["market"], exposures={})
