import json
from pathlib import Path

import pytest

from crowdalpha.release import (
    POLICIES,
    BuildOptions,
    ExampleModel,
    Policy,
    ReleaseError,
    ReleaseKey,
    build_dataset,
    build_live,
    verify_manifest,
)
from crowdalpha.release.differences import compare_datasets
from crowdalpha.release.keyfile import KeyFile
from tests.fixtures.releases import KEY, small_market

MARKET = small_market()
OTHER = ReleaseKey(b"another secret of 32 bytes......")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("diff")
    first = build_dataset(MARKET, key=KEY, version="v1", published=55, out=root / "first")
    build_dataset(MARKET, key=KEY, version="v1", published=58, out=root / "later", options=BuildOptions(previous=first))
    build_dataset(MARKET, key=OTHER, version="v2", published=55, out=root / "other")
    return {name: root / name for name in ("first", "later", "other")}


def test_a_data_set_differs_in_nothing_from_itself(folders: dict[str, Path]) -> None:
    found = compare_datasets(folders["first"], folders["first"])

    assert found.same
    assert found.eras["train"] == (22, 0, 0)
    assert len(found.features_kept) == 30


def test_a_later_release_says_which_rounds_moved(folders: dict[str, Path]) -> None:
    found = compare_datasets(folders["first"], folders["later"])

    assert found.moved == ("0056", "0057", "0058")
    assert found.files["train.parquet"] == "same"
    assert found.files["validation.parquet"] == "changed"
    assert found.facts["live_era"] == ("0056", "0059")
    assert found.eras["live"] == (0, 1, 1)
    assert found.features_added == found.features_removed == ()


def test_with_both_keys_the_same_features_are_found_under_new_names(folders: dict[str, Path]) -> None:
    keys = (
        KeyFile(KEY).with_release(MARKET, version="v1", policy=POLICIES["plain"]),
        KeyFile(OTHER).with_release(MARKET, version="v2", policy=POLICIES["plain"]),
    )
    found = compare_datasets(folders["first"], folders["other"], keys=keys)
    old, new = KEY.feature_names(MARKET.feature_names), OTHER.feature_names(MARKET.feature_names)

    assert found.features_mapped == {old[real]: new[real] for real in MARKET.feature_names}
    assert set(found.features_added) == set(new.values())


def test_without_the_key_and_common_rows_only_missing_values_tell(folders: dict[str, Path]) -> None:
    found = compare_datasets(folders["first"], folders["other"])
    old, new = KEY.feature_names(MARKET.feature_names), OTHER.feature_names(MARKET.feature_names)
    by_name = {hidden: real for real, hidden in new.items()}
    real_of = {hidden: real for real, hidden in old.items()}

    assert found.features_mapped == {}
    assert len(found.features_alike) == 30  # the small market lacks some values of each
    assert all(by_name[other] == real_of[name] for name, (other, _) in found.features_alike.items())
    assert "their numbers of missing values by era" in found.not_known[0]
    assert found.not_known[1].startswith("0 of 30 features that are gone have no match")


def test_without_key_rows_and_gaps_nothing_is_known_and_it_is_said(folders: dict[str, Path], tmp_path: Path) -> None:
    policy = Policy("plain", fill_missing=True)
    build_dataset(MARKET, key=OTHER, version="v4", published=55, out=tmp_path / "v4", policy=policy)
    found = compare_datasets(folders["first"], tmp_path / "v4")

    assert found.features_alike == {}
    assert "matched by nothing: the releases have no row in common" in found.not_known[0]
    assert found.not_known[1].startswith("30 of 30 features that are gone have no match")


def test_without_the_key_common_rows_tell_most(folders: dict[str, Path], tmp_path: Path) -> None:
    """Noise of 0.1 deviations gives other names, and bins that correlate about 0.98 with those of before."""
    policy = Policy("plain", noise_sd=0.1, fill_missing=True)
    build_dataset(MARKET, key=KEY, version="v3", published=55, out=tmp_path / "v3", policy=policy)
    found = compare_datasets(folders["first"], tmp_path / "v3")
    keys = (
        KeyFile(KEY).with_release(MARKET, version="v1", policy=POLICIES["plain"]),
        KeyFile(KEY).with_release(MARKET, version="v3", policy=policy),
    )
    known = compare_datasets(folders["first"], tmp_path / "v3", keys=keys)

    assert {name: other for name, (other, _) in found.features_alike.items()} == known.features_mapped
    assert len(known.features_mapped) == 30
    assert "the bins of rows that are in both" in found.not_known[0]
    assert (known.features_alike, known.not_known) == ({}, ())


def test_the_json_has_all_of_it(folders: dict[str, Path]) -> None:
    content = json.loads(compare_datasets(folders["first"], folders["later"]).to_json())

    assert content["same"] is False
    assert content["moved"] == ["0056", "0057", "0058"]


def test_the_folder_of_a_round_is_refused(folders: dict[str, Path], tmp_path: Path) -> None:
    example = ExampleModel.from_bytes((folders["first"] / "example_model.json").read_bytes())
    build_live(MARKET, key=KEY, era=57, round_number=1, out=tmp_path / "round", example=example)

    with pytest.raises(ReleaseError, match="holds a live folder"):
        compare_datasets(tmp_path / "round", folders["first"])
    assert verify_manifest(tmp_path / "round").kind == "live"
