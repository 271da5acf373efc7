import numpy as np
import pytest
from scipy import stats

from crowdalpha import scoring

RNG = np.random.default_rng(3)
PREDICTIONS = np.round(RNG.normal(size=(60, 4)), 1)
TARGET = RNG.choice([0.0, 0.25, 0.5, 0.75, 1.0], size=60)


def test_plain_correlations_agree_with_scipy() -> None:
    pearson = [stats.pearsonr(column, TARGET).statistic for column in PREDICTIONS.T]
    spearman = [stats.spearmanr(column, TARGET).statistic for column in PREDICTIONS.T]

    np.testing.assert_allclose(scoring.pearson(PREDICTIONS, TARGET), pearson, rtol=1e-12)
    np.testing.assert_allclose(scoring.spearman(PREDICTIONS, TARGET), spearman, rtol=1e-12)


def test_corr_follows_its_definition_step_by_step() -> None:
    signal = stats.norm.ppf((stats.rankdata(PREDICTIONS[:, 0]) - 0.5) / 60)
    centred = TARGET - TARGET.mean()
    expected = stats.pearsonr(np.sign(signal) * np.abs(signal) ** 1.5, np.sign(centred) * np.abs(centred) ** 1.5)

    assert scoring.corr(PREDICTIONS, TARGET)[0] == pytest.approx(expected.statistic, rel=1e-12)


def test_ranks_compress_the_middle_of_a_bucketed_target() -> None:
    target = np.repeat([0.0, 0.25, 0.5, 0.75, 1.0], [250, 1000, 2500, 1000, 250])
    # The buckets have ranks 0.025, 0.15, 0.5, ...; their powered quantiles meet powers of 2, 1, 0 buckets.
    outer, inner = stats.norm.ppf([0.975, 0.85]) ** 1.5
    product = 0.1 * outer * 2**1.5 + 0.4 * inner
    expected = product / np.sqrt((0.1 * outer**2 + 0.4 * inner**2) * (0.1 * 2**3 + 0.4))

    assert scoring.corr(target[:, None], target)[0] == pytest.approx(expected, rel=1e-12)


def test_mean_of_a_wider_target_changes_corr() -> None:
    inside = scoring.corr(PREDICTIONS, TARGET)

    assert np.array_equal(scoring.corr(PREDICTIONS, TARGET, target_mean=float(TARGET.mean())), inside)
    assert not np.allclose(scoring.corr(PREDICTIONS, TARGET, target_mean=0.4), inside, atol=1e-6)


def test_constant_sides_have_no_correlation() -> None:
    predictions = np.column_stack([PREDICTIONS[:, 0], np.full(60, 0.37)])

    assert np.isnan(scoring.corr(predictions, TARGET)).tolist() == [False, True]
    assert np.isnan(scoring.corr(predictions, np.full(60, 0.37))).all()
    assert np.isnan(scoring.pearson(predictions, np.full(60, 0.37))).all()


def test_infinite_predictions_are_extreme_values() -> None:
    finite = np.array([[1.0], [2.0], [3.0], [4.0]])
    infinite = np.array([[-np.inf], [2.0], [3.0], [np.inf]])
    target = [0.0, 1.0, 0.5, 0.75]

    assert np.array_equal(scoring.corr(infinite, target), scoring.corr(finite, target))


def test_one_asset_has_no_correlation() -> None:
    assert np.isnan(scoring.corr([[0.3, 0.4]], [0.5])).all()


def test_heavy_tailed_returns_are_refused_unless_not_powered() -> None:
    returns = np.where(np.arange(400) % 2, 1.0, -1.0)
    returns[:2] = [10.0, -10.0]
    predictions = np.arange(400.0)[:, None]

    with pytest.raises(scoring.DistortionError, match="target"):
        scoring.corr(predictions, returns)
    assert np.isfinite(scoring.corr(predictions, returns, power_target=False)).all()


@pytest.mark.parametrize(
    ("predictions", "target", "error", "message"),
    [
        (np.zeros(3), np.zeros(3), scoring.ShapeError, r"predictions\[:, None\]"),
        (np.zeros((3, 1)), np.zeros(2), scoring.ShapeError, "predictions has 3, target has 2"),
        (np.zeros((0, 1)), np.zeros(0), scoring.ShapeError, "no rows"),
        (np.array([[0.0], [np.nan]]), np.zeros(2), scoring.NonFiniteError, "row 1, column 0"),
        (np.zeros((2, 1)), np.array([0.0, np.inf]), scoring.NonFiniteError, "target .* row 1"),
        (np.array([["a"], ["b"]]), np.zeros(2), scoring.ShapeError, "real numbers"),
    ],
)
def test_bad_input_is_refused_by_name(
    predictions: scoring.FloatArray, target: scoring.FloatArray, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        scoring.corr(predictions, target)


@pytest.mark.parametrize("size", [-1, 31])
def test_top_bottom_must_fit(size: int) -> None:
    with pytest.raises(scoring.RangeError, match="between 0 and 30"):
        scoring.corr(PREDICTIONS, TARGET, top_bottom=size)


def test_pairwise_correlations_agree_with_numpy_and_leave_constants_out() -> None:
    with_constant = np.column_stack([PREDICTIONS, np.full(60, 0.1)])
    pairs = np.asarray(np.corrcoef(PREDICTIONS.T))
    others = pairs[~np.eye(4, dtype=bool)].reshape(4, 3)

    np.testing.assert_allclose(scoring.apcwnm(with_constant)[:4], others.mean(axis=1), rtol=1e-12)
    np.testing.assert_allclose(scoring.mcwnm(with_constant)[:4], others.max(axis=1), rtol=1e-12)
    assert np.isnan([scoring.apcwnm(with_constant)[4], scoring.mcwnm(with_constant)[4]]).all()


def test_a_single_model_has_no_others() -> None:
    assert np.isnan(scoring.mcwnm(PREDICTIONS[:, :1])).all()
    assert np.isnan(scoring.apcwnm(PREDICTIONS[:, :1])).all()


def test_cwmm_does_not_power_the_meta_model() -> None:
    meta = PREDICTIONS.mean(axis=1)
    powered = scoring.power(scoring.gaussianize(PREDICTIONS[:, 0]))

    assert scoring.cwmm(PREDICTIONS, meta)[0] == pytest.approx(stats.pearsonr(powered, meta).statistic, rel=1e-12)
