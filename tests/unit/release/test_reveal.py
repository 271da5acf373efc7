from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crowdalpha.release import POLICIES, Layout, ReleaseError, ReleaseKey, asset_index, build_dataset
from crowdalpha.release.keyfile import KeyFile
from crowdalpha.release.reveal import Revealed, reveal, reveal_columns
from crowdalpha.release.steps import fill_missing, gaussian_ranks
from tests.fixtures.releases import KEY, small_market

MARKET = small_market(n_assets=60)


def keys(policy: str) -> KeyFile:
    return KeyFile(KEY).with_release(MARKET, version="v1", policy=POLICIES[policy])


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("reveal")
    for name in ("plain", "hardened"):
        build_dataset(MARKET, key=KEY, version="v1", published=55, out=root / name, policy=POLICIES[name])
    return {name: root / name for name in ("plain", "hardened")}


def undone(folders: dict[str, Path], policy: str, until: str = "0043") -> Revealed:
    return reveal(folders[policy], key_file=keys(policy), until=until)


def test_each_row_has_its_ticker_and_day(folders: dict[str, Path]) -> None:
    rows = undone(folders, "plain").rows.filter(pl.col("era") == "0004")
    index = asset_index(MARKET, key=KEY, era=3)

    assert rows["id"].to_list() == index["id"].to_list()
    assert rows["ticker"].to_list() == [MARKET.panel.tickers[asset] for asset in index["asset"]]
    assert rows["day"].unique().to_list() == ["2001-01-20"]


def test_nothing_later_than_asked_for_is_undone(folders: dict[str, Path]) -> None:
    assert undone(folders, "plain", "0038").rows["era"].max() == "0038"


@pytest.mark.parametrize("until", ["0044", "0056", "x", ""])
def test_eras_within_the_embargo_stay_closed(folders: dict[str, Path], until: str) -> None:
    # live is 0056, and 0056 - 13 = 0043 is the last
    with pytest.raises(ReleaseError, match="0043 is the last"):
        undone(folders, "plain", until)


def test_a_plain_column_is_one_feature(folders: dict[str, Path]) -> None:
    columns = undone(folders, "plain").columns
    hidden = KEY.feature_names(MARKET.feature_names)

    assert dict(columns.select("feature", "name").rows()) == hidden
    assert columns["weight"].unique().to_list() == [1.0]


def test_a_rotated_column_can_be_made_again_from_the_weights(folders: dict[str, Path]) -> None:
    columns = undone(folders, "hardened").columns
    rows = undone(folders, "hardened").rows.filter(pl.col("era") == "0004")
    place = {ticker: asset for asset, ticker in enumerate(MARKET.panel.tickers)}
    raw = MARKET.feature_block(3, 4)[0][[place[ticker] for ticker in rows["ticker"]]]
    scores = fill_missing(gaussian_ranks(raw, np.random.default_rng(0)))
    name = columns["name"][0]
    part = columns.filter(pl.col("name") == name)
    made = scores[:, [MARKET.feature_names.index(real) for real in part["feature"]]] @ part["weight"].to_numpy()
    published = pl.read_parquet(folders["hardened"] / "train.parquet").filter(pl.col("era") == "0004")[name]

    assert np.corrcoef(pd_rank(made), published.to_numpy())[0, 1] > 0.97
    assert (part["weight"] ** 2).sum() == pytest.approx(1.0)


def pd_rank(values: np.ndarray) -> np.ndarray:
    return np.argsort(np.argsort(values)).astype(float)


def test_another_key_is_refused(folders: dict[str, Path]) -> None:
    stranger = replace(keys("plain"), key=ReleaseKey(b"x" * 32))

    with pytest.raises(ReleaseError, match="is it the right key"):
        reveal(folders["plain"], key_file=stranger, until="0040")


def test_a_key_file_that_does_not_know_the_version_is_refused(folders: dict[str, Path]) -> None:
    with pytest.raises(ReleaseError, match="knows no release v1; it knows none"):
        reveal(folders["plain"], key_file=KeyFile(KEY), until="0040")


def test_columns_of_a_version_need_no_folder() -> None:
    layout = Layout.of(MARKET, KEY, policy=POLICIES["hardened"], version="v1")

    assert set(reveal_columns("v1", key_file=keys("hardened"))["name"]) == set(layout.names)
