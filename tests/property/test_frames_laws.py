"""Laws of the scores of frames: the order of rows says nothing, nor does the library, nor whether there are two."""

from random import Random

import numpy as np
import pandas as pd
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdalpha.scoring import FloatArray, frames
from crowdalpha.testing.arrays import features, meta_models, predictions, targets

N_IDS, MODELS, FEATURES = 8, ["a", "b"], ["f1", "f2"]

law = settings(deadline=None, max_examples=30)


@st.composite
def long_frames(draw: st.DrawFn) -> pd.DataFrame:
    """Two eras with the same ids; the second model may lack one of them in the first era."""
    parts = [
        pd.DataFrame(draw(predictions(N_IDS, 2)), columns=MODELS)
        .join(pd.DataFrame(draw(features(N_IDS, 2)), columns=FEATURES))
        .assign(
            era=era,
            id=[f"n{row}" for row in range(N_IDS)],
            meta_model=draw(meta_models(N_IDS)),
            target=draw(targets(N_IDS)),
        )
        for era in ("9", "10")
    ]
    frame = pd.concat(parts, ignore_index=True)
    missing = draw(st.none() | st.integers(0, N_IDS - 1))
    return frame.assign(b=frame["b"].where(frame.index != missing))


def scores_of(frame: pd.DataFrame | pl.DataFrame) -> list[FloatArray]:
    found = [
        frames.corr(frame, models=MODELS),
        frames.mmc(frame, models=MODELS),
        frames.corr(frame, models=MODELS, top_bottom=2),
        frames.fnc(frame, FEATURES, models=MODELS),
        frames.feature_exposures(frame, FEATURES, models=MODELS),
        frames.churn(frame, models=MODELS),
    ]
    return [np.column_stack([np.asarray(scores[name]) for name in MODELS]) for scores in found]


def assert_same(left: list[FloatArray], right: list[FloatArray]) -> None:
    for one, other in zip(left, right, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-9)


@law
@given(long_frames(), st.randoms(use_true_random=False))
def test_shuffling_rows_and_columns_changes_nothing(frame: pd.DataFrame, random: Random) -> None:
    rows, columns = [*frame.index], [*frame.columns]
    random.shuffle(rows)
    random.shuffle(columns)

    assert_same(scores_of(frame.loc[rows, columns]), scores_of(frame))


@law
@given(long_frames())
def test_both_libraries_give_the_same(frame: pd.DataFrame) -> None:
    assert_same(scores_of(pl.DataFrame(frame.to_dict("list"))), scores_of(frame))


@law
@given(long_frames(), st.randoms(use_true_random=False))
def test_aligning_two_frames_and_scoring_the_result_is_scoring_two_frames(frame: pd.DataFrame, random: Random) -> None:
    rows = [*frame.index]
    random.shuffle(rows)
    mine, truth = frame[["era", "id", *MODELS]], frame.loc[rows, ["era", "id", "target"]]

    aligned = frames.align(mine, truth).frame

    assert_same([frames.corr(aligned)[MODELS].to_numpy()], [frames.corr(mine, truth)[MODELS].to_numpy()])
