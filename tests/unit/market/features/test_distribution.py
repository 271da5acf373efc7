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
