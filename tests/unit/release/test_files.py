import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crowdalpha.market import Market
from crowdalpha.release import (
    BuildOptions,
    ExampleModel,
    ReleaseError,
    asset_index,
    build_dataset,
    build_live,
    read_predictions,
    target_frame,
    verify_manifest,
)
from tests.fixtures.releases import KEY, published, small_market, with_other_future

MARKET = small_market()
NAMES = [
    "example_model.json",
    "features.json",
    "live.parquet",
    "live_benchmark_models.parquet",
    "live_example_preds.csv",
    "live_example_preds.parquet",
    "manifest.json",
    "meta_model.parquet",
    "train.parquet",
    "train_benchmark_models.parquet",
    "validation.parquet",
    "validation_benchmark_models.parquet",
    "validation_example_preds.csv",
    "validation_example_preds.parquet",
]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def example_of(folder: Path) -> ExampleModel:
    return ExampleModel.from_bytes((folder / "example_model.json").read_bytes())


def text_of(path: Path) -> str:
    """Everything a reader of the file can see: its raw bytes, and the decompressed columns and metadata."""
    raw = path.read_bytes().decode("latin-1")
    if path.suffix != ".parquet":
        return raw
    return raw + pl.read_parquet(path).write_csv() + str(pl.read_parquet_metadata(path))


def test_a_data_set_has_the_files_of_the_contract_and_verifies(dataset_folder: Path) -> None:
    manifest = verify_manifest(dataset_folder)

    assert sorted(contents(dataset_folder)) == NAMES
    assert sorted(manifest.files) == sorted(set(NAMES) - {"manifest.json"})
    assert manifest.files["train.parquet"].rows == pl.read_parquet(dataset_folder / "train.parquet").height


def test_no_ticker_feature_date_country_or_sector_is_in_any_file(dataset_folder: Path) -> None:
    everything = "".join(text_of(path) for path in dataset_folder.iterdir())
    secrets = [*MARKET.panel.tickers, *MARKET.feature_names, "COUNTRYNAME", "SECTORNAME", "2001-", "pandas"]

    assert [secret for secret in secrets if secret in everything] == []
    assert "feature_" in everything


def test_the_search_for_secrets_would_find_one(tmp_path: Path) -> None:
    pl.DataFrame({"id": ["TICKER0007"] * 50}).write_parquet(tmp_path / "a.parquet")

    assert "TICKER0007" in text_of(tmp_path / "a.parquet")


def test_columns_and_types_are_those_of_the_contract(dataset_folder: Path) -> None:
    schema = pl.read_parquet_schema(dataset_folder / "validation.parquet")
    names = list(schema)
    features = [name for name in names if name.startswith("feature_")]

    assert names[:3] == ["id", "era", "data_type"]
    assert names[3:33] == features
    assert names[33:] == ["target", *(f"target_{name}" for name in sorted(MARKET.targets))]
    assert {schema[name] for name in features} == {pl.Int8()}
    assert {schema[name] for name in names[33:]} == {pl.Float32()}


def test_features_json_has_exactly_sets_and_targets(dataset_folder: Path) -> None:
    content = json.loads((dataset_folder / "features.json").read_text())
    sets = content["feature_sets"]

    assert set(content) == {"feature_sets", "targets"}
    assert [len(sets[name]) for name in ("small", "medium", "all")] == [12, 24, 30]
    assert set(sets["small"]) < set(sets["medium"]) < set(sets["all"])
    assert content["targets"][:2] == ["target", "target_neutral_20"]


def test_train_ends_an_embargo_before_validation(dataset_folder: Path) -> None:
    train = pl.read_parquet(dataset_folder / "train.parquet")["era"].unique().sort()
    validation = pl.read_parquet(dataset_folder / "validation.parquet")["era"].unique().sort()

    # 55 eras are published: ceil(.35 * 55) = 20 of validation are 0036..0055, and 13 before them are left out
    assert (train[0], train[-1], validation[0], validation[-1]) == ("0001", "0022", "0036", "0055")


def test_rows_whose_target_is_not_due_are_test_with_null_targets(dataset_folder: Path) -> None:
    frame = pl.read_parquet(dataset_folder / "validation.parquet")
    test = frame.filter(pl.col("data_type") == "test")

    # published at era 55, day 279: a target of 22 days is known up to day 257, which is in era 50 (day 254)
    assert test["era"].unique().sort().to_list() == ["0052", "0053", "0054", "0055"]
    assert test["target"].null_count() == test.height
    assert frame.filter(pl.col("data_type") == "validation")["target"].null_count() == 0


def test_each_target_is_null_from_the_day_its_own_window_is_open(dataset_folder: Path) -> None:
    frame = pl.read_parquet(dataset_folder / "validation.parquet")
    known = frame.filter(pl.col("target_sector_60").is_not_null())["era"].unique().sort()

    # 62 days before day 279 is day 217: era 42 is day 214
    assert (known[0], known[-1]) == ("0036", "0043")


def test_published_targets_are_those_that_the_operator_scores_with(dataset_folder: Path) -> None:
    frame = pl.read_parquet(dataset_folder / "train.parquet").filter(pl.col("era") == "0005")
    scored = target_frame(MARKET, key=KEY, era=4, values=MARKET.targets["neutral_20"][4])

    assert frame["id"].to_list() == scored["id"].to_list()
    assert frame["target"].to_list() == scored["target"].to_list() == frame["target_neutral_20"].to_list()


def test_live_is_the_era_of_publication_without_targets(dataset_folder: Path) -> None:
    live = pl.read_parquet(dataset_folder / "live.parquet")

    assert live["id"].to_list() == asset_index(MARKET, key=KEY, era=55)["id"].to_list()
    assert live["era"].unique().to_list() == ["0056"]
    assert live["data_type"].unique().to_list() == ["live"]
    assert not [name for name in live.columns if name.startswith("target")]


def test_example_predictions_are_the_example_model_s(dataset_folder: Path) -> None:
    model = example_of(dataset_folder)
    live = pl.read_parquet(dataset_folder / "live.parquet")
    bins = live.select(pl.col(model.features).fill_null(2)).to_numpy()
    predictions = pl.read_parquet(dataset_folder / "live_example_preds.parquet")

    assert predictions["id"].to_list() == live["id"].to_list()
    np.testing.assert_allclose(predictions["prediction"], model.predict(bins), rtol=1e-12)


def test_the_example_s_live_predictions_are_a_valid_submission(dataset_folder: Path) -> None:
    ids = pl.read_parquet(dataset_folder / "live.parquet")["id"].to_list()

    assert read_predictions(dataset_folder / "live_example_preds.parquet", live_ids=ids).dropped_unknown == 0


def test_ids_are_never_used_twice(dataset_folder: Path) -> None:
    names = ("train.parquet", "validation.parquet", "live.parquet")
    ids = pl.concat([pl.read_parquet(dataset_folder / name, columns=["id"]) for name in names])["id"]

    assert ids.n_unique() == len(ids)


def test_the_same_inputs_give_the_same_bytes(dataset_folder: Path, tmp_path: Path) -> None:
    published(tmp_path / "again")

    assert contents(tmp_path / "again") == contents(dataset_folder)


def test_nothing_after_publication_changes_a_byte(dataset_folder: Path, tmp_path: Path) -> None:
    published(tmp_path / "other", market=with_other_future(MARKET, era=55))

    assert contents(tmp_path / "other") == contents(dataset_folder)


def test_building_again_over_the_same_inputs_writes_nothing(tmp_path: Path) -> None:
    first = published(tmp_path / "data")
    before = (tmp_path / "data" / "train.parquet").stat()

    assert published(tmp_path / "data") == first
    assert (tmp_path / "data" / "train.parquet").stat().st_ino == before.st_ino


def test_building_over_another_data_set_is_refused_unless_asked(tmp_path: Path) -> None:
    first = published(tmp_path / "data")
    with pytest.raises(ReleaseError, match="exists"):
        build_dataset(MARKET, key=KEY, version="v2", published=55, out=tmp_path / "data")
    assert verify_manifest(tmp_path / "data") == first

    second = build_dataset(
        MARKET, key=KEY, version="v2", published=55, out=tmp_path / "data", options=BuildOptions(replace=True)
    )
    assert verify_manifest(tmp_path / "data") == second


def test_a_damaged_data_set_is_rebuilt_when_asked(dataset_folder: Path, tmp_path: Path) -> None:
    published(tmp_path / "data")
    (tmp_path / "data" / "live.parquet").write_bytes(b"")
    build_dataset(
        MARKET, key=KEY, version="v1", published=55, out=tmp_path / "data", options=BuildOptions(replace=True)
    )

    assert contents(tmp_path / "data") == contents(dataset_folder)


def test_a_failure_half_way_leaves_nothing(tmp_path: Path) -> None:
    broken = replace(MARKET, universe=MARKET.universe.copy())
    broken.universe[55] = False  # the live era fails after train and validation were written

    with pytest.raises(ReleaseError, match="era 0056 has no assets"):
        published(tmp_path / "data", market=broken)
    assert list(tmp_path.iterdir()) == []


def test_progress_is_told_from_start_to_end(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    build_dataset(
        MARKET,
        key=KEY,
        version="v1",
        published=55,
        out=tmp_path / "data",
        progress=lambda stage, share: told.append((stage, share)),
    )

    stages = [stage for stage, _ in told]

    assert list(dict.fromkeys(stages)) == ["train", "validation", "live", "done"]
    assert [share for _, share in told] == sorted(share for _, share in told)


@pytest.mark.parametrize("version", ["", "../v1", "a b", "x" * 65])
def test_a_version_that_is_no_plain_name_is_refused(tmp_path: Path, version: str) -> None:
    with pytest.raises(ReleaseError, match="letters, digits"):
        build_dataset(MARKET, key=KEY, version=version, published=55, out=tmp_path / "data")


def test_an_unknown_target_is_refused_and_the_known_ones_named(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="no target 'alpha_20'; it has neutral_20, neutral_60"):
        build_dataset(
            MARKET, key=KEY, version="v1", published=55, out=tmp_path / "data", options=BuildOptions(target="alpha_20")
        )


def live(market: Market, dataset: Path, out: Path, *, era: int = 57, meta_model: pl.DataFrame | None = None) -> None:
    build_live(market, key=KEY, era=era, round_number=3, out=out, example=example_of(dataset), meta_model=meta_model)


def test_a_live_round_has_the_rows_of_its_era(dataset_folder: Path, tmp_path: Path) -> None:
    live(MARKET, dataset_folder, tmp_path / "round")
    frame = pl.read_parquet(tmp_path / "round" / "live.parquet")
    manifest = verify_manifest(tmp_path / "round")

    assert frame["id"].to_list() == asset_index(MARKET, key=KEY, era=57)["id"].to_list()
    assert frame.columns == pl.read_parquet(dataset_folder / "live.parquet").columns
    assert sorted(manifest.files) == ["live.parquet", "live_example_preds.csv", "live_example_preds.parquet"]
    assert (manifest.version, manifest.facts["era"], manifest.facts["round"]) == ("round-3", "0058", 3)


def test_the_live_rows_of_a_data_set_and_of_its_round_are_the_same(dataset_folder: Path, tmp_path: Path) -> None:
    live(MARKET, dataset_folder, tmp_path / "round", era=55)
    of_round, of_dataset = (pl.read_parquet(each / "live.parquet") for each in (tmp_path / "round", dataset_folder))

    assert of_round.equals(of_dataset)


def test_the_files_of_a_round_have_sizes_of_their_own(dataset_folder: Path, tmp_path: Path) -> None:
    live(MARKET, dataset_folder, tmp_path / "round", era=55)
    sizes = [path.stat().st_size % 1024 for path in sorted((tmp_path / "round").glob("*.parquet"))]

    assert sizes == [3, 3]


def test_past_meta_models_are_published_sorted(dataset_folder: Path, tmp_path: Path) -> None:
    past = pl.DataFrame({"era": ["0057", "0056"], "id": ["a", "b"], "meta_model": [0.1, 0.2]})
    live(MARKET, dataset_folder, tmp_path / "round", meta_model=past)

    assert pl.read_parquet(tmp_path / "round" / "meta_model.parquet").rows() == [("0056", "b", 0.2), ("0057", "a", 0.1)]


def test_a_live_round_depends_on_its_own_era_alone(dataset_folder: Path, tmp_path: Path) -> None:
    live(MARKET, dataset_folder, tmp_path / "one")
    live(with_other_future(MARKET, era=57), dataset_folder, tmp_path / "two")

    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_live_round_is_built_once(dataset_folder: Path, tmp_path: Path) -> None:
    live(MARKET, dataset_folder, tmp_path / "round")
    live(MARKET, dataset_folder, tmp_path / "round")

    with pytest.raises(ReleaseError, match="exists"):
        live(MARKET, dataset_folder, tmp_path / "round", era=56)


def test_an_example_of_another_data_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="features of another data set, 'feature_x_y_z'"):
        build_live(
            MARKET,
            key=KEY,
            era=57,
            round_number=1,
            out=tmp_path / "r",
            example=ExampleModel(("feature_x_y_z",), (1.0,)),
        )


def test_meta_models_with_other_columns_are_refused(dataset_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="needs the columns era, id and meta_model"):
        live(MARKET, dataset_folder, tmp_path / "round", meta_model=pl.DataFrame({"id": ["a"]}))


def test_a_live_era_that_does_not_exist_is_refused(dataset_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="no era 60"):
        live(MARKET, dataset_folder, tmp_path / "round", era=60)
