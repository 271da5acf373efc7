import numpy as np
import pytest

from crowdalpha import scoring

RNG = np.random.default_rng(9)
PREDICTIONS = RNG.normal(size=(100, 4))
META = PREDICTIONS.mean(axis=1)
FEATURES = RNG.integers(0, 5, size=(100, 5)).astype(float)
TARGET = RNG.choice([0.0, 0.25, 0.5, 0.75, 1.0], size=100)


def test_assets_without_a_target_count_for_likeness_and_exposure_only() -> None:
    target = np.where(np.arange(100) < 15, np.nan, TARGET)

    scores = scoring.round_scores(PREDICTIONS, meta_model=META, target=target, features=FEATURES)

    np.testing.assert_allclose(scores.corr, scoring.corr(PREDICTIONS[15:], TARGET[15:]), rtol=1e-12)
    np.testing.assert_allclose(scores.mmc, scoring.mmc(PREDICTIONS[15:], META[15:], TARGET[15:]), rtol=1e-12)
    np.testing.assert_allclose(scores.fnc, scoring.fnc(PREDICTIONS, FEATURES, target), rtol=1e-12)
    np.testing.assert_allclose(scores.cwmm, scoring.cwmm(PREDICTIONS, META), rtol=1e-12)
    np.testing.assert_allclose(scores.max_exposure, scoring.max_feature_exposure(FEATURES, PREDICTIONS), rtol=1e-12)


def test_without_features_there_is_no_fnc_and_no_exposure() -> None:
    scores = scoring.round_scores(PREDICTIONS, meta_model=META, target=TARGET)

    assert np.isnan(scores.fnc).all()
    assert np.isnan(scores.max_exposure).all()
    assert np.isfinite(scores.corr).all()


def test_mean_of_a_wider_target_is_used_by_corr_and_fnc() -> None:
    scores = scoring.round_scores(PREDICTIONS, meta_model=META, target=TARGET, features=FEATURES, target_mean=0.4)

    np.testing.assert_allclose(scores.corr, scoring.corr(PREDICTIONS, TARGET, target_mean=0.4), rtol=1e-12)
    np.testing.assert_allclose(scores.fnc, scoring.fnc(PREDICTIONS, FEATURES, TARGET, target_mean=0.4), rtol=1e-12)


def test_a_round_without_models_has_empty_scores() -> None:
    scores = scoring.round_scores(np.empty((100, 0)), meta_model=META, target=TARGET, features=FEATURES)

    assert [len(score) for score in (scores.corr, scores.mmc, scores.fnc, scores.cwmm, scores.max_exposure)] == [0] * 5


def test_constant_features_spoil_no_round() -> None:
    scores = scoring.round_scores(PREDICTIONS, meta_model=META, target=TARGET, features=np.ones((100, 2)))

    np.testing.assert_allclose(scores.fnc, scores.corr, rtol=1e-9)
    assert np.isnan(scores.max_exposure).all()


def test_repeated_call_gives_the_same_bits() -> None:
    first = scoring.round_scores(PREDICTIONS, meta_model=META, target=TARGET, features=FEATURES)
    again = scoring.round_scores(PREDICTIONS, meta_model=META, target=TARGET, features=FEATURES)

    assert first.fnc.tobytes() == again.fnc.tobytes()
    assert first.corr.tobytes() == again.corr.tobytes()


def test_incomplete_predictions_and_features_are_refused() -> None:
    holed = PREDICTIONS.copy()
    holed[3, 1] = np.nan

    with pytest.raises(scoring.NonFiniteError, match=r"predictions .* row 3, column 1"):
        scoring.round_scores(holed, meta_model=META, target=TARGET)
    with pytest.raises(scoring.NonFiniteError, match="features"):
        scoring.round_scores(PREDICTIONS, meta_model=META, target=TARGET, features=np.full((100, 1), np.nan))
    with pytest.raises(scoring.ShapeError, match="features has 99"):
        scoring.round_scores(PREDICTIONS, meta_model=META, target=TARGET, features=FEATURES[1:])


def test_round_with_too_few_targets_is_refused() -> None:
    with pytest.raises(scoring.OverlapError, match="target keeps 70 of 100"):
        scoring.round_scores(
            PREDICTIONS, meta_model=META, target=np.where(np.arange(100) < 30, np.nan, TARGET), features=FEATURES
        )
