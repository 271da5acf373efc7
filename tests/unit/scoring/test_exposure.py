import numpy as np
import pytest
from scipy import stats

from crowdalpha import scoring

RNG = np.random.default_rng(6)
FEATURES = RNG.integers(0, 5, size=(50, 4)).astype(float)
PREDICTIONS = RNG.normal(size=(50, 3))


def test_exposures_agree_with_scipy() -> None:
    pearson = [[stats.pearsonr(f, p).statistic for p in PREDICTIONS.T] for f in FEATURES.T]
    spearman = [[stats.spearmanr(f, p).statistic for p in PREDICTIONS.T] for f in FEATURES.T]

    np.testing.assert_allclose(scoring.feature_exposures(FEATURES, PREDICTIONS), pearson, rtol=1e-11)
    ranked = scoring.feature_exposures(FEATURES, PREDICTIONS, method="spearman")
    np.testing.assert_allclose(ranked, spearman, rtol=1e-11)


def test_constant_features_are_skipped_and_constant_models_get_nan() -> None:
    features = np.column_stack([np.full(50, 0.37), FEATURES])
    models = np.column_stack([PREDICTIONS, np.full(50, 0.37)])

    columns, sizes = scoring.largest_exposure(features, models)

    np.testing.assert_allclose(sizes[:3], scoring.max_feature_exposure(FEATURES, PREDICTIONS), rtol=1e-12)
    assert np.isnan(sizes[3])
    assert columns[3] == -1
    assert (columns[:3] >= 1).all()


def test_the_first_of_equal_exposures_is_named() -> None:
    features = np.column_stack([FEATURES[:, 0], 4.0 - FEATURES[:, 0], FEATURES[:, 0]])

    assert scoring.largest_exposure(features, PREDICTIONS)[0].tolist() == [0, 0, 0]


def test_only_constant_features_are_refused() -> None:
    with pytest.raises(scoring.ConstantError, match="every feature is constant"):
        scoring.max_feature_exposure(np.ones((50, 2)), PREDICTIONS)


def test_mean_square_is_variance_and_squared_mean() -> None:
    exposures = scoring.feature_exposures(FEATURES, PREDICTIONS)

    expected = scoring.exposure_spread(exposures) ** 2 + exposures.mean(axis=0) ** 2

    np.testing.assert_allclose(scoring.exposure_rms(exposures) ** 2, expected, rtol=1e-12)


def test_model_without_exposures_has_no_mean_exposure() -> None:
    assert np.isnan(scoring.mean_absolute_exposure([[np.nan, 0.5], [np.nan, -0.5]])).tolist() == [True, False]


def test_dissimilarity_from_nothing_is_zero_and_from_the_mirror_is_two() -> None:
    exposures = np.array([[0.1], [0.2]])

    assert scoring.exposure_dissimilarity(exposures, [0.0, 0.0]).tolist() == [0.0]
    assert scoring.exposure_dissimilarity(exposures, [-0.1, -0.2]) == pytest.approx([2.0])
    assert scoring.exposure_dissimilarity([[0.1], [np.nan]], [0.1, np.nan]) == pytest.approx([0.0])


def test_infinite_prediction_has_no_exposure() -> None:
    with pytest.raises(scoring.NonFiniteError, match="row 0, column 0"):
        scoring.feature_exposures([[1.0], [2.0]], [[np.inf], [1.0]])
