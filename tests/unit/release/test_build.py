import csv
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crowdalpha.release import (
    POLICIES,
    BuildOptions,
    Manifest,
    ReleaseError,
    build_dataset,
    verify_manifest,
)
from tests.fixtures.releases import KEY, small_market

MARKET = small_market(n_assets=60)
SPLITS = ("train", "validation", "live")


def build(out: Path, *, policy: str, era: int = 55, options: BuildOptions | None = None) -> Manifest:
    return build_dataset(
        MARKET,
        key=KEY,
        version="v1.0",
        published=era,
        out=out,
        policy=POLICIES[policy],
        options=options or BuildOptions(),
    )


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("policies")
    for name in POLICIES:
        build(root / name, policy=name)
    return {name: root / name for name in POLICIES}


def read(folder: Path, split: str) -> pl.DataFrame:
    return pl.read_parquet(folder / f"{split}.parquet")


@pytest.mark.parametrize("name", ["hardened", "strict"])
def test_hidden_releases_have_the_same_rows_in_every_era_and_no_gaps(folders: dict[str, Path], name: str) -> None:
    frame = pl.concat([read(folders[name], split).select(pl.exclude("^target.*$")) for split in SPLITS])

    assert frame.group_by("era").len()["len"].n_unique() == 1
    assert frame.null_count().sum_horizontal().item() == 0


def test_policies_share_no_feature_name_where_columns_differ(folders: dict[str, Path]) -> None:
    names = [set(read(folder, "live").columns[3:]) for folder in folders.values()]

    assert len(set.union(*names)) == 90


def test_the_manifest_states_policy_rules_and_code(folders: dict[str, Path]) -> None:
    manifest = verify_manifest(folders["strict"])

    assert manifest.policy == "strict"
    assert manifest.rules["group_size"] == 3
    assert manifest.rules["bins"] == 5
    assert manifest.facts["code_version"]
    assert manifest.facts["rows_per_era"] == manifest.facts["live_rows"]


def test_benchmarks_cover_validation_and_live_and_train_after_its_first_eras(folders: dict[str, Path]) -> None:
    benchmarks = {split: read(folders["plain"], f"{split}_benchmark_models") for split in SPLITS}
    names = benchmarks["live"].columns

    assert names == ["id", "era", "v10_ridge_neutral_20", "v10_ridge_neutral_60", "v10_ridge_mean"]
    assert benchmarks["validation"]["id"].to_list() == read(folders["plain"], "validation")["id"].to_list()
    assert benchmarks["live"]["id"].to_list() == read(folders["plain"], "live")["id"].to_list()
    # eight eras must be known 13 eras before
    assert benchmarks["train"]["era"].min() == "0021"


def test_csv_and_parquet_of_the_example_say_the_same(folders: dict[str, Path]) -> None:
    for name in ("validation_example_preds", "live_example_preds"):
        with (folders["plain"] / f"{name}.csv").open() as stream:
            rows = list(csv.reader(stream))
        frame = pl.read_parquet(folders["plain"] / f"{name}.parquet")

        assert rows[0] == ["id", "prediction"]
        assert [row[0] for row in rows[1:]] == frame["id"].to_list()
        np.testing.assert_allclose([float(row[1]) for row in rows[1:]], frame["prediction"], rtol=1e-12)


def test_a_file_has_a_row_group_an_era(folders: dict[str, Path]) -> None:
    content = (folders["plain"] / "validation.parquet").read_bytes()

    assert content.count(b"0055\x18\x040055") == 1


def test_without_meta_models_the_file_is_empty_and_has_its_columns(folders: dict[str, Path]) -> None:
    frame = read(folders["plain"], "meta_model")

    assert frame.height == 0
    assert frame.columns == ["id", "era", "data_type", "numerai_meta_model"]


def test_meta_models_are_delayed_until_the_target_is_known(tmp_path: Path) -> None:
    # era 0051 is the last whose target is known at 0056; 0022 is in training, 0030 in the embargo
    eras = ["0050", "0051", "0052", "0030", "0022"]
    past = pl.DataFrame({"era": eras, "id": list("abcde"), "meta_model": [0.1, 0.2, 0.3, 0.4, 0.5]})
    build(tmp_path / "a", policy="plain", options=BuildOptions(meta_model=past))

    assert read(tmp_path / "a", "meta_model").rows() == [
        ("a", "0050", "validation", 0.1),
        ("b", "0051", "validation", 0.2),
    ]


@pytest.mark.parametrize("name", ["plain", "hardened", "strict"])
def test_rounds_move_into_validation_with_their_targets(folders: dict[str, Path], tmp_path: Path, name: str) -> None:
    before = folders[name]
    options = BuildOptions(previous=verify_manifest(before))
    build(tmp_path / "later", policy=name, era=59, options=options)
    old, new = read(before, "validation"), read(tmp_path / "later", "validation")
    known = old.filter(pl.col("data_type") == "validation")
    moved = new.filter(pl.col("era") == "0056")

    assert (before / "train.parquet").read_bytes() == (tmp_path / "later" / "train.parquet").read_bytes()
    assert moved.select(read(before, "live").columns[3:]).equals(
        read(before, "live").select(pl.exclude("id", "era", "data_type"))
    )
    assert moved["id"].to_list() == read(before, "live")["id"].to_list()
    assert new.filter(pl.col("era") == "0054")["target"].null_count() == 0
    assert new.join(known, on="id", how="semi").select("id", "target").equals(known.select("id", "target"))


@pytest.mark.parametrize(("name", "published"), [("plain", True), ("hardened", False), ("strict", False)])
def test_the_targets_of_rounds_are_published_by_plain_alone(tmp_path: Path, name: str, *, published: bool) -> None:
    """Era 0051 was the first round; at era 0060 the windows of 20 days of eras up to 0054 have ended."""
    options = BuildOptions(previous=build(tmp_path / "a", policy=name, era=50))
    later = build(tmp_path / "b", policy=name, era=57, options=options)
    last = build(tmp_path / "c", policy=name, era=59, options=BuildOptions(previous=later))
    frames = [read(tmp_path / folder, "validation") for folder in "abc"]
    history, rounds = (pl.col("era") < "0051", pl.col("era").is_between(pl.lit("0051"), pl.lit("0054")))
    before = frames[0].filter(pl.col("data_type") == "validation")

    assert last.facts["first_round_era"] == "0051"
    assert frames[2].filter(history)["target"].null_count() == 0
    assert (frames[2].filter(rounds)["target"].null_count() == 0) is published
    assert frames[2].filter(rounds)["data_type"].unique().to_list() == ["validation" if published else "test"]
    # what was published once is published again as it was: a second draw would be a second look
    again = frames[2].join(before, on="id", how="semi")
    assert again.select("id", "target").equals(before.select("id", "target"))


@pytest.mark.parametrize("change", ["policy", "target"])
def test_an_earlier_release_of_another_kind_is_refused(folders: dict[str, Path], tmp_path: Path, change: str) -> None:
    options = BuildOptions(
        previous=verify_manifest(folders["plain"]), target="sector_20" if change == "target" else "neutral_20"
    )

    with pytest.raises(ReleaseError, match=f"has another {change}"):
        build(tmp_path / "a", policy="strict" if change == "policy" else "plain", options=options)


def test_an_era_with_half_of_the_market_missing_is_left_out_and_counted(tmp_path: Path) -> None:
    market = small_market(n_assets=60)
    market.universe[[4, 40], 15:] = False
    manifest = build_dataset(
        market, key=KEY, version="v1", published=55, out=tmp_path / "a", policy=POLICIES["hardened"]
    )

    assert manifest.facts["eras_left_out"] == 2
    assert "0005" not in read(tmp_path / "a", "train")["era"].to_list()
    assert "0041" not in read(tmp_path / "a", "validation")["era"].to_list()
