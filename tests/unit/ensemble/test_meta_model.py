import numpy as np
import pytest
from scipy.stats import norm

from crowdalpha.ensemble import (
    EmptySubmissionError,
    clean_predictions,
    meta_model,
    rank_and_fill,
    stake_weighted_average,
    stake_weighted_meta_model,
)
from crowdalpha.scoring.checks import NonFiniteError, RangeError, ShapeError


def test_missing_ids_get_the_middle_rank_and_are_not_counted() -> None:
    values = np.array([[5.0], [np.nan], [1.0], [np.nan], [3.0]])

    ranks = rank_and_fill(values)[:, 0]

    np.testing.assert_allclose(ranks, [5 / 6, 0.5, 1 / 6, 0.5, 0.5])


def test_filled_ids_become_one_tie_when_ranked_again() -> None:
    values = np.array([[4.0], [np.nan], [1.0], [np.nan]])

    signal = clean_predictions(values)[:, 0]

    np.testing.assert_allclose(signal, norm.ppf([7 / 8, 1 / 2, 1 / 8, 1 / 2]), atol=1e-12)


def test_a_model_that_submitted_nothing_is_refused() -> None:
    with pytest.raises(EmptySubmissionError, match="column 1"):
        rank_and_fill(np.array([[1.0, np.nan], [2.0, np.nan]]))


def test_predictions_need_one_column_per_model() -> None:
    with pytest.raises(ShapeError, match="values"):
        clean_predictions(np.array([1.0, 2.0]))


def test_the_mean_is_weighted_by_stake() -> None:
    signals = np.array([[1.0, -1.0, 9.0], [0.0, 2.0, 9.0]])

    result = stake_weighted_meta_model(signals, np.array([3.0, 1.0, 0.0]))

    np.testing.assert_allclose(result, [0.5, 0.5])


def test_a_missing_signal_counts_as_zero_and_keeps_its_stake_in_the_divisor() -> None:
    result = stake_weighted_meta_model(np.array([[1.0, np.nan]]), np.array([1.0, 3.0]))

    np.testing.assert_allclose(result, [0.25])


def test_without_stake_the_meta_model_is_undefined() -> None:
    result = stake_weighted_meta_model(np.ones((3, 2)), np.zeros(2))

    assert np.isnan(result).all()


@pytest.mark.parametrize(
    ("stakes", "error", "message"),
    [
        ([1.0], ShapeError, "1 values for 2 models"),
        ([1.0, np.nan], NonFiniteError, "stakes has a NaN or an infinity at row 1"),
        ([1.0, -2.0], RangeError, "stakes is -2.0 at row 1"),
    ],
)
def test_unusable_stakes_are_refused(stakes: list[float], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        stake_weighted_meta_model(np.ones((3, 2)), np.array(stakes))


def test_infinite_signals_are_refused() -> None:
    with pytest.raises(NonFiniteError, match="clean_predictions"):
        stake_weighted_meta_model(np.array([[np.inf]]), np.array([1.0]))


def test_equal_rows_get_equal_bits_wherever_they_stand() -> None:
    rng = np.random.default_rng(3)
    row = rng.standard_normal(37)
    signals = rng.standard_normal((700, 37))
    signals[[0, 5, 255, 256, 699]] = row

    result = stake_weighted_meta_model(np.asfortranarray(signals), rng.random(37))

    assert len(set(result[[0, 5, 255, 256, 699]].tolist())) == 1


def test_meta_model_cleans_and_then_averages() -> None:
    values = np.array([[0.2, 30.0], [0.9, 10.0]])

    result = meta_model(values, np.array([3.0, 1.0]))

    np.testing.assert_allclose(result, [norm.ppf(0.25) / 2, norm.ppf(0.75) / 2])


def test_inputs_are_left_alone() -> None:
    values = np.array([[0.2, np.nan], [0.9, 10.0]])
    copy = values.copy()

    meta_model(values, np.array([3.0, 1.0]))

    np.testing.assert_array_equal(values, copy)


def test_the_average_score_ignores_what_unstaked_models_did() -> None:
    result = stake_weighted_average(np.array([0.01, 0.04, np.nan]), np.array([2.0, 1.0, 0.0]))

    assert result == pytest.approx(0.02)


def test_the_average_score_of_nobody_is_undefined() -> None:
    assert np.isnan(stake_weighted_average(np.array([0.01]), np.array([0.0])))


@pytest.mark.parametrize("n_models", [127, 129, 300, 1111])
def test_blocks_of_models_have_the_bits_of_the_whole(n_models: int) -> None:
    rng = np.random.default_rng(n_models)
    values, stakes = rng.standard_normal((60, n_models)), rng.exponential(size=n_models)
    stakes[::7] = 0.0

    whole = stake_weighted_meta_model(clean_predictions(values), stakes)

    np.testing.assert_array_equal(meta_model(values, stakes), whole)


def test_a_method_is_blended_with_the_stakes() -> None:
    values = np.array([[0.2, 30.0], [0.9, 10.0]])

    result = meta_model(values, np.array([3.0, 1.0]), method="stacking", weights=np.array([0.0, 1.0]), stake_share=0.4)

    # 0.4 of (3/4, 1/4) and 0.6 of (0, 1) are (0.3, 0.7).
    np.testing.assert_allclose(result, np.array([0.3, -0.3]) * norm.ppf(0.25) + np.array([0.7, -0.7]) * norm.ppf(0.75))


def test_a_cap_needs_accounts() -> None:
    with pytest.raises(RangeError, match="needs the accounts"):
        meta_model(np.eye(2), np.ones(2), largest_account=0.5)


def test_a_late_column_without_a_prediction_is_named() -> None:
    values = np.ones((3, 300))
    values[:, 291] = np.nan

    with pytest.raises(EmptySubmissionError, match="column 291"):
        meta_model(values, np.ones(300))
