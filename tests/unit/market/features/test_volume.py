from collections.abc import Callable

import numpy as np
import pandas as pd
import scipy.stats

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.prices import PricePanel

ValueOf = Callable[[str], FloatArray]


def test_recent_against_usual_traded_value(value_of: ValueOf, value: pd.DataFrame) -> None:
    surprise = (value.iloc[-5:].mean() - value.iloc[-60:].mean()) / value.iloc[-60:].std(ddof=0)
    trend = value.iloc[-20:].mean() - value.iloc[-120:].mean()

    np.testing.assert_allclose(value_of("value_surprise_5_60"), surprise, rtol=1e-9)
    np.testing.assert_allclose(value_of("value_trend_20_120"), trend, atol=1e-12)


def test_correlation_of_value_and_return(value_of: ValueOf, value: pd.DataFrame, change: pd.DataFrame) -> None:
    expected = value.iloc[-60:].corrwith(change.iloc[-60:])
    np.testing.assert_allclose(value_of("value_with_return_60"), expected, rtol=1e-9)


def test_value_goes_with_moves_and_with_the_market(
    value_of: ValueOf, value: pd.DataFrame, change: pd.DataFrame
) -> None:
    moves = value.iloc[-60:].corrwith(change.iloc[-60:].abs())
    market = value.iloc[-60:].corrwith(value.iloc[-60:].mean(axis=1))

    np.testing.assert_allclose(value_of("value_with_move_60"), moves, rtol=1e-9)
    np.testing.assert_allclose(value_of("value_with_market_60"), market, rtol=1e-8)


def test_signed_value_is_a_share(value_of: ValueOf, panel: PricePanel, change: pd.DataFrame) -> None:
    traded = panel.dollar_volume[-60:]
    expected = (traded * np.sign(change.to_numpy()[-60:])).sum(axis=0) / traded.sum(axis=0)
    np.testing.assert_allclose(value_of("signed_value_60"), expected, atol=1e-13)


def test_money_flows_to_where_the_close_is(value_of: ValueOf, panel: PricePanel) -> None:
    place = ((panel.close - panel.low) / (panel.high - panel.low))[-20:]
    expected = np.average(place, axis=0, weights=panel.dollar_volume[-20:])
    np.testing.assert_allclose(value_of("money_flow_20"), expected, rtol=1e-10)


def test_value_weighted_return_is_against_the_plain_one(
    value_of: ValueOf, panel: PricePanel, change: pd.DataFrame
) -> None:
    returns = change.to_numpy()[-60:]
    expected = np.average(returns, axis=0, weights=panel.dollar_volume[-60:]) - returns.mean(axis=0)
    np.testing.assert_allclose(value_of("value_weighted_return_60"), expected, atol=1e-13)


def test_series_of_values(value_of: ValueOf, value: pd.DataFrame, change: pd.DataFrame) -> None:
    window, before = value.iloc[-60:], value.shift(1).iloc[-60:]

    np.testing.assert_allclose(value_of("value_persistence_60"), window.corrwith(before), rtol=1e-8)
    np.testing.assert_allclose(value_of("return_after_value_60"), change.iloc[-60:].corrwith(before), rtol=1e-8)
    np.testing.assert_allclose(value_of("value_skewness_60"), scipy.stats.skew(window), rtol=1e-6)
    np.testing.assert_allclose(value_of("value_peak_60"), window.max() - window.mean(), rtol=1e-9)
    np.testing.assert_allclose(value_of("value_below_peak_60"), window.iloc[-1] - window.max(), atol=1e-12)


def test_concentration_is_mean_square_over_squared_mean(value_of: ValueOf, panel: PricePanel) -> None:
    traded = panel.dollar_volume[-60:]
    expected = (traded**2).mean(axis=0) / traded.mean(axis=0) ** 2
    np.testing.assert_allclose(value_of("value_concentration_60"), expected, rtol=1e-10)
