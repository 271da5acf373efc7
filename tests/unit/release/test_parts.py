from dataclasses import replace

import numpy as np
import polars as pl

from crowdalpha.release import asset_index
from crowdalpha.release.frames import Layout
from crowdalpha.release.parts import SplitBuilder
from tests.fixtures.releases import KEY, small_market

MARKET = small_market()
BUILDER = SplitBuilder(market=MARKET, key=KEY, layout=Layout.of(MARKET, KEY), published=55, target="neutral_20")


def test_a_part_has_every_member_of_its_eras_in_published_order() -> None:
    part = BUILDER.part(range(3, 6), "train")
    expected = [row_id for era in range(3, 6) for row_id in asset_index(MARKET, key=KEY, era=era)["id"]]

    assert part.frame["id"].to_list() == expected
    assert part.frame["data_type"].unique().to_list() == ["train"]
    assert part.without_target == 0


def test_bins_and_target_are_those_of_the_frame() -> None:
    part = BUILDER.part(range(50, 55), "validation")
    features = part.frame.select(pl.col(BUILDER.layout.names).fill_null(-1)).to_numpy()

    np.testing.assert_array_equal(part.bins, features)
    np.testing.assert_array_equal(part.target, part.frame["target"].to_numpy())


def test_rows_become_test_when_the_main_target_is_not_due() -> None:
    kinds = BUILDER.part([50, 51], "validation").frame.group_by("era").agg(pl.col("data_type").unique()).sort("era")

    assert kinds.rows() == [("0051", ["validation"]), ("0052", ["test"])]


def test_a_due_target_that_cannot_be_computed_costs_the_row_and_is_counted() -> None:
    targets = {name: values.copy() for name, values in MARKET.targets.items()}
    gone = int(np.flatnonzero(MARKET.universe[4])[0])
    targets["neutral_20"][4, gone] = np.nan
    part = replace(BUILDER, market=replace(MARKET, targets=targets)).part([4], "train")
    index = asset_index(MARKET, key=KEY, era=4)

    assert set(index["id"]) - set(part.frame["id"]) == set(index.filter(pl.col("asset") == gone)["id"])
    assert part.without_target == 1


def test_another_target_may_be_missing_where_the_main_one_is_known() -> None:
    targets = {name: values.copy() for name, values in MARKET.targets.items()}
    targets["sector_60"][4] = np.nan
    part = replace(BUILDER, market=replace(MARKET, targets=targets)).part([4], "train")

    assert part.frame["target_sector_60"].null_count() == part.frame.height
    assert part.frame["target"].null_count() == 0
