import numpy as np
import pytest

from crowdalpha.client.estimators import smallest_proportion
from crowdalpha.scoring import (
    ConstantError,
    FloatArray,
    NonFiniteError,
    RangeError,
    ShapeError,
    max_feature_exposure,
    neutralize,
)

SIDES = np.array([[1.0], [1.0], [-1.0], [-1.0]])
# residual to the sides (1, -1, 1, -1) / 2, explained (1, 1, -1, -1) / 2: the exposure at d = 1 - c is d / sqrt(1 + d^2)
PREDICTION = np.array([1.0, 0.0, 0.0, -1.0])


@pytest.mark.parametrize(("limit", "share_left"), [(0.6, 0.75), (0.28, 0.7 / 2.4), (1 / np.sqrt(2), 1.0), (0.9, 1.0)])
def test_the_answer_is_the_one_by_hand(limit: float, share_left: float) -> None:
    assert smallest_proportion(PREDICTION, SIDES, limit=limit) == pytest.approx(1.0 - share_left, abs=1e-8)


def test_no_exposure_at_all_takes_the_whole_proportion() -> None:
    assert smallest_proportion(PREDICTION, SIDES, limit=0.0) == pytest.approx(1.0, abs=1e-8)


def test_level_and_unit_of_prediction_and_features_do_not_matter() -> None:
    moved = smallest_proportion(5.0 - 3.0 * PREDICTION, 7.0 * SIDES + 2.0, limit=0.6)

    assert moved == pytest.approx(0.25, abs=1e-8)


def test_constant_features_are_skipped() -> None:
    features = np.column_stack([np.ones(4), SIDES])

    assert smallest_proportion(PREDICTION, features, limit=0.6) == pytest.approx(0.25, abs=1e-8)


def test_the_first_of_several_ways_under_the_limit_is_taken() -> None:
    """Taking away one feature brings the exposure to its opposite from below to above zero."""
    rng = np.random.default_rng(2)
    neutralizer = rng.normal(size=(60, 1))
    hedge = -0.7 * neutralizer + rng.normal(size=(60, 1))
    prediction = neutralizer[:, 0] + 0.3 * hedge[:, 0] + 0.1 * rng.normal(size=60)

    found = smallest_proportion(prediction, hedge, limit=0.15, neutralizers=neutralizer)

    grid = np.linspace(0.0, 1.0, 20_001)
    under = [_exposure(prediction, hedge, neutralizer, c) <= 0.15 for c in grid]
    assert found == pytest.approx(grid[np.argmax(under)], abs=1e-4)
    assert not under[-1]


def _exposure(prediction: FloatArray, features: FloatArray, neutralizers: FloatArray, proportion: float) -> float:
    design = np.column_stack([neutralizers, np.ones(len(prediction))])
    left = prediction - proportion * design @ np.linalg.lstsq(design, prediction)[0]
    return float(np.abs(np.corrcoef(left, features.T)[0, 1:]).max())


def test_a_limit_that_other_neutralizers_do_not_reach_is_refused() -> None:
    other = np.array([[1.0], [-1.0], [1.0], [-1.0]])

    with pytest.raises(RangeError, match=r"limit is 0\.5, .* leaves an exposure of 1 to feature 0; neutralize to that"):
        smallest_proportion(PREDICTION, SIDES, limit=0.5, neutralizers=other)


def test_a_prediction_that_the_features_explain_whole_is_refused() -> None:
    with pytest.raises(RangeError, match=r"largest exposure is 1, the limit 0\.5, .* explain the prediction whole"):
        smallest_proportion(3.0 * SIDES[:, 0] + 1.0, SIDES, limit=0.5)


def test_a_prediction_that_is_explained_whole_and_under_the_limit_needs_nothing() -> None:
    other = np.array([[1.0], [-1.0], [1.0], [-1.0]])

    assert smallest_proportion(SIDES[:, 0], other, limit=0.1, neutralizers=SIDES) == 0.0


@pytest.mark.parametrize("option", ["limit", "tolerance"])
def test_an_option_outside_its_range_is_refused(option: str) -> None:
    with pytest.raises(RangeError, match=f"{option} is 1.5"):
        smallest_proportion(PREDICTION, SIDES, **{"limit": 0.5, option: 1.5})


def test_what_has_no_exposure_is_refused() -> None:
    with pytest.raises(ConstantError, match="prediction is constant"):
        smallest_proportion(np.ones(4), SIDES, limit=0.5)
    with pytest.raises(ConstantError, match="every feature is constant"):
        smallest_proportion(PREDICTION, np.ones((4, 2)), limit=0.5)


def test_bad_arrays_are_refused_by_name() -> None:
    with pytest.raises(ShapeError, match="rows"):
        smallest_proportion(PREDICTION[:3], SIDES, limit=0.5)
    with pytest.raises(ShapeError, match="prediction has shape"):
        smallest_proportion(PREDICTION[:, None], SIDES, limit=0.5)
    with pytest.raises(NonFiniteError, match="features"):
        smallest_proportion(PREDICTION, np.full((4, 1), np.nan), limit=0.5)


def test_the_scorer_agrees_that_the_limit_is_kept() -> None:
    rng = np.random.default_rng(3)
    features = rng.integers(0, 5, size=(300, 40)).astype(np.int8)
    prediction = features[:, :3].sum(axis=1) + rng.normal(size=300)

    found = smallest_proportion(prediction, features, limit=0.1)

    left = neutralize(prediction[:, None], features, proportion=found)
    assert max_feature_exposure(features, left) == pytest.approx(0.1, abs=1e-8)
