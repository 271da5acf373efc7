"""Laws that the search for the smallest neutralization keeps for any era."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crowdalpha.client.estimators import smallest_proportion
from crowdalpha.scoring import FloatArray, RangeError, feature_exposures, neutralize
from crowdalpha.testing.arrays import features, meta_models

N_ASSETS = 12
TOLERANCE = 1e-9
limits = st.floats(0.01, 0.99)


def exposure(prediction: FloatArray, matrix: FloatArray, neutralizers: FloatArray, proportion: float) -> float:
    left = neutralize(prediction[:, None], neutralizers, proportion=proportion)
    return float(np.nanmax(np.abs(feature_exposures(matrix, left))))


def is_defined(prediction: FloatArray, matrix: FloatArray, neutralizers: FloatArray) -> bool:
    """Whether both sides vary and the neutralizers leave something of the prediction."""
    left = neutralize(prediction[:, None], neutralizers)
    return bool(np.ptp(matrix, axis=0).any() and np.abs(left).max() > 1e-6 * np.ptp(prediction))


@given(meta_models(N_ASSETS), features(N_ASSETS, 3), limits)
def test_neutralization_to_the_same_features_always_gets_there(
    prediction: FloatArray, matrix: FloatArray, limit: float
) -> None:
    assume(is_defined(prediction, matrix, matrix))

    found = smallest_proportion(prediction, matrix, limit=limit)

    assert 0.0 <= found <= 1.0
    assert exposure(prediction, matrix, matrix, found) <= limit + TOLERANCE


@given(meta_models(N_ASSETS), features(N_ASSETS, 3), features(N_ASSETS, 2), limits)
def test_no_smaller_proportion_is_under_the_limit(
    prediction: FloatArray, matrix: FloatArray, neutralizers: FloatArray, limit: float
) -> None:
    assume(is_defined(prediction, matrix, neutralizers))
    try:
        found = smallest_proportion(prediction, matrix, limit=limit, neutralizers=neutralizers)
    except RangeError:
        found = np.inf

    grid = np.linspace(0.0, 1.0, 41)
    smaller = [exposure(prediction, matrix, neutralizers, c) for c in grid[grid < found - 1e-6]]
    assert min(smaller, default=1.0) > limit - TOLERANCE
    assert found == np.inf or exposure(prediction, matrix, neutralizers, found) <= limit + TOLERANCE


@given(meta_models(N_ASSETS), features(N_ASSETS, 3), st.tuples(limits, limits))
def test_a_lower_limit_never_takes_less(prediction: FloatArray, matrix: FloatArray, pair: tuple[float, float]) -> None:
    assume(is_defined(prediction, matrix, matrix))
    low, high = (smallest_proportion(prediction, matrix, limit=limit) for limit in sorted(pair))

    assert low >= high


@given(meta_models(N_ASSETS), features(N_ASSETS, 2), limits, st.floats(0.1, 10.0), st.floats(-5.0, 5.0))
def test_unit_and_level_of_the_prediction_do_not_matter(
    prediction: FloatArray, matrix: FloatArray, limit: float, unit: float, level: float
) -> None:
    assume(is_defined(prediction, matrix, matrix))
    moved = smallest_proportion(unit * prediction + level, matrix, limit=limit)

    assert moved == pytest.approx(smallest_proportion(prediction, matrix, limit=limit), abs=1e-6)
