from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest

from crowdalpha.release import ReleaseError, ReleaseKey, asset_index, bin_target, target_frame
from crowdalpha.release.frames import (
    Layout,
    era_rows,
    feature_frame,
    horizon_days,
    members,
    stream_rows,
    target_is_known,
)
from tests.fixtures.releases import KEY, small_market

MARKET = small_market()
LAYOUT = Layout.of(MARKET, KEY)


def _midranks(raw: np.ndarray) -> np.ndarray:
    """Mid-ranks from 0.5; the fixture has no ties."""
    return pd.DataFrame(raw).rank().to_numpy() - 0.5


def test_asset_index_and_rows_agree_on_the_asset_behind_each_id() -> None:
    rows = era_rows(MARKET, key=KEY, layout=LAYOUT, era=3)
    index = asset_index(MARKET, key=KEY, era=3)
    tickers = [MARKET.panel.tickers[asset] for asset in index["asset"]]

    assert index["id"].to_list() == rows.ids == KEY.row_ids(3, tickers)
    assert sorted(index["asset"]) == np.flatnonzero(MARKET.universe[3]).tolist()


def test_published_bins_are_those_of_the_whole_era() -> None:
    rows = era_rows(MARKET, key=KEY, layout=LAYOUT, era=3)
    raw = MARKET.feature_block(3, 4)[0][rows.assets][:, LAYOUT.columns[LAYOUT.order]]
    known = (~np.isnan(raw)).sum(axis=0)

    np.testing.assert_array_equal(rows.bins, np.where(np.isnan(raw), -1, (5 * _midranks(raw)) // known))


def test_a_stream_gives_what_each_era_gives_alone() -> None:
    alone = [era_rows(MARKET, key=KEY, layout=LAYOUT, era=era) for era in range(3, 22)]
    streamed = list(stream_rows(MARKET, key=KEY, layout=LAYOUT, eras=range(3, 22)))

    assert [rows.ids for rows in streamed] == [rows.ids for rows in alone]
    np.testing.assert_array_equal(
        np.concatenate([rows.bins for rows in streamed]), np.concatenate([rows.bins for rows in alone])
    )


def test_a_layout_of_fewer_rows_publishes_so_many_by_the_key() -> None:
    layout = replace(LAYOUT, rows=20)
    chosen = members(MARKET, key=KEY, era=3, layout=layout)

    assert len(set(chosen)) == 20
    assert set(chosen) <= set(np.flatnonzero(MARKET.universe[3]))
    assert set(chosen) != set(members(MARKET, key=ReleaseKey(b"x" * 16), era=3, layout=layout))


def test_an_era_with_fewer_assets_than_rows_is_refused() -> None:
    with pytest.raises(ReleaseError, match=r"era 0004 has \d\d assets and this version publishes 31 rows"):
        members(MARKET, key=KEY, era=3, layout=replace(LAYOUT, rows=31))


def test_chosen_assets_are_published_and_no_others() -> None:
    layout = replace(LAYOUT, rows=20, chosen={3: np.array([2, 5, 9])})

    assert sorted(members(MARKET, key=KEY, era=3, layout=layout)) == [2, 5, 9]


def test_rows_are_not_in_the_order_of_the_market() -> None:
    assert members(MARKET, key=KEY, era=3).tolist() != np.flatnonzero(MARKET.universe[3]).tolist()


def test_a_missing_bin_is_null_and_features_are_int8() -> None:
    frame = feature_frame(
        replace(LAYOUT, names=("a", "b")),
        ids=["x", "y"],
        eras=["0001", "0001"],
        bins=np.array([[0, -1], [-1, 4]], dtype=np.int8),
    )

    assert frame.rows() == [("x", "0001", 0, None), ("y", "0001", None, 4)]
    assert frame.dtypes[2:] == [pl.Int8, pl.Int8]


def test_a_target_frame_bins_the_members_under_their_ids() -> None:
    values = MARKET.targets["neutral_20"][3]
    frame = target_frame(MARKET, key=KEY, era=3, values=values)
    assets = asset_index(MARKET, key=KEY, era=3)["asset"].to_numpy()
    expected = np.full(len(values), np.nan)
    expected[MARKET.universe[3]] = bin_target(values[MARKET.universe[3]])

    assert frame["id"].to_list() == asset_index(MARKET, key=KEY, era=3)["id"].to_list()
    np.testing.assert_array_equal(frame["target"].to_numpy(), expected[assets])


def test_an_unknown_return_is_a_null_target() -> None:
    values = MARKET.targets["neutral_20"][3].copy()
    gone = members(MARKET, key=KEY, era=3)[0]
    values[gone] = np.nan

    assert target_frame(MARKET, key=KEY, era=3, values=values)["target"].is_null().arg_true().to_list() == [0]


def test_tied_returns_are_binned_in_the_order_of_the_market() -> None:
    frame = target_frame(MARKET, key=KEY, era=3, values=np.zeros(30))
    by_asset = frame.join(asset_index(MARKET, key=KEY, era=3), on="id").sort("asset")["target"].to_list()

    assert by_asset == sorted(by_asset)


def test_a_target_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(ReleaseError, match=r"era 0004 has shape \(29,\), not \(30,\)"):
        target_frame(MARKET, key=KEY, era=3, values=np.zeros(29))


@pytest.mark.parametrize("era", [-1, 60])
def test_an_era_that_does_not_exist_is_refused(era: int) -> None:
    with pytest.raises(ReleaseError, match="eras are 0 to 59"):
        asset_index(MARKET, key=KEY, era=era)


def test_an_era_without_assets_is_refused() -> None:
    market = small_market(n_eras=3, n_features=2)
    market.universe[1] = False

    with pytest.raises(ReleaseError, match="era 0002 has no assets"):
        members(market, key=KEY, era=1)


@pytest.mark.parametrize("name", ["neutral", "20", "_20", "neutral_2d"])
def test_a_target_name_without_days_is_refused(name: str) -> None:
    with pytest.raises(ReleaseError, match="<family>_<days>"):
        horizon_days(name)


@pytest.mark.parametrize(("published", "known"), [(7, False), (8, True)])
def test_a_target_is_known_once_its_window_has_ended(published: int, known: bool) -> None:  # noqa: FBT001  # a case
    # era 3 is day 19; 2 + 20 days later is day 41; eras 7 and 8 are days 39 and 44
    assert target_is_known(MARKET, era=3, horizon=20, published=published) is known
