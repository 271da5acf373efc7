"""The door for users of numerai-tools has every name of the reference, with the arguments that it has there."""

import inspect
from types import ModuleType

import numerai_tools.scoring
import numerai_tools.signals
import numerai_tools.submissions
import pandas as pd
import pytest

from crowdalpha.scoring.numerai import scoring, signals, submissions

PAIRS = [
    (numerai_tools.scoring, scoring),
    (numerai_tools.signals, signals),
    (numerai_tools.submissions, submissions),
]
FUNCTIONS = [
    pytest.param(theirs, ours, name, id=f"{theirs.__name__.rpartition('.')[2]}.{name}")
    for theirs, ours in PAIRS
    for name, value in vars(theirs).items()
    if inspect.isfunction(value) and value.__module__ == theirs.__name__ and not name.startswith("_")
]


@pytest.mark.parametrize(("theirs", "ours", "name"), FUNCTIONS)
def test_function_has_the_arguments_of_the_reference(theirs: ModuleType, ours: ModuleType, name: str) -> None:
    expected = inspect.signature(getattr(theirs, name)).parameters.values()
    found = inspect.signature(getattr(ours, name)).parameters.values()

    assert [(one.name, one.kind, one.default) for one in found] == [
        (one.name, one.kind, one.default) for one in expected
    ]


@pytest.mark.parametrize(("theirs", "ours"), PAIRS)
def test_constants_are_those_of_the_reference(theirs: ModuleType, ours: ModuleType) -> None:
    constants = {name: value for name, value in vars(theirs).items() if name.isupper() and name not in {"S1", "S2"}}

    assert {name: getattr(ours, name) for name in constants} == constants


def test_an_id_in_a_date_column_is_taken_out_of_the_callers_frame_as_the_reference_does() -> None:
    frame = pd.DataFrame({"ticker": ["A", "B"], "signal": [0.1, 0.2], "date": ["2020-01-01"] * 2})

    assert submissions.validate_headers_signals(frame, assert_date_col=True) == ("ticker", "signal", "date")
    assert list(frame.columns) == ["ticker", "signal", "date"]
    assert submissions.validate_headers_signals(frame) == ("ticker", "signal", "date")
    assert list(frame.columns) == ["ticker", "signal"]


def test_a_constant_model_leaves_the_scores_of_the_others_alone() -> None:
    ids = [f"n{number:02d}" for number in range(40)]
    predictions = pd.DataFrame({"good": range(40), "flat": 0.5, "other": [(7 * n) % 40 for n in range(40)]}, index=ids)
    features = pd.DataFrame({"a": [n % 5 for n in range(40)], "b": [n % 3 for n in range(40)]}, index=ids)
    target = pd.Series([n / 39 for n in range(40)], index=ids, name="target")
    alone = numerai_tools.scoring.feature_neutral_corr(predictions[["good", "other"]], features, target)

    scores = scoring.feature_neutral_corr(predictions, features, target)

    assert scores[["good", "other"]].to_list() == pytest.approx(alone.to_list(), abs=1e-9)
    assert pd.isna(scores["flat"])
