from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.prices import PricePanel

ValueOf = Callable[[str], FloatArray]


@pytest.mark.parametrize("days", [20, 60, 252])
def test_volatility_is_the_deviation_of_log_returns(value_of: ValueOf, change: pd.DataFrame, days: int) -> None:
    np.testing.assert_allclose(value_of(f"volatility_{days}"), change.iloc[-days:].std(ddof=0), rtol=1e-10)


def test_change_of_volatility_is_a_ratio(value_of: ValueOf, change: pd.DataFrame) -> None:
    expected = change.iloc[-20:].std(ddof=0) / change.iloc[-120:].std(ddof=0)
    np.testing.assert_allclose(value_of("volatility_20_to_120"), expected, rtol=1e-10)


def test_downside_counts_falls_only(value_of: ValueOf, change: pd.DataFrame) -> None:
    expected = np.sqrt((change.iloc[-60:].clip(upper=0) ** 2).mean())
    np.testing.assert_allclose(value_of("downside_60"), expected, rtol=1e-10)


def test_range_is_the_mean_log_of_high_over_low(value_of: ValueOf, panel: PricePanel) -> None:
    np.testing.assert_allclose(value_of("range_20"), np.log(panel.high / panel.low)[-20:].mean(axis=0))


def test_variability_is_the_relative_spread_of_move_sizes(value_of: ValueOf, change: pd.DataFrame) -> None:
    size = change.iloc[-60:].abs()
    np.testing.assert_allclose(value_of("variability_60"), size.std(ddof=0) / size.mean(), rtol=1e-10)
