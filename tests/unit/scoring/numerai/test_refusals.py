"""Corners in which the door must answer or refuse as the reference does, and keep the frames of its caller whole."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numerai_tools.scoring as theirs
import numerai_tools.submissions as their_submissions
import numpy as np
import pandas as pd
import pytest

from crowdalpha.scoring.numerai import scoring as ours
from crowdalpha.scoring.numerai import submissions

N_IDS = 40
IDS = [f"n{number:02d}" for number in range(N_IDS)]
RNG = np.random.default_rng(7)
PREDICTIONS = pd.DataFrame(RNG.normal(size=(N_IDS, 2)), index=IDS, columns=["a", "b"])
META_MODEL = pd.Series(RNG.normal(size=N_IDS), index=IDS, name="meta_model")
TARGET = pd.Series(RNG.choice([0.0, 0.25, 0.5, 0.75, 1.0], N_IDS), index=IDS, name="target")
FEATURES = pd.DataFrame(RNG.integers(0, 5, (N_IDS, 3)).astype(float), index=IDS, columns=["x", "y", "z"])
Call = Callable[[Any], Any]

REFUSED: dict[str, Call] = {
    "one id": lambda m: m.numerai_corr(PREDICTIONS.iloc[:1], TARGET.iloc[:1]),
    "one id, FNC": lambda m: m.feature_neutral_corr(PREDICTIONS.iloc[:1], FEATURES.iloc[:1], TARGET.iloc[:1]),
    "one id, power": lambda m: m.power(PREDICTIONS.iloc[:1], 1.5),
    "no ids": lambda m: m.numerai_corr(PREDICTIONS.iloc[:0], TARGET.iloc[:0]),
    "no ids, many": lambda m: m.filter_sort_index_many([PREDICTIONS.iloc[:0], TARGET.iloc[:0]]),
    "no rows to encode": lambda m: m.one_hot_encode(FEATURES.iloc[:0], ["x"]),
    "no name": lambda m: m.numerai_corr(PREDICTIONS, TARGET.rename(None)),
    "no name, FNC": lambda m: m.feature_neutral_corr(PREDICTIONS, FEATURES, TARGET.rename(None)),
    "a series, CORR": lambda m: m.numerai_corr(PREDICTIONS["a"], TARGET),
    "a series, MMC": lambda m: m.correlation_contribution(PREDICTIONS["a"], META_MODEL, TARGET),
    "a series, FNC": lambda m: m.feature_neutral_corr(PREDICTIONS["a"], FEATURES, TARGET),
    "a series, power": lambda m: m.power(PREDICTIONS["a"], 1.5),
    "ends that overlap": lambda m: m.correlation_contribution(PREDICTIONS, META_MODEL, TARGET, N_IDS // 2 + 1),
    "ends larger than all": lambda m: m.correlation_contribution(PREDICTIONS, META_MODEL, TARGET, N_IDS + 1),
    "an infinite target": lambda m: m.numerai_corr(PREDICTIONS, TARGET.replace(1.0, np.inf)),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of the reference, before it refuses
@pytest.mark.parametrize("name", REFUSED)
def test_refusal_is_of_the_type_that_the_reference_raises(name: str) -> None:
    with pytest.raises(Exception) as expected:  # noqa: PT011  # its type is what is asked
        REFUSED[name](theirs)

    with pytest.raises(expected.type):
        REFUSED[name](ours)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("score", ["pearson_correlation", "spearman_correlation", "tie_broken_rank_correlation"])
@pytest.mark.parametrize("side", ["target", "predictions", "neither has rows"])
def test_infinite_values_and_no_values_correlate_as_in_the_reference(score: str, side: str) -> None:
    infinite = META_MODEL.replace(META_MODEL.max(), np.inf)
    target, predictions = (infinite, PREDICTIONS["a"]) if side == "target" else (TARGET, infinite)
    if side == "neither has rows":
        target, predictions = target.iloc[:0], predictions.iloc[:0]

    found, expected = (getattr(module, score)(target, predictions) for module in (ours, theirs))

    assert found == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_a_doubled_id_beside_a_gap_is_matched_as_in_the_reference() -> None:
    doubled = [0, *range(N_IDS)]
    predictions, target = PREDICTIONS.iloc[doubled].copy(), TARGET.iloc[doubled].copy()
    predictions.iloc[9], target.iloc[9] = np.nan, np.nan

    found, expected = (module.filter_sort_index(target, predictions) for module in (ours, theirs))

    for one, other in zip(found, expected, strict=True):
        pd.testing.assert_frame_equal(pd.DataFrame(one), pd.DataFrame(other))


@pytest.mark.parametrize("target", [TARGET, TARGET.iloc[::-1]])
def test_what_is_matched_is_not_the_callers_own(target: pd.Series) -> None:
    before = PREDICTIONS.copy()

    pair = ours.filter_sort_index(PREDICTIONS, target)[0]
    many = ours.filter_sort_index_many([PREDICTIONS, target])[0]
    pair.iloc[0, 0] = many.iloc[0, 0] = 9.0

    pd.testing.assert_frame_equal(PREDICTIONS, before)


@pytest.mark.parametrize(
    "values",
    [["q", "p", None, "q"], [1.5, 0.25, np.nan, 1.5], [True, False, True, True], pd.Categorical(["b", "a", "b", "c"])],
)
def test_what_is_missing_is_encoded_as_a_value_of_its_own(values: list[object]) -> None:
    frame = pd.DataFrame({"kind": values, "other": range(4)})

    pd.testing.assert_frame_equal(ours.one_hot_encode(frame, ["kind"]), theirs.one_hot_encode(frame, ["kind"]))


def test_a_gap_in_one_feature_is_refused_and_not_dropped_for_all() -> None:
    features = FEATURES.copy()
    features.iloc[2, 0] = np.nan

    with pytest.raises(AssertionError, match="some features only"):
        ours.max_feature_correlation(PREDICTIONS["a"], features, N_IDS // 2)

    features.iloc[2] = np.nan
    name, size = ours.max_feature_correlation(PREDICTIONS["a"], features, N_IDS // 2)
    expected = theirs.max_feature_correlation(PREDICTIONS["a"], features, N_IDS // 2)
    assert name == expected[0]
    assert size == pytest.approx(expected[1], abs=1e-9)


def test_equal_doubled_ids_on_all_sides_have_a_feature_neutral_score() -> None:
    sides = [side.iloc[[0, *range(N_IDS)]] for side in (PREDICTIONS, FEATURES, TARGET)]

    scores, expected = (module.feature_neutral_corr(*sides) for module in (ours, theirs))

    np.testing.assert_allclose(scores, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # that the reference uses
def test_a_data_type_column_is_warned_of_in_the_words_of_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    universe = pd.DataFrame({"ticker": [f"T{number:03d}" for number in range(100)]})
    submission = universe.assign(signal=np.linspace(0.1, 0.9, 100), data_type="live")
    said: dict[ModuleType, list[str]] = {submissions: [], their_submissions: []}

    for module, messages in said.items():
        monkeypatch.setattr(module.logger, "warning", messages.append)
        module.validate_submission_signals(universe, submission.copy())

    assert len(said[submissions]) == 1
    assert said[submissions] == said[their_submissions]
