"""Predictions made into others keep their frame, their rows and their order."""

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numerai_tools import scoring as peer

from crowdalpha.scoring import NonFiniteError, OverlapError, frames

N_IDS = 12


def shuffled_frame() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    frame = pd.DataFrame({"era": np.repeat(["9", "10"], N_IDS), "id": [*range(N_IDS)] * 2, "note": "kept"})
    frame[["a", "b", "f1", "f2"]] = rng.normal(size=(2 * N_IDS, 4)).round(1)
    return frame.sample(frac=1, random_state=1).reset_index(drop=True)


def of_reference(frame: pd.DataFrame, transform: Any) -> np.ndarray[Any, Any]:  # noqa: ANN401  # frame to frame
    values: np.ndarray[Any, Any] = (
        pd.concat([transform(era) for _, era in frame.groupby("era")]).sort_index().to_numpy()
    )
    return values


@pytest.mark.parametrize("library", [pd, pl])
def test_ranks_signals_and_residuals_are_the_references(library: Any) -> None:  # noqa: ANN401  # a module
    frame = shuffled_frame()
    given = library.DataFrame(frame.to_dict("list"))
    models = ["a", "b"]
    cases = [
        (frames.tie_kept_rank(given, models=models), lambda era: peer.tie_kept_rank(era[models])),
        (frames.gaussianize(given, models=models), lambda era: peer.gaussian(peer.tie_kept_rank(era[models]))),
        (
            frames.neutralize(given, ["f1", "f2"], models=models, proportion=0.5),
            lambda era: peer.neutralize(era[models], era[["f1", "f2"]], 0.5),
        ),
    ]

    for found, transform in cases:
        assert type(found) is type(given)
        assert list(found.columns) == list(given.columns)
        for name in ("era", "id", "note", "f1"):
            assert list(found[name]) == list(given[name])
        expected = of_reference(frame, transform)
        np.testing.assert_allclose(np.column_stack([found[name] for name in models]), expected, atol=1e-12)


def test_an_index_stays() -> None:
    frame = shuffled_frame().set_index(["era", "id"])

    assert frames.gaussianize(frame, models="a").index.equals(frame.index)


def test_gaps_stay_gaps_and_touch_no_other_model() -> None:
    frame = shuffled_frame()
    spoilt = frame.assign(b=frame["b"].where(frame.index > 2))
    clean, found = (frames.neutralize(each, ["f1"], models=["a", "b"]) for each in (frame, spoilt))

    assert found["a"].to_list() == pytest.approx(clean["a"].to_list())
    assert found["b"].isna().to_list() == spoilt["b"].isna().to_list()
    known = spoilt[spoilt["b"].notna()]
    expected = of_reference(known, lambda era: peer.neutralize(era[["b"]], era[["f1"]]))
    np.testing.assert_allclose(found["b"].dropna(), expected[:, 0], atol=1e-12)
    assert frames.tie_kept_rank(spoilt, models="b")["b"].isna().to_list() == spoilt["b"].isna().to_list()


def test_a_constant_model_has_no_residual() -> None:
    found = frames.neutralize(shuffled_frame().assign(b=1.0), ["f1"], models=["a", "b"])

    assert found["b"].isna().all()
    assert found["a"].notna().all()


def test_a_model_that_is_not_there_in_an_era_stays_away() -> None:
    frame = shuffled_frame()

    found = frames.neutralize(frame.assign(b=frame["b"].where(frame["era"] == "9")), ["f1"], models=["a", "b"])

    assert (found["b"].notna() == (frame["era"] == "9")).all()
    assert found["a"].notna().all()


def test_every_prediction_needs_its_features() -> None:
    frame = shuffled_frame()
    features = frame[["era", "id", "f1"]]
    row = frame.loc[3]

    with pytest.raises(OverlapError, match=f"features lack .* first era '{row['era']}', id '{row['id']}'"):
        frames.neutralize(frame[["era", "id", "a"]], features.drop(index=3))
    with pytest.raises(NonFiniteError, match=f"column 'f1': era '{row['era']}', id '{row['id']}' is not finite"):
        frames.neutralize(frame, features.assign(f1=features["f1"].where(features.index != 3)), models="a")
