"""Every reference vector that numerai-tools made, through the door that has its names."""

from collections.abc import Sequence
from typing import cast

import pandas as pd
import pytest

from crowdalpha.scoring.numerai import scoring, signals, submissions
from tests.unit.scoring.vector_file import Case, Frame, Series, Value, disagreement, read_cases

# The reference fails for the whole frame where one model is constant; here that model alone has no score.
SCORED_HERE = "feature_neutral_corr/const_column_kills_batch"
DOORS = {
    name: function
    for module in (scoring, signals, submissions)
    for name, function in vars(module).items()
    if name in module.__all__ and callable(function)
}
# `values` of the reference's own calls are floats; these arguments count rows.
COUNTS = frozenset({"top_bottom"})
CASES = [case for case in read_cases() if case.function in DOORS]


def pandas_of(value: Value, name: str = "") -> object:
    if isinstance(value, Series):
        return pd.Series(value.values, index=pd.Index(value.ids, name="ticker"), name=value.name)
    if isinstance(value, Frame):
        return pd.DataFrame(value.columns, index=pd.Index(value.ids, name="ticker"))
    if isinstance(value, dict):
        return {key: pandas_of(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [pandas_of(item) for item in value]
    return int(value) if isinstance(value, float) and name in COUNTS else value


def value_of(found: object) -> Value:
    if isinstance(found, pd.Series):
        return Series(cast("str | None", found.name), found.index.to_numpy(), found.to_numpy())
    if isinstance(found, pd.DataFrame):
        return Frame(found.index.to_numpy(), {name: found[name].to_numpy() for name in found.columns})
    if isinstance(found, tuple | list):
        return [value_of(item) for item in found]
    return cast("Value", found)


@pytest.mark.parametrize("case", [case for case in CASES if not case.refused], ids=lambda case: case.id)
def test_vector_is_reproduced(case: Case) -> None:
    found = DOORS[case.function](**{name: pandas_of(value, name) for name, value in case.arguments.items()})

    assert disagreement(value_of(found), case.expected) is None


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.refused and case.id != SCORED_HERE], ids=lambda case: case.id
)
def test_refusal_is_a_refusal(case: Case) -> None:
    arguments = {name: pandas_of(value, name) for name, value in case.arguments.items()}

    with pytest.raises((AssertionError, ValueError, KeyError)):
        DOORS[case.function](**arguments)
