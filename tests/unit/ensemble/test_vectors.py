"""The published meta model, held against outputs of the published code."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from _pytest.mark.structures import ParameterSet

from crowdalpha.ensemble import (
    UnknownModelError,
    clean_predictions,
    join_live,
    meta_model,
    rank_and_fill,
    stake_vector,
    stake_weighted_average,
    stake_weighted_meta_model,
)
from crowdalpha.scoring.arrays import FloatArray

VECTORS = json.loads((Path(__file__).parents[2] / "fixtures" / "scoring-vectors.json").read_text())
Json = dict[str, Any]


def assert_close(result: FloatArray, expected: FloatArray) -> None:
    np.testing.assert_allclose(result, expected, rtol=1e-9, atol=1e-9)


def cases(function: str, *, refused: bool = False) -> list[ParameterSet]:
    chosen = [case for case in VECTORS["cases"] if case["fn"] == function and ("err" in case) == refused]
    return [pytest.param(case, id=case["id"]) for case in chosen]


def resolve(thing: Json) -> Json:
    """Follow references of the file format until something with values is left."""
    return resolve(VECTORS["data"][thing["ref"]]) if "ref" in thing else thing


def index(thing: Json) -> list[str]:
    return list(VECTORS["index"][resolve(thing)["ix"]]["v"])


def numbers(values: Sequence[float | str]) -> FloatArray:
    return np.array([float(value) for value in values])


def columns(frame: Json) -> dict[str, list[Any]]:
    data = resolve(frame)
    return dict(zip(data["cols"], data["v"], strict=True))


def stakes_by_model(series: Json) -> dict[str, float]:
    return dict(zip(index(series), map(float, resolve(series)["v"]), strict=True))


def signals_of(frame: Json) -> FloatArray:
    return np.column_stack([numbers(column) for column in columns(frame).values()])


def joined(universe: Json, submission: Json, id_column: str) -> tuple[list[str], FloatArray]:
    live = sorted(columns(universe)[id_column])
    rows = columns(submission)
    signal = next(name for name in rows if name != id_column)
    return live, join_live(live, rows[id_column], numbers(rows[signal]))


@pytest.mark.parametrize("case", cases("stake_weight"))
def test_stake_weight_equals_the_published_code(case: Json) -> None:
    predictions = case["args"]["predictions"]
    stakes = stake_vector(list(columns(predictions)), stakes_by_model(case["args"]["stakes"]))

    result = stake_weighted_meta_model(signals_of(predictions), stakes)

    assert_close(result, numbers(resolve(case["out"])["v"]))


@pytest.mark.parametrize("case", cases("stake_weight", refused=True))
def test_a_stake_on_a_model_without_predictions_is_refused(case: Json) -> None:
    models = list(columns(case["args"]["predictions"]))

    with pytest.raises(UnknownModelError, match="nope"):
        stake_vector(models, stakes_by_model(case["args"]["stakes"]))


@pytest.mark.parametrize("case", cases("clean_submission"))
def test_a_cleaned_submission_equals_the_published_code(case: Json) -> None:
    args = case["args"]
    live, raw = joined(args["universe"], args["submission"], args["src_id_col"])
    ranked = rank_and_fill(raw[:, None])[:, 0] if args.get("rank_and_fill") else raw
    expected = resolve(case["out"])

    assert live == index(expected)
    assert_close(ranked, numbers(expected["v"]))


@pytest.mark.parametrize("case", cases("pipeline_meta"))
def test_the_whole_way_from_submissions_to_meta_model(case: Json) -> None:
    args = case["args"]
    submissions = resolve(args["subs"])["v"]
    values = np.column_stack([joined(args["universe"], sub, args["id_col"])[1] for sub in submissions.values()])
    stakes = stake_vector(list(submissions), stakes_by_model(args["stakes"]))
    cleaned, gaussianised, meta = resolve(case["out"])["v"]

    assert_close(rank_and_fill(values), signals_of(cleaned))
    assert_close(clean_predictions(values), signals_of(gaussianised))
    assert_close(meta_model(values, stakes), numbers(resolve(meta)["v"]))


@pytest.mark.parametrize("case", cases("stake_weighted_average"))
def test_stake_weighted_average_equals_the_documented_example(case: Json) -> None:
    scores, stakes = (numbers(resolve(case["args"][name])["v"]) for name in ("scores", "stakes"))

    assert stake_weighted_average(scores, stakes) == pytest.approx(case["out"], rel=1e-9)


def test_every_vector_of_the_ensemble_is_tested_here() -> None:
    counted = [len(cases(name)) for name in ("stake_weight", "clean_submission", "pipeline_meta")]

    assert counted == [4, 4, 1]
    assert len(cases("stake_weight", refused=True)) == len(cases("stake_weighted_average")) == 1
