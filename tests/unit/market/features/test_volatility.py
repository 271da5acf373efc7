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


def test_volatility_from_four_prices(value_of: ValueOf, panel: PricePanel) -> None:
    width, body = np.log(panel.high / panel.low)[-60:], np.log(panel.close / panel.open)[-60:]
    variance = (0.5 * width**2 - (2 * np.log(2) - 1) * body**2).mean(axis=0)
    np.testing.assert_allclose(value_of("from_prices_60"), np.sqrt(variance), rtol=1e-10)


def test_nights_and_days_have_a_volatility_each(value_of: ValueOf, panel: PricePanel, change: pd.DataFrame) -> None:
    intraday = np.log(panel.close / panel.open)[-60:]
    overnight = change.to_numpy()[-60:] - intraday
    nights, days = overnight.std(axis=0), intraday.std(axis=0)

    np.testing.assert_allclose(value_of("night_volatility_60"), nights, rtol=1e-9)
    np.testing.assert_allclose(value_of("day_volatility_60"), days, rtol=1e-9)
    np.testing.assert_allclose(value_of("share_of_nights_60"), nights**2 / (nights**2 + days**2), rtol=1e-9)


def test_terms_compare_short_with_long(value_of: ValueOf, panel: PricePanel, change: pd.DataFrame) -> None:
    width = np.log(panel.high / panel.low)

    terms = change.iloc[-5:].std(ddof=0) / change.iloc[-60:].std(ddof=0)
    np.testing.assert_allclose(value_of("volatility_5_to_60"), terms, rtol=1e-9)
    np.testing.assert_allclose(value_of("range_20_to_60"), width[-20:].mean(axis=0) / width[-60:].mean(axis=0))
    expected = width[-60:].mean(axis=0) / change.iloc[-60:].std(ddof=0)
    np.testing.assert_allclose(value_of("range_to_volatility_60"), expected, rtol=1e-9)


def test_volatility_has_a_volatility_and_clusters(value_of: ValueOf, change: pd.DataFrame) -> None:
    weeks = ((change**2).rolling(5).sum() ** 0.5).iloc[-60:]
    size = change.abs()

    np.testing.assert_allclose(value_of("volatility_of_volatility_60"), weeks.std(ddof=0) / weeks.mean(), rtol=1e-9)
    expected = size.iloc[-60:].corrwith(size.shift(1).iloc[-60:])
    np.testing.assert_allclose(value_of("clustering_60"), expected, rtol=1e-9)
    weekly = change.rolling(5).sum().iloc[-60:].std(ddof=0)
    np.testing.assert_allclose(value_of("week_volatility_60"), weekly, rtol=1e-9)


def test_share_of_falls_counts_squares(value_of: ValueOf, change: pd.DataFrame) -> None:
    squares = change.iloc[-60:] ** 2
    expected = squares.where(change < 0, 0.0).sum() / squares.sum()
    np.testing.assert_allclose(value_of("share_of_falls_60"), expected, rtol=1e-10)
