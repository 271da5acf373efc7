import numpy as np
import pytest
import scipy.stats

from crowdalpha.market import windows

NAN = np.nan
VALUES = np.random.default_rng(3).normal(0.01, 0.02, (40, 6))
OTHER = np.random.default_rng(4).normal(0.0, 0.01, (40, 6))
GAPS = np.where(np.random.default_rng(5).random((40, 6)) < 0.2, NAN, VALUES)


def test_total_and_average_match_numpy_on_gaps() -> None:
    np.testing.assert_allclose(windows.total(GAPS), np.nansum(GAPS, axis=0), rtol=1e-12)
    np.testing.assert_allclose(windows.average(GAPS), np.nanmean(GAPS, axis=0), rtol=1e-12)


def test_deviation_and_extremes_match_numpy_on_gaps() -> None:
    np.testing.assert_allclose(windows.deviation(GAPS), np.nanstd(GAPS, axis=0), rtol=1e-12)
    np.testing.assert_array_equal(windows.highest(GAPS), np.nanmax(GAPS, axis=0))
    np.testing.assert_array_equal(windows.lowest(GAPS), np.nanmin(GAPS, axis=0))
    np.testing.assert_array_equal(windows.median(GAPS), np.nanmedian(GAPS, axis=0))


def test_moments_match_scipy_on_gaps() -> None:
    skewness = scipy.stats.skew(GAPS, axis=0, nan_policy="omit")
    kurtosis = scipy.stats.kurtosis(GAPS, axis=0, nan_policy="omit")

    np.testing.assert_allclose(windows.skewness(GAPS), np.asarray(skewness, dtype=float), rtol=1e-10)
    np.testing.assert_allclose(windows.kurtosis(GAPS), np.asarray(kurtosis, dtype=float), rtol=1e-10)


def test_correlation_matches_scipy() -> None:
    expected = [scipy.stats.pearsonr(VALUES[:, column], OTHER[:, column]).statistic for column in range(6)]

    np.testing.assert_allclose(windows.correlation(VALUES, OTHER), expected, rtol=1e-10)


def test_correlation_uses_days_that_have_both() -> None:
    both = ~np.isnan(GAPS[:, 0])
    expected = scipy.stats.pearsonr(GAPS[both, 0], OTHER[both, 0]).statistic

    assert windows.correlation(GAPS, OTHER)[0] == pytest.approx(expected, rel=1e-10)


def test_regression_matches_scipy_on_gaps() -> None:
    both = ~np.isnan(GAPS[:, 2])
    fit = scipy.stats.linregress(OTHER[both, 0], GAPS[both, 2])
    residual = GAPS[both, 2] - fit.intercept - fit.slope * OTHER[both, 0]
    ours = windows.regression(GAPS, OTHER[:, :1])

    assert ours.beta[2] == pytest.approx(fit.slope, rel=1e-10)
    assert ours.correlation[2] == pytest.approx(fit.rvalue, rel=1e-10)
    assert ours.residual_deviation[2] == pytest.approx(residual.std(), rel=1e-10)


@pytest.mark.parametrize(
    "statistic",
    [windows.total, windows.average, windows.deviation, windows.skewness, windows.kurtosis, windows.highest],
)
def test_less_than_half_of_the_days_is_missing(statistic: object) -> None:
    assert callable(statistic)
    values = np.array([[1.0, 1.0], [2.0, NAN], [NAN, NAN], [NAN, NAN]])

    assert np.isnan(statistic(values)[1])


def test_exactly_half_of_the_days_is_enough() -> None:
    assert windows.total(np.array([[1.0], [NAN], [NAN], [2.0]])).tolist() == [3.0]


def test_a_constant_has_no_shape_and_no_correlation() -> None:
    constant = np.full((10, 1), 0.25)

    assert np.isnan(windows.skewness(constant)[0])
    assert np.isnan(windows.kurtosis(constant)[0])
    assert np.isnan(windows.correlation(constant, VALUES[:10, :1])[0])
    assert np.isnan(windows.regression(VALUES[:10, :1], constant).beta[0])


def test_median_of_a_column_without_values_is_missing() -> None:
    np.testing.assert_array_equal(windows.median(np.array([[NAN, 1.0], [NAN, 4.0]])), [NAN, 2.5])
