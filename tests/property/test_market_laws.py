"""Laws of the statistics, styles and residuals of a market."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from crowdalpha.market import windows
from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.factors import standardize_members
from crowdalpha.market.groups import Groups
from crowdalpha.market.returns import carried_prices, daily_returns
from crowdalpha.market.targets import factor_basis, residuals

Statistic = Callable[[FloatArray], FloatArray]

# hundredths and gaps: what moments amplify stays far above rounding
cells = st.one_of(st.integers(-300, 300).map(lambda value: value / 100), st.just(np.nan))
tables = arrays(np.float64, (12, 4), elements=cells)
full_tables = arrays(np.float64, (12, 4), elements=st.integers(-300, 300).map(lambda value: value / 100))
labels = arrays(np.int64, 4, elements=st.integers(0, 2)).map(lambda codes: codes.astype(np.str_))
STATISTICS: tuple[Statistic, ...] = (
    windows.total,
    windows.average,
    windows.deviation,
    windows.skewness,
    windows.kurtosis,
    windows.highest,
    windows.lowest,
    windows.median,
)


@pytest.mark.parametrize("statistic", STATISTICS)
@given(values=tables)
def test_assets_do_not_touch_each_other(statistic: Statistic, values: FloatArray) -> None:
    np.testing.assert_array_equal(statistic(values[:, ::-1])[::-1], statistic(values))
    np.testing.assert_array_equal(statistic(np.hstack([values, values]))[4:], statistic(values))


@pytest.mark.parametrize("statistic", [windows.total, windows.average, windows.deviation, windows.median])
@given(values=tables)
def test_levels_double_with_the_values(statistic: Statistic, values: FloatArray) -> None:
    np.testing.assert_array_equal(statistic(2 * values), 2 * statistic(values))


@pytest.mark.parametrize("statistic", [windows.skewness, windows.kurtosis])
@given(values=tables)
def test_shapes_have_no_unit(statistic: Statistic, values: FloatArray) -> None:
    np.testing.assert_allclose(statistic(4 * values), statistic(values), rtol=1e-9, atol=1e-9)


@given(values=tables)
def test_correlation_with_itself_is_one_or_undefined(values: FloatArray) -> None:
    ours = windows.correlation(values, values)

    np.testing.assert_allclose(ours[~np.isnan(ours)], 1.0, rtol=1e-12)


@given(values=full_tables)
def test_regression_splits_the_variance(values: FloatArray) -> None:
    fit = windows.regression(values, values[:, :1])
    explained = fit.correlation**2 * windows.deviation(values) ** 2
    known = ~np.isnan(fit.correlation)
    total = windows.deviation(values)[known] ** 2

    np.testing.assert_allclose((explained + fit.residual_deviation**2)[known], total, atol=1e-9)


@given(values=tables, names=labels)
def test_group_sums_add_up_to_the_row(values: FloatArray, names: np.ndarray[tuple[int], np.dtype[np.str_]]) -> None:
    filled = np.nan_to_num(values)

    np.testing.assert_allclose(Groups.of(names).sums(filled).sum(axis=1), filled.sum(axis=1), atol=1e-12)


@given(values=tables)
def test_carrying_prices_twice_changes_nothing(values: FloatArray) -> None:
    once = carried_prices(values)

    np.testing.assert_array_equal(carried_prices(once), once)


@given(values=tables)
def test_daily_returns_compound_to_the_ratio_of_last_and_first(values: FloatArray) -> None:
    close = np.exp(values)
    growth = np.nanprod(1 + daily_returns(close, max_gap_days=None), axis=0)
    traded = ~np.isnan(close)
    first = close[traded.argmax(axis=0), np.arange(4)]
    expected = np.where(traded.any(axis=0), carried_prices(close)[-1] / first, 1.0)

    np.testing.assert_allclose(growth, expected, rtol=1e-12)


@given(values=tables)
def test_styles_do_not_depend_on_unit_or_origin(values: FloatArray) -> None:
    member = np.ones(values.shape, dtype=bool)

    np.testing.assert_allclose(
        standardize_members(4 * values, member), standardize_members(values, member), rtol=1e-12, atol=1e-12
    )


@given(exposures=full_tables, returns=arrays(np.float64, 12, elements=st.integers(-50, 50).map(float)))
def test_residuals_of_residuals_are_the_same(exposures: FloatArray, returns: FloatArray) -> None:
    basis, everyone = factor_basis(exposures), np.ones(12, dtype=bool)
    once = residuals(returns, basis, everyone)

    np.testing.assert_allclose(residuals(once, basis, everyone), once, atol=1e-9)
