"""All scores at once are those of the single functions; a summary has a row a model."""

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from crowdalpha.scoring import NonFiniteError, ShapeError, frames

N_IDS, FEATURES, MODELS = 30, ["f1", "f2"], ["a", "b"]


def long_frame() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    n_rows = 2 * N_IDS
    frame = pd.DataFrame({"era": np.repeat(["9", "10"], N_IDS), "id": range(n_rows)})
    frame[[*MODELS, "meta_model"]] = rng.normal(size=(n_rows, 3))
    frame["target"] = rng.choice([0.0, 0.25, 0.5, 0.75, 1.0], size=n_rows)
    return frame.assign(**{name: rng.integers(0, 5, size=n_rows).astype(np.int8) for name in FEATURES})


@pytest.mark.parametrize("library", [pd, pl])
def test_scores_at_once_are_those_of_the_single_functions(library: Any) -> None:  # noqa: ANN401  # a module
    frame = long_frame()
    frame.loc[[2, 40], "b"] = np.nan
    given = library.DataFrame(frame.to_dict("list"))

    found = frames.era_scores(given, meta_model="meta_model", features=FEATURES, models=MODELS)

    singles = {
        "corr": frames.corr(given, models=MODELS),
        "mmc": frames.mmc(given, models=MODELS),
        "fnc": frames.fnc(given, FEATURES, models=MODELS),
        "cwmm": frames.cwmm(given, models=MODELS),
        "max_exposure": frames.max_feature_exposure(given, FEATURES, models=MODELS),
    }
    for name, single in singles.items():
        scores = getattr(found, name)
        assert type(scores) is type(given)
        assert list(scores["era"]) == ["9", "10"]
        for model in MODELS:
            np.testing.assert_allclose(scores[model], single[model], atol=1e-12)


def test_scores_that_were_not_asked_for_are_none() -> None:
    frame = long_frame()
    models, truth = frame[["era", "id", *MODELS]], frame[["era", "id", "target"]].sample(frac=1, random_state=1)

    alone = frames.era_scores(models, truth)
    with_meta = frames.era_scores(models, truth, meta_model=frame[["era", "id", "meta_model"]])
    with_features = frames.era_scores(models, truth, features=frame, columns=FEATURES)

    pd.testing.assert_frame_equal(alone.corr, frames.corr(models, truth))
    assert (alone.mmc, alone.fnc, alone.cwmm, alone.max_exposure) == (None,) * 4
    assert (with_meta.fnc, with_meta.max_exposure) == (None, None)
    assert (with_features.mmc, with_features.cwmm) == (None, None)


def test_an_era_without_target_has_the_scores_that_need_none() -> None:
    frame = long_frame()
    frame.loc[N_IDS:, "target"] = np.nan

    found = frames.era_scores(frame, meta_model="meta_model", features=FEATURES, models=MODELS)
    alone = frames.era_scores(frame, models=MODELS)

    for scores in (found.corr, found.mmc, found.fnc, alone.corr):
        assert scores is not None
        assert scores["a"].isna().to_list() == [False, True]
    for scores, single in (
        (found.cwmm, frames.cwmm(frame, models=MODELS)),
        (found.max_exposure, frames.max_feature_exposure(frame, FEATURES, models=MODELS)),
    ):
        assert scores is not None
        assert scores["a"].to_list() == pytest.approx(single["a"].to_list())


@pytest.mark.parametrize("library", [pd, pl])
def test_a_summary_has_a_row_a_model(library: Any) -> None:  # noqa: ANN401  # a module
    scores = library.DataFrame({"era": ["9", "10", "11"], "a": [0.02, 0.04, None], "b": [-0.01, 0.0, 0.01]})

    summary = frames.summarize(scores)

    assert type(summary) is type(scores)
    assert list(summary["model"]) == ["a", "b"]
    assert list(summary["n_eras"]) == [2, 3]
    assert list(summary["mean"]) == pytest.approx([0.03, 0.0])
    assert list(summary["sharpe"]) == pytest.approx([3.0, 0.0])


def test_what_cannot_be_summarized_is_refused() -> None:
    with pytest.raises(ShapeError, match="scores has no rows or no models"):
        frames.summarize(pl.DataFrame({"era": ["9"]}))
    with pytest.raises(ShapeError, match="scores, column 'a' holds String"):
        frames.summarize(pl.DataFrame({"era": ["9"], "a": ["high"]}))
    with pytest.raises(NonFiniteError):
        frames.summarize(pl.DataFrame({"era": ["9"], "a": [float("inf")]}))
    infinite = long_frame().assign(a=lambda frame: frame["a"].where(frame.index != 3, np.inf))
    with pytest.raises(NonFiniteError, match="predictions, column 'a': era '9', id '3' is infinite"):
        frames.era_scores(infinite, features=FEATURES, models=MODELS)
