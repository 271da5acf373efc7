import numpy as np
import polars as pl
import pytest

from crowdalpha.errors import InputError
from crowdalpha.server.scores.align import MIDDLE_BIN, align_features, align_target

LIVE = ("a", "b", "c")


def test_targets_are_put_in_the_order_of_the_live_ids() -> None:
    found = align_target(pl.DataFrame({"id": ["c", "a"], "target": [1.0, 0.25]}), LIVE)

    np.testing.assert_array_equal(found, [0.25, np.nan, 1.0])


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ({"id": ["a"], "value": [1.0]}, "column target is missing; found id, value"),
        ({"target": [1.0]}, "column id is missing"),
        ({"id": ["a", "a"], "target": [1.0, 0.0]}, "id a is there twice"),
        ({"id": ["a", "z"], "target": [1.0, 0.0]}, "id z is not among the live ids"),
        ({"id": ["a"], "target": [float("inf")]}, "must hold finite numbers"),
        ({"id": ["a"], "target": [float("nan")]}, "at least one"),
    ],
)
def test_targets_that_do_not_fit_are_refused(targets: dict[str, list[object]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        align_target(pl.DataFrame(targets), LIVE)


def test_a_missing_feature_is_the_middle_bin() -> None:
    features = pl.DataFrame({"id": ["b", "c", "a"], "x": [1, None, 3], "y": [0, 0, 4]}, schema_overrides={"x": pl.Int8})

    np.testing.assert_array_equal(align_features(features, LIVE), [[3.0, 4.0], [1.0, 0.0], [MIDDLE_BIN, 0.0]])


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({"id": ["a", "b", "c"]}, "0 features"),
        ({"id": ["a", "b"], "x": [1, 2]}, "2 rows and 1 features; give all 3 ids"),
        ({"id": ["a", "b", "z"], "x": [1, 2, 3]}, "id z is not among"),
    ],
)
def test_features_that_do_not_fit_are_refused(features: dict[str, list[object]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        align_features(pl.DataFrame(features), LIVE)
