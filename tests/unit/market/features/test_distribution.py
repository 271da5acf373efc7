from collections.abc import Callable

import numpy as np
import pandas as pd
import scipy.stats

from crowdalpha.market.arrays import FloatArray

ValueOf = Callable[[str], FloatArray]


def test_moments_are_those_of_scipy(value_of: ValueOf, change: pd.DataFrame) -> None:
    returns = change.to_numpy()

    np.testing.assert_allclose(value_of("skewness_60"), scipy.stats.skew(returns[-60:]), rtol=1e-9)
    np.testing.assert_allclose(value_of("skewness_252"), scipy.stats.skew(returns[-252:]), rtol=1e-9)
    np.testing.assert_allclose(value_of("kurtosis_120"), scipy.stats.kurtosis(returns[-120:]), rtol=1e-9)


def test_best_and_worst_day(value_of: ValueOf, change: pd.DataFrame) -> None:
    np.testing.assert_allclose(value_of("best_day_20"), change.iloc[-20:].max())
    np.testing.assert_allclose(value_of("worst_day_20"), change.iloc[-20:].min())


def test_up_to_down_is_the_share_of_squared_returns_that_rose(value_of: ValueOf, change: pd.DataFrame) -> None:
    squares = change.iloc[-60:] ** 2
    expected = squares.where(change > 0, 0.0).sum() / squares.sum()
    np.testing.assert_allclose(value_of("up_to_down_60"), expected, rtol=1e-10)


def test_tails_are_in_deviations(value_of: ValueOf, change: pd.DataFrame) -> None:
    window = change.iloc[-120:]
    spread, ordered = window.std(ddof=0), np.sort(window.to_numpy(), axis=0)

    np.testing.assert_allclose(value_of("lower_tail_120"), ordered[5] / spread, rtol=1e-9)  # 5 % of 119 steps
    np.testing.assert_allclose(value_of("upper_tail_120"), ordered[113] / spread, rtol=1e-9)


def test_extremes_are_in_deviations(value_of: ValueOf, change: pd.DataFrame) -> None:
    window = change.iloc[-60:]
    spread = window.std(ddof=0)

    np.testing.assert_allclose(value_of("best_in_deviations_60"), window.max() / spread, rtol=1e-9)
    np.testing.assert_allclose(value_of("best_and_worst_60"), (window.max() + window.min()) / spread, atol=1e-9)


def test_mean_is_compared_with_the_lower_median(value_of: ValueOf, change: pd.DataFrame) -> None:
    window = change.iloc[-60:]
    middle = np.sort(window.to_numpy(), axis=0)[29]
    np.testing.assert_allclose(value_of("mean_to_median_60"), (window.mean() - middle) / window.std(ddof=0), rtol=1e-8)


def test_weeks_have_a_shape_too(value_of: ValueOf, change: pd.DataFrame) -> None:
    weeks = change.rolling(5).sum()

    np.testing.assert_allclose(value_of("best_week_60"), weeks.iloc[-60:].max(), rtol=1e-10)
    np.testing.assert_allclose(value_of("worst_week_60"), weeks.iloc[-60:].min(), rtol=1e-10)
    np.testing.assert_allclose(value_of("week_skewness_120"), scipy.stats.skew(weeks.iloc[-120:]), rtol=1e-7)
