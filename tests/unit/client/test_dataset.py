import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crowdalpha.client import DataRequestError, Dataset, LiveRound
from crowdalpha.release import ManifestError


@pytest.fixture(scope="module")
def dataset(dataset_folder: Path) -> Dataset:
    return Dataset(dataset_folder)


def test_feature_sets_and_targets_are_those_of_features_json(dataset: Dataset) -> None:
    assert {name: len(members) for name, members in dataset.features.items()} == {"small": 12, "medium": 24, "all": 30}
    assert dataset.targets[0] == "target"
    assert len(dataset.targets) == 5


@pytest.mark.parametrize(("feature_set", "n_features"), [("small", 12), ("medium", 24), ("all", 30)])
def test_a_split_has_keys_the_set_and_the_targets(dataset: Dataset, feature_set: str, n_features: int) -> None:
    frame = dataset.read("train", feature_set=feature_set)

    assert frame.columns == ["id", "era", "data_type", *dataset.features[feature_set], *dataset.targets]
    assert frame.width == 3 + n_features + 5


def test_a_split_is_read_whole_by_default(dataset: Dataset) -> None:
    frame = dataset.read("validation")

    assert frame.height == dataset.manifest.files["validation.parquet"].rows
    assert frame["era"].unique().sort().to_list() == [f"{era:04d}" for era in range(36, 56)]


def test_the_last_eras_of_a_split(dataset: Dataset) -> None:
    frame = dataset.read("train", eras=3)
    everything = dataset.read("train")

    assert frame.equals(everything.filter(pl.col("era").is_in(["0020", "0021", "0022"])))


def test_more_eras_than_there_are_means_all(dataset: Dataset) -> None:
    assert dataset.read("train", eras=10_000).equals(dataset.read("train"))


def test_eras_can_be_read_one_at_a_time(dataset: Dataset) -> None:
    eras = list(dataset.iter_eras("validation", feature_set="small"))

    assert [frame["era"].unique().to_list() for frame in eras] == [[f"{era:04d}"] for era in range(36, 56)]
    assert pl.concat(eras).equals(dataset.read("validation"))


def test_benchmarks_are_ranks_under_the_ids_of_the_split(dataset: Dataset) -> None:
    frame = dataset.benchmarks("validation")

    assert frame["id"].to_list() == dataset.read("validation")["id"].to_list()
    assert all(frame[name].is_between(0, 1, closed="none").all() for name in frame.columns[2:])
    assert all(frame[name].n_unique() > 1 for name in frame.columns[2:])


def test_the_meta_model_has_its_columns_before_there_is_one(dataset: Dataset) -> None:
    assert dataset.meta_model.columns == ["id", "era", "data_type", "numerai_meta_model"]
    assert dataset.meta_model.is_empty()


def test_live_has_no_targets(dataset: Dataset) -> None:
    assert dataset.read("live").columns == ["id", "era", "data_type", *dataset.features["small"]]


def test_the_example_can_be_made_again_from_what_is_published(dataset: Dataset) -> None:
    frame = dataset.read("validation", feature_set="all")
    model = dataset.example_model
    bins = frame.select(pl.col(model.features).fill_null(2)).to_numpy()

    np.testing.assert_allclose(dataset.example("validation")["prediction"], model.predict(bins), rtol=1e-12)


def test_a_matrix_is_float32_with_missing_bins_in_the_middle(dataset: Dataset) -> None:
    frame = dataset.read("train", feature_set="medium")
    matrix = dataset.matrix(frame, "medium")
    name = dataset.features["medium"][5]

    assert matrix.dtype == np.float32
    assert matrix.shape == (frame.height, 24)
    assert frame[name].null_count() > 0
    assert matrix[:, 5].tolist() == frame[name].fill_null(2).to_list()


def test_missing_bins_may_stay_missing(dataset: Dataset) -> None:
    frame = dataset.read("train")
    nulls = sum(frame[name].null_count() for name in dataset.features["small"])

    assert np.isnan(dataset.matrix(frame, missing=np.nan)).sum() == nulls > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "tests"}, "no split 'tests'; there are train, validation, live"),
        ({"split": "train", "feature_set": "large"}, "no feature set 'large'; there are small, medium, all"),
        ({"split": "train", "eras": 0}, "at least one"),
    ],
)
def test_what_is_not_there_is_refused(dataset: Dataset, arguments: dict[str, str], message: str) -> None:
    with pytest.raises(DataRequestError, match=message):
        dataset.read(**arguments)  # type: ignore[arg-type]  # a wrong split on purpose


def test_a_frame_read_with_a_smaller_set_is_refused(dataset: Dataset) -> None:
    with pytest.raises(DataRequestError, match="has no column 'feature_"):
        dataset.matrix(dataset.read("train", feature_set="small"), "all")


def test_a_damaged_data_set_is_not_opened(dataset_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(dataset_folder, tmp_path / "copy")
    (tmp_path / "copy" / "train.parquet").write_bytes(b"PAR1")

    with pytest.raises(ManifestError, match=r"^train\.parquet"):
        Dataset(tmp_path / "copy")


def test_a_live_round_has_ids_features_example_and_past_meta_models(round_folder: Path, dataset: Dataset) -> None:
    live = LiveRound(round_folder)

    assert (live.number, live.era) == (7, "0058")
    assert live.ids == live.frame["id"].to_list() == live.example["id"].to_list()
    assert dataset.matrix(live.frame, "all").shape == (len(live.ids), 30)
    assert live.meta_model is not None
    assert live.meta_model.rows() == [("0057", "a", 0.5)]


def test_the_two_kinds_of_folder_are_told_apart(dataset_folder: Path, round_folder: Path) -> None:
    with pytest.raises(DataRequestError, match="open it with LiveRound"):
        Dataset(round_folder)
    with pytest.raises(DataRequestError, match="open it with Dataset"):
        LiveRound(dataset_folder)
