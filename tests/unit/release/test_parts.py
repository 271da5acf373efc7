from dataclasses import replace

import numpy as np
import polars as pl

from crowdalpha.release import POLICIES, asset_index
from crowdalpha.release.frames import Layout
from crowdalpha.release.parts import SplitBuilder
from tests.fixtures.releases import KEY, small_market

MARKET = small_market()
BUILDER = SplitBuilder(market=MARKET, key=KEY, layout=Layout.of(MARKET, KEY), published=55, target="neutral_20")


def frame_of(eras: range, *, builder: SplitBuilder = BUILDER, kind: str = "train") -> pl.DataFrame:
    return pl.concat([part.frame for part in builder.parts(eras, kind)])


def test_parts_have_every_member_of_their_eras_in_published_order() -> None:
    expected = [row_id for era in range(3, 6) for row_id in asset_index(MARKET, key=KEY, era=era)["id"]]
    frame = frame_of(range(3, 6))

    assert frame["id"].to_list() == expected
    assert frame["data_type"].unique().to_list() == ["train"]


def test_eras_can_be_left_out() -> None:
    parts = list(BUILDER.parts(range(3, 8), "train", without={3, 5, 99}))

    assert [part.era for part in parts] == [4, 6, 7]


def test_bins_and_targets_are_those_of_the_frame() -> None:
    part = next(BUILDER.parts(range(40, 41), "validation"))
    features = part.frame.select(pl.col(BUILDER.layout.names).fill_null(-1)).to_numpy()
    targets = part.frame.select(f"target_{name}" for name in BUILDER.targets).to_numpy()

    np.testing.assert_array_equal(part.bins, features)
    np.testing.assert_array_equal(part.targets, targets)


def test_rows_become_test_when_the_main_target_is_not_due() -> None:
    kinds = frame_of(range(50, 52), kind="validation").group_by("era").agg(pl.col("data_type").unique()).sort("era")

    assert kinds.rows() == [("0051", ["validation"]), ("0052", ["test"])]


def test_a_due_target_that_cannot_be_computed_costs_the_row_and_is_counted() -> None:
    targets = {name: values.copy() for name, values in MARKET.targets.items()}
    gone = int(np.flatnonzero(MARKET.universe[4])[0])
    targets["neutral_20"][4, gone] = np.nan
    part = next(replace(BUILDER, market=replace(MARKET, targets=targets)).parts(range(4, 5), "train"))
    index = asset_index(MARKET, key=KEY, era=4)

    assert set(index["id"]) - set(part.frame["id"]) == set(index.filter(pl.col("asset") == gone)["id"])
    assert part.without_target == 1


def test_another_target_may_be_missing_where_the_main_one_is_known() -> None:
    targets = {name: values.copy() for name, values in MARKET.targets.items()}
    targets["sector_60"][4] = np.nan
    frame = frame_of(range(4, 5), builder=replace(BUILDER, market=replace(MARKET, targets=targets)))

    assert frame["target_sector_60"].null_count() == frame.height
    assert frame["target"].null_count() == 0


def test_a_policy_may_publish_the_target_that_pays_alone() -> None:
    layout = Layout.of(MARKET, KEY, policy=replace(POLICIES["plain"], main_target_only=True))
    frame = frame_of(range(3, 5), builder=replace(BUILDER, layout=layout))

    assert [name for name in frame.columns if name.startswith("target")] == ["target", "target_neutral_20"]
    assert frame["target"].to_list() == frame_of(range(3, 5))["target"].to_list()


def test_a_policy_may_withhold_the_targets_of_rounds() -> None:
    """Era 30 was the first round; all windows of 20 days up to era 50 have ended."""
    layout = Layout.of(MARKET, KEY, policy=replace(POLICIES["plain"], withhold_rounds=True))
    withheld = replace(BUILDER, layout=layout, first_round=30)
    frame = frame_of(range(29, 32), builder=withheld, kind="validation")
    kinds = frame.group_by("era").agg(pl.col("data_type").unique(), pl.col("target").null_count() > 0).sort("era")

    assert kinds.rows() == [("0030", ["validation"], False), ("0031", ["test"], True), ("0032", ["test"], True)]
    assert frame.filter(pl.col("data_type") == "test").select(pl.col("^target.*$").is_null().all()).unique().rows() == [
        (True,) * (1 + len(MARKET.targets))
    ]
    assert withheld.is_due("neutral_20", 30)
    assert replace(BUILDER, first_round=30).is_known("neutral_20", 30)  # plain publishes them


def test_equal_rows_lose_no_row_to_a_missing_target() -> None:
    targets = {name: values.copy() for name, values in MARKET.targets.items()}
    targets["neutral_20"][4, ::3] = np.nan
    policy = replace(POLICIES["hardened"], target_epsilon=None)
    layout = Layout.of(MARKET, KEY, policy=policy, version="v1", rows=25)
    frame = frame_of(range(4, 5), builder=replace(BUILDER, market=replace(MARKET, targets=targets), layout=layout))
    gaps = asset_index(MARKET, key=KEY, era=4, layout=layout).filter(pl.col("asset") % 3 == 0)

    assert frame.height == 25
    assert set(frame.join(gaps, on="id", how="semi")["target"]) == {0.5}
