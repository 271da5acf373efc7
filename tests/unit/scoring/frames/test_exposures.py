"""Exposures of frames: one row an era, and a feature where they are told apart."""

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numerai_tools import scoring as peer

from crowdalpha.scoring import ConstantError, NonFiniteError, ShapeError, frames

N_IDS = 30


def long_frame() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"era": np.repeat([2, 10], N_IDS), "id": [*range(N_IDS)] * 2})
    frame[["a", "b"]] = rng.normal(size=(2 * N_IDS, 2))
    return frame.assign(**{name: rng.integers(0, 5, size=2 * N_IDS).astype(np.int8) for name in ("f1", "f2", "f3")})


@pytest.mark.parametrize("library", [pd, pl])
def test_exposures_are_correlations_in_each_era(library: Any) -> None:  # noqa: ANN401  # a module
    frame = long_frame()
    given = library.DataFrame(frame.to_dict("list"))

    exposures = frames.feature_exposures(given, ["f1", "f3"], models=["a", "b"])
    ranked = frames.feature_exposures(given, ["f1", "f3"], models=["a", "b"], method="spearman")
    largest = frames.max_feature_exposure(given, ["f1", "f2", "f3"])

    assert type(exposures) is type(given)
    assert list(exposures.columns) == ["era", "feature", "a", "b"]
    assert list(exposures["era"]) == [2, 2, 10, 10]
    assert list(exposures["feature"]) == ["f1", "f3"] * 2
    eras = [frame[frame["era"] == era] for era in (2, 10)]
    expected = [era["a"].corr(era[name]) for era in eras for name in ("f1", "f3")]
    np.testing.assert_allclose(exposures["a"], expected, atol=1e-12)
    expected = [era["a"].corr(era[name], method="spearman") for era in eras for name in ("f1", "f3")]
    np.testing.assert_allclose(ranked["a"], expected, atol=1e-12)
    expected = [peer.max_feature_correlation(era["b"], era[["f1", "f2", "f3"]])[1] for era in eras]
    np.testing.assert_allclose(largest["b"], expected, atol=1e-12)


def test_gaps_are_the_affair_of_their_model() -> None:
    frame = long_frame()
    spoilt = frame.assign(b=frame["b"].where(frame.index > 4))

    exposures = frames.feature_exposures(spoilt, ["f1"], models=["a", "b"])

    kept = spoilt.loc[5 : N_IDS - 1]
    assert exposures["b"][0] == pytest.approx(kept["b"].corr(kept["f1"]))
    assert exposures["a"].to_list() == pytest.approx(frames.feature_exposures(frame, ["f1"], models="a")["a"].to_list())


def test_features_of_more_ids_in_another_order_fit() -> None:
    frame = long_frame()
    features = frame[["era", "id", "f1", "f2"]].sample(frac=1, random_state=2)

    found = frames.max_feature_exposure(frame.iloc[2:][["era", "id", "a"]], features, columns=["f1"])

    first = frame.iloc[2:N_IDS]
    assert found["a"][0] == pytest.approx(abs(first["a"].corr(first["f1"])))


def test_what_has_no_exposure_is_refused() -> None:
    frame = long_frame()

    with pytest.raises(ConstantError, match="era '10': every feature is constant"):
        frames.max_feature_exposure(frame.assign(f1=frame["f1"].where(frame["era"] == 2, 3)), ["f1"], models="a")
    with pytest.raises(NonFiniteError, match="predictions, column 'a': era '2', id '1' is infinite"):
        frames.feature_exposures(frame.assign(a=frame["a"].where(frame.index != 1, np.inf)), ["f1"], models="a")
    with pytest.raises(ShapeError, match="a model cannot be called 'feature'"):
        frames.feature_exposures(frame.rename(columns={"a": "feature"}), ["f1"], models="feature")
