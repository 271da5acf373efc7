import numpy as np
import pytest

from crowdalpha import scoring

RNG = np.random.default_rng(5)
PREDICTIONS = RNG.normal(size=(120, 3))
FEATURES = RNG.integers(0, 5, size=(120, 6)).astype(float)
TARGET = RNG.choice([0.0, 0.25, 0.5, 0.75, 1.0], size=120)


def residuals_of_lstsq(values: scoring.FloatArray, features: scoring.FloatArray) -> scoring.FloatArray:
    design = np.column_stack([features, np.ones(len(features))])
    fitted: scoring.FloatArray = design @ np.linalg.lstsq(design, values, rcond=1e-6)[0]
    return values - fitted


@pytest.mark.parametrize("noise", [0.0, 1e-8, 1e-4, 1e-2])
def test_nearly_equal_features_count_as_least_squares_counts_them(noise: float) -> None:
    features = np.column_stack([FEATURES, FEATURES[:, 0] + noise * RNG.normal(size=120)])
    expected = residuals_of_lstsq(PREDICTIONS, features)

    np.testing.assert_allclose(scoring.neutralize(PREDICTIONS, features), expected, atol=1e-9)


def test_features_of_very_different_size_count_as_least_squares_counts_them() -> None:
    features = FEATURES * np.array([1e5, 1.0, 1e-1, 1.0, 1e3, 1.0])

    np.testing.assert_allclose(
        scoring.neutralize(PREDICTIONS, features), residuals_of_lstsq(PREDICTIONS, features), atol=1e-9
    )


def test_more_features_than_assets_leave_nothing() -> None:
    features = RNG.normal(size=(20, 30))

    assert np.abs(scoring.neutralize(PREDICTIONS[:20], features)).max() < 1e-9
    assert np.isnan(scoring.neutral_signals(PREDICTIONS[:20], features)).all()


def test_no_features_leave_the_centred_signal() -> None:
    residuals = scoring.neutralize(PREDICTIONS, np.empty((120, 0)))

    np.testing.assert_allclose(residuals, PREDICTIONS - PREDICTIONS.mean(axis=0), atol=1e-12)


def test_constant_prediction_becomes_nan_whatever_its_value() -> None:
    values = np.column_stack([np.full(120, 0.37), PREDICTIONS[:, 0]])

    residuals = scoring.neutralize(values, FEATURES)

    assert np.isnan(residuals).all(axis=0).tolist() == [True, False]


def test_proportion_outside_its_range_is_refused() -> None:
    with pytest.raises(scoring.RangeError, match=r"proportion is 1\.5"):
        scoring.neutralize(PREDICTIONS, FEATURES, proportion=1.5)


def test_missing_feature_is_refused_by_row_and_column() -> None:
    features = FEATURES.copy()
    features[7, 2] = np.nan

    with pytest.raises(scoring.NonFiniteError, match=r"features has .* row 7, column 2"):
        scoring.fnc(PREDICTIONS, features, TARGET)


def test_fnc_is_the_corr_of_neutral_signals() -> None:
    residuals = residuals_of_lstsq(scoring.gaussianize(PREDICTIONS), FEATURES)

    np.testing.assert_allclose(scoring.fnc(PREDICTIONS, FEATURES, TARGET), scoring.corr(residuals, TARGET), rtol=1e-12)


def test_assets_without_a_target_are_neutralized_with_the_rest_then_left_out() -> None:
    residuals = residuals_of_lstsq(scoring.gaussianize(PREDICTIONS), FEATURES)
    target = np.where(np.arange(120) < 20, np.nan, TARGET)

    expected = scoring.corr(residuals[20:], TARGET[20:])

    np.testing.assert_allclose(scoring.fnc(PREDICTIONS, FEATURES, target), expected, rtol=1e-12)


def test_too_few_targets_are_refused() -> None:
    with pytest.raises(scoring.OverlapError, match="target keeps 95 of 120 ids; at least 80%"):
        scoring.fnc(PREDICTIONS, FEATURES, np.where(np.arange(120) < 25, np.nan, TARGET))


def test_prediction_that_the_features_explain_whole_has_no_fnc() -> None:
    groups = np.repeat([0.0, 1.0], 60)[:, None]

    assert np.isnan(scoring.fnc(groups, groups, TARGET)).all()


def test_equal_assets_keep_equal_residuals_at_any_size() -> None:
    rows = RNG.integers(0, 5, size=(57, 12)).astype(float)
    features, signal = np.tile(rows, (19, 1)), np.tile(RNG.normal(size=(57, 7)), (19, 1))

    residuals = scoring.neutral_signals(signal, features).reshape(19, 57, 7)

    assert (residuals == residuals[0]).all()


def test_orthogonalizing_to_nothing_is_not_defined() -> None:
    assert np.isnan(scoring.orthogonalize(PREDICTIONS, np.zeros(120))).all()


def test_neutral_scores_of_constants_are_not_defined() -> None:
    values, constant = np.column_stack([np.full(120, 0.37), PREDICTIONS[:, 0]]), np.full(120, 0.37)

    assert np.isnan(scoring.neutral_correlation(values, FEATURES, TARGET)).tolist() == [True, False]
    assert np.isnan(scoring.neutral_contribution(values, PREDICTIONS[:, 1], FEATURES, TARGET)).tolist() == [True, False]
    assert np.isnan(scoring.neutral_contribution(values, constant, FEATURES, TARGET)).all()
