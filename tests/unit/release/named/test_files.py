import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crowdalpha.release import verify_manifest
from crowdalpha.release.errors import ReleaseError
from crowdalpha.release.example import ExampleModel
from crowdalpha.release.named import AssetNames, NamedData, build_named, build_named_live, read_named_predictions
from crowdalpha.release.named.universe import read_universe
from crowdalpha.scoring import neutralized_weights
from tests.fixtures.releases import small_market, with_other_future

FEATURES = tuple(f"realfeature_{place:02d}" for place in range(6))
MARKET = small_market()
ERA = 55


def data(key: str = "numerai_ticker") -> NamedData:
    return NamedData(market=MARKET, names=AssetNames(key=key), features=FEATURES)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("named") / "history"
    build_named(data(), version="v1", published=ERA, out=folder)
    return folder


@pytest.fixture(scope="module")
def live(history: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("named") / "live"
    example = ExampleModel.from_bytes((history / "example_model.json").read_bytes())
    build_named_live(data(), era=ERA, round_number=1, out=folder, example=example)
    return folder


def test_the_history_has_names_days_features_and_targets(history: Path) -> None:
    train = pl.read_parquet(history / "train.parquet")

    assert train.columns[:5] == ["numerai_ticker", "ticker", "date", "data_type", "feature_realfeature_00"]
    assert train["numerai_ticker"][0] == "TICKER0000 COUNTRYNAME"
    assert train["date"][0] == "2001-01-05"
    assert set(train["feature_country"]) == {"COUNTRYNAME"}
    assert set(train["target"]) == {0.0, 0.25, 0.5, 0.75, 1.0}
    assert train["target"].equals(train["target_neutral_20"], check_names=False)


def test_features_are_ranks_of_the_day(history: Path) -> None:
    first = pl.read_parquet(history / "train.parquet").filter(pl.col("date") == "2001-01-05")
    raw = MARKET.feature_block(0, 1)[0, :, 0]
    raw = raw[~np.isnan(raw)]
    expected = (np.argsort(np.argsort(raw)) + 0.5) / len(raw)

    np.testing.assert_allclose(np.sort(first["feature_realfeature_00"].drop_nulls()), np.sort(expected), rtol=1e-6)


def test_a_target_is_there_only_if_its_window_had_ended(history: Path) -> None:
    validation = pl.read_parquet(history / "validation.parquet")
    last = MARKET.era_dates[[era for era in range(ERA) if MARKET.era_rows[era] + 22 <= MARKET.era_rows[ERA]][-1]]

    assert validation.filter(pl.col("data_type") == "validation")["date"].max() == str(last)
    assert validation.filter(pl.col("data_type") == "test")["target"].null_count() > 0
    assert validation.filter(pl.col("data_type") == "validation")["target"].null_count() == 0


def test_every_day_of_validation_has_neutralizers_and_weights(history: Path) -> None:
    neutralizers = pl.read_parquet(history / "validation_neutralizer.parquet")
    weights = pl.read_parquet(history / "validation_sample_weights.parquet")
    day = neutralizers["date"][0]
    factors = neutralizers.filter(pl.col("date") == day).select(pl.col("^neutralizer_.*$")).to_numpy()
    held = weights.filter(pl.col("date") == day)["sample_weights"].to_numpy()

    assert neutralizers.select("numerai_ticker", "date").equals(weights.select("numerai_ticker", "date"))
    np.testing.assert_allclose(factors.T @ (held[:, None] * factors), np.eye(1), atol=1e-12)
    assert abs(neutralized_weights(np.arange(len(held))[:, None], factors, held).sum()) < 1e-9


def test_the_documents_name_the_columns(history: Path) -> None:
    sets = json.loads((history / "features.json").read_bytes())

    assert sets["feature_sets"]["all"] == [f"feature_{name}" for name in FEATURES]
    assert sets["targets"] == [
        "target",
        *(f"target_{family}_{days}" for family in ("neutral", "sector") for days in (20, 60)),
    ]
    assert verify_manifest(history).policy == "named"


def test_the_example_of_a_round_is_a_valid_submission_to_it(live: Path) -> None:
    universe = read_universe(live / "universe.parquet")
    both = [
        read_named_predictions(live / f"live_example_preds.{kind}", universe=universe, min_assets=20).values
        for kind in ("parquet", "csv")
    ]

    assert pl.read_parquet(live / "live.parquet")["numerai_ticker"].to_list() == list(universe.live_ids)
    np.testing.assert_array_equal(both[0], both[1])
    assert not np.isnan(both[0]).any()


def test_the_example_learned_what_moves_the_target(history: Path) -> None:
    example = ExampleModel.from_bytes((history / "example_model.json").read_bytes())
    weights = dict(zip(example.features, example.coefficients, strict=True))

    assert weights["feature_realfeature_00"] > 0 > weights["feature_realfeature_01"]


def test_a_round_reads_nothing_of_what_came_after(history: Path, live: Path, tmp_path: Path) -> None:
    other = NamedData(market=with_other_future(MARKET, era=ERA), features=FEATURES)
    example = ExampleModel.from_bytes((history / "example_model.json").read_bytes())
    build_named_live(other, era=ERA, round_number=1, out=tmp_path / "live", example=example)

    assert (tmp_path / "live" / "manifest.json").read_bytes() == (live / "manifest.json").read_bytes()


def test_a_target_may_have_another_name_too(tmp_path: Path) -> None:
    named = NamedData(MARKET, features=FEATURES, aliases={"target_chili_60": "neutral_60"})
    build_named(named, version="v1", published=ERA, out=tmp_path / "history")
    train = pl.read_parquet(tmp_path / "history" / "train.parquet")

    assert train["target_chili_60"].equals(train["target_neutral_60"], check_names=False)
    assert json.loads((tmp_path / "history" / "features.json").read_bytes())["targets"][-1] == "target_chili_60"


def test_coins_have_their_symbol_first_and_the_files_of_older_clients(tmp_path: Path) -> None:
    build_named(data("symbol"), version="c1", published=ERA, out=tmp_path / "history")
    example = ExampleModel.from_bytes((tmp_path / "history" / "example_model.json").read_bytes())
    build_named_live(data("symbol"), era=ERA, round_number=1, out=tmp_path / "live", example=example)
    train = pl.read_parquet(tmp_path / "history" / "train.parquet")

    assert train.columns[:3] == ["symbol", "date", "data_type"]
    assert "feature_country" not in train.columns
    assert pl.read_parquet(tmp_path / "history" / "train_targets.parquet").columns == ["symbol", "date", "target"]
    assert pl.read_parquet(tmp_path / "live" / "live_universe.parquet").columns == ["symbol"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"target": "none_20"}, "no target 'none_20'"),
        ({"features": ("none",)}, "no feature 'none'"),
        ({"features": FEATURES, "aliases": {"target_x": "none_20"}}, "no target 'none_20'"),
        ({"features": FEATURES, "aliases": {"target_neutral_60": "sector_60"}}, "is a column already"),
        ({}, "set small"),
    ],
)
def test_data_that_the_market_does_not_have_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ReleaseError, match=message):
        NamedData(market=MARKET, **fields)  # type: ignore[arg-type] # fields of several types in one mapping


def test_an_example_of_other_features_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="knows 1 features"):
        build_named_live(data(), era=ERA, round_number=1, out=tmp_path, example=ExampleModel(("feature_x",), (1.0,)))


def test_eras_that_are_not_there_are_refused(tmp_path: Path) -> None:
    example = ExampleModel(data().columns, (0.0,) * len(FEATURES))

    with pytest.raises(ReleaseError, match="has no era"):
        build_named_live(data(), era=99, round_number=1, out=tmp_path / "live", example=example)
