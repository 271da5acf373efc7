import numpy as np
import pytest

from crowdalpha import scoring

RNG = np.random.default_rng(4)
PREDICTIONS = RNG.normal(size=(80, 3))
META = PREDICTIONS.mean(axis=1) + RNG.normal(size=80)
TARGET = RNG.choice([0.0, 0.25, 0.5, 0.75, 1.0], size=80)


def test_mmc_follows_its_definition_step_by_step() -> None:
    g, h = scoring.gaussianize(PREDICTIONS), scoring.gaussianize(META)
    rest = g - np.outer(h, h @ g / (h @ h))
    expected = (4 * TARGET - 4 * TARGET.mean()) @ rest / 80

    np.testing.assert_allclose(scoring.mmc(PREDICTIONS, META, TARGET), expected, rtol=1e-10)


def test_top_bottom_mmc_sums_each_model_over_its_own_rows() -> None:
    g, h = scoring.gaussianize(PREDICTIONS), scoring.gaussianize(META)
    rest = (g - np.outer(h, h @ g / (h @ h)))[:, 1]
    rows = np.concatenate(scoring.top_bottom_rows(rest, size=5))
    expected = (4 * TARGET - 4 * TARGET.mean())[rows] @ rest[rows] / 10

    assert scoring.mmc(PREDICTIONS, META, TARGET, top_bottom=5)[1] == pytest.approx(expected, rel=1e-10)


def test_constant_meta_model_leaves_no_score() -> None:
    assert np.isnan(scoring.mmc(PREDICTIONS, np.full(80, 0.37), TARGET)).all()


def test_constant_target_and_constant_prediction_contribute_exactly_nothing() -> None:
    assert (scoring.mmc(PREDICTIONS, META, np.full(80, 0.37)) == 0).all()
    assert scoring.mmc(np.full((80, 1), 0.37), META, TARGET)[0] == 0


def test_bmc_is_mmc_against_a_benchmark() -> None:
    assert np.array_equal(scoring.bmc(PREDICTIONS, META, TARGET), scoring.mmc(PREDICTIONS, META, TARGET))


def test_limit_at_one_is_the_gain_of_replacing_the_meta_model() -> None:
    g, h = scoring.gaussianize(PREDICTIONS), scoring.gaussianize(META)
    expected = [np.corrcoef(column, TARGET)[0, 1] - np.corrcoef(h, TARGET)[0, 1] for column in g.T]

    np.testing.assert_allclose(scoring.mmc_limit(g, h, TARGET, epsilon=1.0), expected, rtol=1e-10)


def test_epsilon_outside_its_range_is_refused() -> None:
    with pytest.raises(scoring.RangeError, match="epsilon"):
        scoring.mmc_limit(PREDICTIONS, META, TARGET, epsilon=1.5)


def test_closed_form_is_not_defined_for_a_constant_target() -> None:
    assert np.isnan(scoring.mmc_closed_form(PREDICTIONS, META, np.ones(80))).all()


def test_legacy_contribution_is_a_regression_residual() -> None:
    design = np.column_stack([META, np.ones(80)])
    ranks = scoring.tie_broken_rank(PREDICTIONS)
    residuals = ranks - design @ np.linalg.lstsq(design, ranks, rcond=None)[0]
    expected = [np.cov(column, TARGET)[0, 1] / 0.29**2 for column in residuals.T]

    np.testing.assert_allclose(scoring.legacy_contribution(PREDICTIONS, META, TARGET), expected, rtol=1e-9)


def test_legacy_contribution_needs_two_assets() -> None:
    with pytest.raises(scoring.ShapeError, match="at least two"):
        scoring.legacy_contribution([[1.0]], [1.0], [1.0])


def test_missing_meta_model_value_is_refused() -> None:
    with pytest.raises(scoring.NonFiniteError, match="meta_model has a NaN at row 0"):
        scoring.mmc(PREDICTIONS, np.where(np.arange(80) == 0, np.nan, META), TARGET)
