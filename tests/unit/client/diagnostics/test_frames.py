from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from crowdalpha import scoring
from crowdalpha.client import DataRequestError, Dataset, diagnose
from crowdalpha.release import PredictionFileError

RNG = np.random.default_rng(3)
ERAS = ["0002", "0001", "0003"]
TRUTH = pl.DataFrame(
    {
        "id": [f"{era}-{row:02d}" for era in ERAS for row in range(20)],
        "era": [era for era in ERAS for _ in range(20)],
        "target": [(row % 5) / 4 if era != "0003" else None for era in ERAS for row in range(20)],
        "feature_a": [(row * 7) % 5 if row else None for _ in ERAS for row in range(20)],
    }
)
MINE = TRUTH.select("era", "id", prediction=pl.Series(RNG.random(60)))
OTHER = TRUTH.select("id", prediction=pl.Series(RNG.random(60)))


def test_each_era_is_scored_on_its_own_by_the_one_scorer() -> None:
    found = diagnose(MINE.sample(fraction=1.0, shuffle=True, seed=1), TRUTH, meta_model=OTHER, features=["feature_a"])
    era = TRUTH["era"] == "0002"
    mine, other = MINE.filter(era)["prediction"].to_numpy()[:, None], OTHER.filter(era)["prediction"].to_numpy()
    target = TRUTH.filter(era)["target"].to_numpy()
    feature = TRUTH.filter(era)["feature_a"].fill_null(2).to_numpy()[:, None].astype(float)

    assert found.eras == ("0001", "0002")
    assert found.scores["corr"][1] == pytest.approx(scoring.corr(mine, target)[0], abs=1e-12)
    assert found.scores["mmc"][1] == pytest.approx(scoring.mmc(mine, other, target)[0], abs=1e-12)
    assert found.scores["fnc"][1] == pytest.approx(scoring.fnc(mine, feature, target)[0], abs=1e-12)


def test_a_perfect_prediction_has_the_highest_corr_and_the_example_no_contribution() -> None:
    truth = TRUTH.filter(pl.col("target").is_not_null())
    perfect = truth.select("id", prediction="target")
    found = diagnose(perfect, truth, meta_model=perfect)

    assert found.scores["corr"] == pytest.approx([1.0, 1.0], abs=5e-3)
    assert found.scores["mmc"] == pytest.approx([0.0, 0.0], abs=1e-12)


def test_the_summary_is_over_the_eras() -> None:
    found = diagnose(MINE, TRUTH, meta_model=OTHER)
    corr = found.scores["corr"]

    assert found.summary["corr"].mean == pytest.approx(corr.mean())
    assert found.summary["corr"].std == pytest.approx(corr.std())
    assert found.summary["corr"].n_eras == 2
    assert found.frame.columns == ["era", "corr", "mmc", "cwmm"]


def test_pandas_frames_score_alike() -> None:
    frames = [pd.DataFrame(frame.to_dict(as_series=False)) for frame in (MINE, TRUTH, OTHER)]
    found = diagnose(frames[0], frames[1], meta_model=frames[2], features=["feature_a"])

    assert found.frame.equals(diagnose(MINE, TRUTH, meta_model=OTHER, features=["feature_a"]).frame)


def test_eras_that_were_not_predicted_are_left_out() -> None:
    assert diagnose(MINE.filter(pl.col("era") == "0001"), TRUTH, meta_model=OTHER).eras == ("0001",)


def test_a_constant_prediction_has_no_corr() -> None:
    found = diagnose(MINE.with_columns(prediction=pl.lit(0.5)), TRUTH, meta_model=OTHER)

    assert np.isnan(found.scores["corr"]).all()


def test_an_era_predicted_in_part_is_refused_and_the_row_named() -> None:
    with pytest.raises(
        PredictionFileError, match="predictions: era 0001, id '0001-07' has no value, as 1 of its 20 rows"
    ):
        diagnose(MINE.filter(pl.col("id") != "0001-07"), TRUTH, meta_model=OTHER)


def test_a_nan_prediction_is_refused() -> None:
    values = MINE["prediction"].to_numpy().copy()
    values[20] = np.nan

    with pytest.raises(
        PredictionFileError, match="predictions, column 'prediction', row 21: id '0001-00' has no value"
    ):
        diagnose(MINE.with_columns(prediction=pl.Series(values)), TRUTH, meta_model=OTHER)


def test_a_meta_model_with_gaps_is_refused() -> None:
    with pytest.raises(PredictionFileError, match="meta_model: era 0001, id '0001-00' has no value"):
        diagnose(MINE, TRUTH, meta_model=OTHER.filter(pl.col("id") != "0001-00"))


def test_a_row_given_twice_is_refused() -> None:
    with pytest.raises(
        PredictionFileError, match="predictions, column 'id', row 61: id '0002-00' occurs a second time"
    ):
        diagnose(pl.concat([MINE, MINE.head(1)]), TRUTH, meta_model=OTHER)


def test_predictions_of_other_rows_are_refused() -> None:
    with pytest.raises(DataRequestError, match="no predicted row has a known 'target'"):
        diagnose(MINE.filter(pl.col("era") == "0003"), TRUTH, meta_model=OTHER)


def test_a_pandas_index_is_no_column() -> None:
    frame = pd.DataFrame({"prediction": MINE["prediction"].to_list()}, index=pd.Index(MINE["id"].to_list(), name="id"))

    with pytest.raises(PredictionFileError, match=r"predictions, column 'id': is missing.*reset_index"):
        diagnose(frame, TRUTH, meta_model=OTHER)


def test_the_published_example_has_skill_where_the_target_has_signal(dataset_folder: Path) -> None:
    dataset = Dataset(dataset_folder)
    example = dataset.example("validation")
    truth = dataset.read("validation", feature_set="all")
    found = diagnose(example, truth, meta_model=example, features=dataset.features["small"], target="target_sector_20")

    assert found.summary["corr"].n_eras == 16
    assert set(found.scores) == {"corr", "mmc", "fnc", "cwmm", "max_exposure"}
