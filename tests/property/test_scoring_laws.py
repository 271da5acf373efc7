"""Laws that the scores keep for any predictions."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from crowdalpha import scoring
from crowdalpha.testing.arrays import Era, eras, features, meta_models, predictions, targets

law = settings(deadline=None, max_examples=50)


@law
@given(predictions(9, 3))
def test_tie_kept_rank_is_the_average_rank_of_scipy(values: scoring.FloatArray) -> None:
    expected = (stats.rankdata(values, axis=0) - 0.5) / len(values)

    assert np.array_equal(scoring.tie_kept_rank(values), expected)


@law
@given(meta_models(12), st.permutations(range(12)))
def test_rank_moves_with_the_rows(values: scoring.FloatArray, order: list[int]) -> None:
    assert np.array_equal(scoring.tie_kept_rank(values[order]), scoring.tie_kept_rank(values)[order])


@law
@given(meta_models(12))
def test_tie_broken_ranks_are_all_different_and_ascend_within_ties(values: scoring.FloatArray) -> None:
    ranks = scoring.tie_broken_rank(values)

    assert np.array_equal(np.argsort(ranks), np.argsort(values, kind="stable"))
    assert len(np.unique(ranks)) == len(values)


@law
@given(predictions(10, 2))
def test_gaussianized_ranks_mirror_when_predictions_do(values: scoring.FloatArray) -> None:
    _assert_close(scoring.gaussianize(-values), -scoring.gaussianize(values))


@law
@given(meta_models(10))
def test_power_keeps_signs_and_is_undone_by_its_inverse(values: scoring.FloatArray) -> None:
    signals = scoring.gaussianize(values)
    powered = scoring.power(signals)

    assert np.array_equal(np.sign(powered), np.sign(signals))
    _assert_close(scoring.power(powered, 1 / 1.5), signals)


@law
@given(eras())
def test_corr_sees_ranks_only(era: Era) -> None:
    increasing = era.predictions**3 + 2.0 * era.predictions

    assert np.array_equal(scoring.corr(increasing, era.target), scoring.corr(era.predictions, era.target))


@law
@given(eras(), st.floats(0.1, 10.0), st.floats(-5.0, 5.0))
def test_corr_ignores_unit_and_level_of_the_target(era: Era, unit: float, level: float) -> None:
    moved = scoring.corr(era.predictions, unit * era.target + level)

    _assert_close(moved, scoring.corr(era.predictions, era.target))


@law
@given(eras())
def test_corr_changes_sign_with_the_predictions_and_stays_in_range(era: Era) -> None:
    scores = scoring.corr(era.predictions, era.target)

    _assert_close(scoring.corr(-era.predictions, era.target), -scores)
    assert (np.abs(scores) <= 1 + 1e-12).all()


@law
@given(eras(), st.randoms(use_true_random=False))
def test_scores_do_not_depend_on_the_order_of_the_assets(era: Era, random: Random) -> None:
    order = list(range(len(era.target)))
    random.shuffle(order)

    moved = _round(Era(era.predictions[order], era.meta_model[order], era.target[order], era.features[order]))

    scores = _round(era)
    _assert_close(moved.corr, scores.corr)
    _assert_close(moved.mmc, scores.mmc)
    _assert_close(moved.cwmm, scores.cwmm)
    _assert_close(moved.fnc, scores.fnc)
    _assert_close(moved.max_exposure, scores.max_exposure)


@law
@given(eras())
def test_round_scores_are_the_single_scores(era: Era) -> None:
    scores = _round(era)

    _assert_close(scores.corr, scoring.corr(era.predictions, era.target))
    _assert_close(scores.mmc, scoring.mmc(era.predictions, era.meta_model, era.target))
    _assert_close(scores.cwmm, scoring.cwmm(era.predictions, era.meta_model))
    _assert_close(scores.fnc, scoring.fnc(era.predictions, era.features, era.target))


@law
@given(eras())
def test_constant_model_changes_no_other_score(era: Era) -> None:
    constant = np.full((len(era.target), 1), 0.37)
    joined = Era(np.hstack([constant, era.predictions]), era.meta_model, era.target, era.features)

    alone, together = _round(era), _round(joined)

    assert np.isnan([together.corr[0], together.fnc[0], together.cwmm[0], together.max_exposure[0]]).all()
    assert together.mmc[0] == 0
    _assert_close(together.corr[1:], alone.corr)
    _assert_close(together.mmc[1:], alone.mmc)
    _assert_close(together.fnc[1:], alone.fnc)


@law
@given(eras())
def test_mmc_of_the_meta_model_and_of_its_mirror_is_zero(era: Era) -> None:
    copies = np.column_stack([era.meta_model, -era.meta_model, 2.0 * era.meta_model + 1.0])

    scores = scoring.mmc(copies, era.meta_model, era.target)

    np.testing.assert_allclose(scores[[0, 2]], 0.0, atol=1e-14)


@law
@given(eras())
def test_mmc_is_linear_in_the_target(era: Era) -> None:
    shifted = era.target + 2.0
    scores = scoring.mmc(era.predictions, era.meta_model, shifted)

    _assert_close(scoring.mmc(era.predictions, era.meta_model, 3.0 * shifted), 3.0 * scores)
    _assert_close(scoring.mmc(era.predictions, era.meta_model, era.target), 4.0 * scores)


@law
@given(eras(ties=False))
def test_orthogonal_form_is_the_closed_form_in_other_units(era: Era) -> None:
    g, h, y = scoring.gaussianize(era.predictions), scoring.gaussianize(era.meta_model), era.target

    factor = 4.0 * np.std(y) * np.std(h)

    _assert_close(scoring.mmc_orthogonal(g, h, y), factor * scoring.mmc_closed_form(g, h, y))


@law
@given(eras(ties=False))
def test_limit_form_tends_to_the_closed_form(era: Era) -> None:
    g, h, y = scoring.gaussianize(era.predictions), scoring.gaussianize(era.meta_model), era.target

    slope = scoring.mmc_limit(g, h, y, epsilon=1e-6) / 1e-6

    np.testing.assert_allclose(slope, scoring.mmc_closed_form(g, h, y), atol=1e-4)


@law
@given(eras(), st.lists(st.integers(1, 50), min_size=3, max_size=3))
def test_stake_weighted_contributions_to_the_raw_mean_sum_to_zero(era: Era, amounts: list[int]) -> None:
    g = scoring.gaussianize(era.predictions)
    stakes = np.array(amounts[: g.shape[1]], dtype=np.float64)

    contributions = scoring.mmc_orthogonal(g, g @ stakes, era.target)

    assert contributions @ stakes == pytest.approx(0.0, abs=1e-9)


@law
@given(eras())
def test_neutralized_signals_have_no_exposure_left(era: Era) -> None:
    residuals = scoring.neutralize(era.predictions, era.features)

    assert np.abs(era.features.T @ residuals).max() < 1e-8
    assert np.abs(residuals.sum(axis=0)).max() < 1e-8


@law
@given(eras(), st.floats(0.0, 1.0))
def test_proportion_mixes_signal_and_residual(era: Era, proportion: float) -> None:
    partly = scoring.neutralize(era.predictions, era.features, proportion=proportion)
    whole = scoring.neutralize(era.predictions, era.features)

    _assert_close(partly, (1 - proportion) * era.predictions + proportion * whole)


@law
@given(eras())
def test_neutralization_equals_numpy_least_squares(era: Era) -> None:
    design = np.column_stack([era.features, np.ones(len(era.target))])
    fitted = design @ np.linalg.lstsq(design, era.predictions, rcond=1e-6)[0]

    _assert_close(scoring.neutralize(era.predictions, era.features), era.predictions - fitted)


@law
@given(eras(), st.floats(0.5, 3.0))
def test_neutralization_ignores_scaled_repeated_and_constant_features(era: Era, unit: float) -> None:
    more = np.column_stack([unit * era.features, era.features + 1.0, np.ones(len(era.target))])

    same = scoring.neutralize(era.predictions, more)

    _assert_close(same, scoring.neutralize(era.predictions, era.features))


@law
@given(predictions(10, 2), meta_models(10))
def test_orthogonalized_columns_have_no_product_with_the_base(
    values: scoring.FloatArray, base: scoring.FloatArray
) -> None:
    rest = scoring.orthogonalize(values, base)

    np.testing.assert_allclose(base @ rest / (base @ base), 0.0, atol=1e-12)
    _assert_close(scoring.orthogonalize(rest, base), rest)


@law
@given(features(12, 3), predictions(12, 2), st.floats(0.5, 3.0))
def test_exposure_is_in_range_and_ignores_units(
    matrix: scoring.FloatArray, values: scoring.FloatArray, unit: float
) -> None:
    exposures = scoring.feature_exposures(matrix, values)

    assert (np.abs(exposures[~np.isnan(exposures)]) <= 1 + 1e-12).all()
    _assert_close(scoring.feature_exposures(unit * matrix - 1.0, values), exposures)


@law
@given(predictions(12, 3))
def test_nearest_model_is_at_least_as_near_as_the_average(values: scoring.FloatArray) -> None:
    assert (scoring.mcwnm(values) >= scoring.apcwnm(values) - 1e-12).all()


@law
@given(meta_models(12), meta_models(12))
def test_churn_is_symmetric_and_zero_against_itself(one: scoring.FloatArray, other: scoring.FloatArray) -> None:
    assert scoring.churn(one, other) == pytest.approx(scoring.churn(other, one))
    assert scoring.churn(one, one) == pytest.approx(0.0, abs=1e-12)
    assert scoring.churn(one, -one) == pytest.approx(2.0)


@law
@given(predictions(8, 3))
def test_turnover_keeps_the_triangle_inequality(values: scoring.FloatArray) -> None:
    a, b, c = values.T

    assert scoring.turnover(a, c) <= scoring.turnover(a, b) + scoring.turnover(b, c) + 1e-9


@law
@given(st.floats(0.0, 2.0), st.floats(0.0, 2.0))
def test_more_churn_never_keeps_more(one: float, other: float) -> None:
    low, high = sorted([one, other])

    assert 0 < scoring.neutral_churn_penalty(high) <= scoring.neutral_churn_penalty(low) <= 1


@law
@given(predictions(12, 3), targets(12), st.lists(st.integers(1, 50), min_size=3, max_size=3))
def test_stake_weighted_mpc_sums_to_zero(
    values: scoring.FloatArray, target: scoring.FloatArray, amounts: list[int]
) -> None:
    stakes = np.array(amounts, dtype=np.float64)

    scores = scoring.mpc(values, stakes, np.full((12, 1), 12**-0.5), np.ones(12), target)

    assert np.nansum(scores * stakes) == pytest.approx(0.0, abs=1e-9)


@law
@given(predictions(12, 2), targets(12))
def test_alpha_changes_sign_with_the_predictions(values: scoring.FloatArray, target: scoring.FloatArray) -> None:
    neutralizers, held = np.full((12, 1), 12**-0.5), np.ones(12)

    scores = scoring.alpha(values, neutralizers, held, target)

    _assert_close(scoring.alpha(-values, neutralizers, held, target), -scores)


@law
@given(st.lists(st.integers(0, 60), min_size=1, unique=True), st.randoms(use_true_random=False))
def test_aligned_rows_name_the_same_ids_in_ascending_order(ids: list[int], random: Random) -> None:
    shuffled = list(ids)
    random.shuffle(shuffled)

    first, second = scoring.align_pair(ids, shuffled)

    assert [ids[row] for row in first] == sorted(ids)
    assert [shuffled[row] for row in second] == sorted(ids)


@law
@given(st.lists(st.floats(-0.2, 0.2), min_size=1, max_size=40), st.floats(0.5, 3.0))
def test_drawdown_is_never_negative_and_scales_with_the_scores(scores: list[float], unit: float) -> None:
    drawdown = scoring.max_drawdown(scores)

    assert drawdown >= 0
    assert scoring.max_drawdown(unit * np.array(scores)) == pytest.approx(unit * drawdown)


@law
@given(st.lists(st.floats(-0.2, 0.2), min_size=1, max_size=40))
def test_eras_without_a_score_change_no_summary(scores: list[float]) -> None:
    assert repr(scoring.summarize([np.nan, *scores, np.nan])) == repr(scoring.summarize(scores))


def _round(era: Era) -> scoring.RoundScores:
    return scoring.round_scores(era.predictions, meta_model=era.meta_model, target=era.target, features=era.features)


def _assert_close(actual: scoring.FloatArray, expected: scoring.FloatArray | float) -> None:
    np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-9, equal_nan=True)
