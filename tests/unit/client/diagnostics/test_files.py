import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from crowdalpha.client import DataRequestError
from crowdalpha.client.diagnostics.files import PublishedData, read_values
from crowdalpha.release import ManifestError, PredictionFileError

FRAME = pl.DataFrame({"note": ["x", "y"], "prediction": [0.25, 0.5], "era": ["0001", "0001"], "id": ["a", "b"]})


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_both_kinds_of_file_are_read_whatever_the_order_of_their_columns(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "mine"  # told apart by content, not by name
    FRAME.write_csv(path) if kind == "csv" else FRAME.write_parquet(path)
    found = read_values(path)

    assert (found.name, found.column) == ("mine", "prediction")
    assert found.keys.rows() == [("a", "0001"), ("b", "0001")]
    assert found.values.tolist() == [0.25, 0.5]


def test_values_may_have_another_name(tmp_path: Path) -> None:
    FRAME.rename({"prediction": "meta_model"}).write_parquet(tmp_path / "past")

    assert read_values(tmp_path / "past", columns=("meta_model", "prediction")).column == "meta_model"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "mine: is empty; it needs the columns id and prediction"),
        (b"id,prediction\n", "mine: has no rows"),
        (b"id,probability\na,1\n", "mine, column 'prediction': is missing; found id, probability"),
        (b"name,prediction\na,1\n", "mine, column 'id': is missing; found name, prediction"),
        (b"id,prediction\na,1\nb,\n", "mine, column 'prediction', row 2: id 'b' has no value"),
        (b"id,prediction\na,1\nb,NaN\n", "mine, column 'prediction', row 2: id 'b' has 'NaN'"),
        (b"id,prediction\na,1\nb,2,3\n", "mine: is not CSV that can be read"),
        (b"id,prediction\n\xff\xfe,1\n", "mine: is not CSV that can be read"),
        (b"PAR1 and no more", "mine: is not Parquet that can be read"),
    ],
)
def test_an_unusable_file_is_one_line_that_names_it(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(content)
    with pytest.raises(PredictionFileError, match=message) as refusal:
        read_values(tmp_path / "mine")

    assert "\n" not in str(refusal.value)


def test_a_damaged_parquet_file_is_refused(tmp_path: Path) -> None:
    FRAME.select("id", "prediction").write_parquet(tmp_path / "mine", compression="uncompressed")
    content = bytearray((tmp_path / "mine").read_bytes())
    content[4:40] = bytes(36)
    (tmp_path / "mine").write_bytes(content)

    with pytest.raises(PredictionFileError, match="mine: is not Parquet that can be read"):
        read_values(tmp_path / "mine")


@pytest.mark.parametrize("path", ["nowhere.parquet", "."])
def test_a_file_that_is_not_there_is_named_with_its_path(path: str, tmp_path: Path) -> None:
    with pytest.raises(PredictionFileError, match=r"cannot be read: .*; check the path"):
        read_values(tmp_path / path)


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"manifest\.json: missing in"):
        PublishedData.open(tmp_path)


def test_the_folder_of_a_round_is_refused(round_folder: Path) -> None:
    with pytest.raises(DataRequestError, match="a live folder has no targets"):
        PublishedData.open(round_folder)


def test_only_what_is_used_is_verified(dataset_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(dataset_folder, folder)
    (folder / "train.parquet").unlink()
    rows = PublishedData.open(folder).rows(feature_set="medium", target="target_sector_60")
    (folder / "validation.parquet").write_bytes(b"PAR1")

    assert (len(rows.eras), len(rows.feature_names)) == (20, 24)
    with pytest.raises(ManifestError, match=r"validation\.parquet: its SHA-256 is not"):
        PublishedData.open(folder).rows(feature_set="small", target="target")
    (folder / "validation_example_preds.parquet").unlink()
    with pytest.raises(ManifestError, match=r"validation_example_preds\.parquet: missing"):
        PublishedData.open(folder).example  # noqa: B018  # the property refuses


@pytest.mark.parametrize(
    ("feature_set", "target", "message"),
    [
        ("large", "target", "no feature set 'large'; there are small"),
        ("small", "y", "no target 'y'; there are target,"),
    ],
)
def test_what_is_not_there_is_refused(dataset_folder: Path, feature_set: str, target: str, message: str) -> None:
    with pytest.raises(DataRequestError, match=message):
        PublishedData.open(dataset_folder).rows(feature_set=feature_set, target=target)


def test_meta_models_are_those_of_the_folder(dataset_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(dataset_folder, folder)
    assert PublishedData.open(folder).meta_model is None

    unlisted = PublishedData.open(folder)
    files = {name: entry for name, entry in unlisted.manifest.files.items() if name != "meta_model.parquet"}
    unlisted = replace(unlisted, manifest=replace(unlisted.manifest, files=files))
    assert unlisted.meta_model == folder / "meta_model.parquet"
