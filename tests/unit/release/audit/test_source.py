import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crowdalpha.release import ManifestError, ReleaseError
from crowdalpha.release.audit.source import Stage, public_data, read_published
from crowdalpha.release.keyfile import Catalogue
from tests.fixtures.releases import small_market

MARKET = small_market()
CATALOGUE = Catalogue.of(MARKET)


def write(folder: Path, frame: pl.DataFrame, name: str = "train.parquet") -> Path:
    (folder / "features.json").write_text(json.dumps({"feature_sets": {"all": ["feature_a", "feature_b"]}}))
    frame.write_parquet(folder / name)
    return folder


def rows(era: str, **columns: object) -> pl.DataFrame:
    bins = pl.Series([0, None], dtype=pl.Int8)
    return pl.DataFrame(
        {"id": [f"{era}x", f"{era}y"], "era": [era, era], "feature_a": bins, "feature_b": bins} | columns
    )


def test_eras_of_all_splits_in_order(tmp_path: Path) -> None:
    write(tmp_path, rows("0003", target=[0.25, None]))
    write(tmp_path, rows("0007"), "live.parquet")
    published, names = read_published(tmp_path)

    assert names == ("feature_a", "feature_b")
    assert published.eras == ("0003", "0007")
    assert published.ids == (("0003x", "0003y"), ("0007x", "0007y"))
    assert published.features[0].tolist() == [[0, 0], [-1, -1]]
    assert published.targets[0].tolist() == pytest.approx([0.25, np.nan], nan_ok=True)
    assert np.isnan(published.targets[1]).all()


def test_a_column_left_in_floats_stays_one(tmp_path: Path) -> None:
    published, _ = read_published(write(tmp_path, rows("0001", feature_b=[0.5, 1.5])))

    assert published.features[0].dtype == np.float32
    assert published.features[0][:, 1].tolist() == [0.5, 1.5]


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"features\.json"):
        read_published(tmp_path)
    write(tmp_path, rows("0001").drop("feature_b"))
    with pytest.raises(ManifestError, match=r"train\.parquet: has no column 'feature_b'"):
        read_published(tmp_path)
    (tmp_path / "train.parquet").unlink()
    with pytest.raises(ManifestError, match=r"train\.parquet: missing in"):
        read_published(tmp_path)


def test_a_release_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="has no rows"):
        read_published(write(tmp_path, rows("0001").clear()))


def test_the_stage_matches_names_and_days() -> None:
    shifted = Catalogue(("AAA", *CATALOGUE.tickers[1:]), CATALOGUE.days[2:], CATALOGUE.features)
    stage = Stage.of(shifted, MARKET)

    assert stage.assets == ("AAA", *CATALOGUE.tickers[1:], CATALOGUE.tickers[0])
    assert stage.eras.tolist() == list(range(2, 60))


def test_without_prices_the_release_counts_alone() -> None:
    stage = Stage.of(CATALOGUE, None)

    assert stage.assets == CATALOGUE.tickers
    assert stage.eras.tolist() == list(range(60))


def test_public_data_are_features_of_members_in_the_order_of_the_stage() -> None:
    shifted = Catalogue(CATALOGUE.tickers[::-1], CATALOGUE.days, CATALOGUE.features)
    public = public_data(MARKET, stage=Stage.of(shifted, MARKET), target="neutral_20", signals=["realfeature_07"])
    expected = np.where(MARKET.universe, MARKET.feature_block(0, 60)[:, :, 7], np.nan)

    assert public.names == ("realfeature_07",)
    assert public.signals[:, ::-1, 0] == pytest.approx(expected, nan_ok=True)
    assert public.returns[:, ::-1] == pytest.approx(MARKET.targets["neutral_20"], nan_ok=True)


def test_signals_are_taken_from_all_groups_in_turn() -> None:
    public = public_data(MARKET, stage=Stage.of(CATALOGUE, MARKET), target="neutral_20")

    assert public.names[:4] == ("realfeature_00", "realfeature_10", "realfeature_01", "realfeature_11")


def test_unknown_targets_and_features_are_named() -> None:
    stage = Stage.of(CATALOGUE, MARKET)

    with pytest.raises(ReleaseError, match="no target 'alpha'"):
        public_data(MARKET, stage=stage, target="alpha")
    with pytest.raises(ReleaseError, match="no feature 'beta'"):
        public_data(MARKET, stage=stage, target="neutral_20", signals=["beta"])
