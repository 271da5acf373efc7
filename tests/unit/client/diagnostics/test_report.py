from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crowdalpha.client import DataRequestError, Dataset, diagnose
from crowdalpha.client.diagnostics import ModelReport, diagnose_file
from crowdalpha.release import PredictionFileError


def test_a_file_scores_as_its_frames_do(report: ModelReport, predictions: Path, dataset_folder: Path) -> None:
    data = Dataset(dataset_folder)
    expected = diagnose(
        pl.read_parquet(predictions),
        data.read("validation"),
        meta_model=data.example("validation"),
        features=data.features["small"],
    )

    assert report.figures.eras == expected.eras
    assert report.figures.series["corr"] == pytest.approx(expected.scores["corr"], abs=1e-9)
    assert report.figures.series["fnc"] == pytest.approx(expected.scores["fnc"], abs=1e-9)
    assert report.figures.series["bmc"] == pytest.approx(expected.scores["mmc"], abs=1e-9)


def test_a_report_says_what_it_is_about(report: ModelReport) -> None:
    assert (report.model, report.benchmark) == ("mine.parquet", "validation_example_preds.parquet")
    assert (report.data, report.target, report.feature_set) == ("v1", "target", "small")
    assert len(report.figures.exposures) == 12
    assert report.figures.block >= 4  # a target of 20 days spans four weeks
    assert set(report.notes) == {"mmc", "churn"}


def test_the_order_of_the_rows_does_not_matter(
    report: ModelReport, predictions: Path, dataset_folder: Path, tmp_path: Path
) -> None:
    shuffled = pl.read_parquet(predictions).sample(fraction=1.0, shuffle=True, seed=1)
    shuffled.write_csv(tmp_path / "shuffled.csv")
    found = diagnose_file(tmp_path / "shuffled.csv", data=dataset_folder)

    assert found.figures.series["corr"] == pytest.approx(report.figures.series["corr"], abs=1e-9)


def test_a_few_eras_may_be_predicted(predictions: Path, dataset_folder: Path, tmp_path: Path) -> None:
    rows = Dataset(dataset_folder).read("validation").select("id", "era")
    some = pl.read_parquet(predictions).join(rows, on="id").filter(pl.col("era").is_in(["0040", "0042"]))
    some.write_parquet(tmp_path / "some")

    assert diagnose_file(tmp_path / "some", data=dataset_folder).figures.eras == ("0040", "0042")


def test_another_benchmark_and_past_meta_models_may_be_named(
    predictions: Path, dataset_folder: Path, tmp_path: Path
) -> None:
    rows = Dataset(dataset_folder).read("validation").select("id", "era")
    past = rows.filter(pl.col("era") <= "0038").with_columns(meta_model=pl.int_range(pl.len()) * 1.0)
    past.write_parquet(tmp_path / "meta")
    found = diagnose_file(predictions, data=dataset_folder, benchmark=predictions, meta_model=tmp_path / "meta")

    assert found.figures.series["bmc"].tolist() == [0] * 16
    assert np.isfinite(found.figures.series["mmc"]).tolist() == [True] * 3 + [False] * 13
    assert "mmc" not in found.notes


def test_meta_models_of_other_eras_are_said_to_be(predictions: Path, dataset_folder: Path, round_folder: Path) -> None:
    past = round_folder / "meta_model.parquet"
    found = diagnose_file(predictions, data=dataset_folder, meta_model=past)

    assert found.notes["mmc"] == "not defined: meta_model.parquet covers none of the scored eras"


def test_a_target_without_days_in_its_name_spans_one_era(predictions: Path, dataset_folder: Path) -> None:
    sixty = diagnose_file(predictions, data=dataset_folder, target="target_sector_60")

    assert sixty.figures.block >= 12


def test_an_era_predicted_in_part_is_refused(predictions: Path, dataset_folder: Path, tmp_path: Path) -> None:
    pl.read_parquet(predictions)[1:].write_parquet(tmp_path / "part")

    with pytest.raises(PredictionFileError, match=r"part: era 0036, id '\w+' has no value, as 1 of its \d+ rows"):
        diagnose_file(tmp_path / "part", data=dataset_folder)


def test_eras_without_a_target_cannot_be_diagnosed(predictions: Path, dataset_folder: Path, tmp_path: Path) -> None:
    rows = Dataset(dataset_folder).read("validation").filter(pl.col("target").is_null()).select("id")
    pl.read_parquet(predictions).join(rows, on="id").write_parquet(tmp_path / "late")

    with pytest.raises(DataRequestError, match="late: no predicted era has a known 'target'"):
        diagnose_file(tmp_path / "late", data=dataset_folder)
