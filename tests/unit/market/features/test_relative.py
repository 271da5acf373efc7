from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.prices import PricePanel

ValueOf = Callable[[str], FloatArray]


@pytest.fixture
def market(change: pd.DataFrame) -> pd.Series:
    return change.mean(axis=1)


@pytest.mark.parametrize("days", [60, 252])
def test_beta_is_the_slope_on_the_mean_return(
    value_of: ValueOf, change: pd.DataFrame, market: pd.Series, days: int
) -> None:
    slopes = [scipy.stats.linregress(market[-days:], change[name][-days:]).slope for name in change]
    np.testing.assert_allclose(value_of(f"beta_{days}"), slopes, rtol=1e-9)


def test_market_correlation(value_of: ValueOf, change: pd.DataFrame, market: pd.Series) -> None:
    expected = change.iloc[-120:].corrwith(market.iloc[-120:])
    np.testing.assert_allclose(value_of("market_correlation_120"), expected, rtol=1e-9)


def test_own_volatility_is_that_of_the_residual(value_of: ValueOf, change: pd.DataFrame, market: pd.Series) -> None:
    design = np.column_stack([np.ones(60), market[-60:]])
    returns = change.to_numpy()[-60:]
    residual = returns - design @ np.linalg.lstsq(design, returns, rcond=None)[0]
    np.testing.assert_allclose(value_of("own_volatility_60"), residual.std(axis=0), rtol=1e-9)


def test_residual_returns_take_beta_times_the_market_off(
    value_of: ValueOf, change: pd.DataFrame, market: pd.Series
) -> None:
    beta = value_of("beta_252")
    residual = change.to_numpy()[-252:] - beta * market.to_numpy()[-252:, None]

    np.testing.assert_allclose(value_of("residual_20"), residual[-20:].sum(axis=0), atol=1e-12)
    earlier = residual[:-20].sum(axis=0) / (residual.std(axis=0) * np.sqrt(232))
    np.testing.assert_allclose(value_of("residual_momentum_252"), earlier, rtol=1e-9)


@pytest.mark.parametrize(("name", "start", "end"), [("5", 295, 300), ("20", 280, 300), ("252_skip_20", 48, 280)])
def test_to_sector_takes_the_mean_of_the_sector_off(
    value_of: ValueOf, panel: PricePanel, change: pd.DataFrame, name: str, start: int, end: int
) -> None:
    by_sector = change.T.groupby(panel.sector).transform("mean").T
    expected = (change - by_sector).iloc[start:end].sum()
    np.testing.assert_allclose(value_of(f"to_sector_{name}"), expected, atol=1e-12)


def test_betas_in_falls_and_rises_go_through_the_origin(
    value_of: ValueOf, change: pd.DataFrame, market: pd.Series
) -> None:
    falls, rises, window = market[-120:].clip(upper=0), market[-120:].clip(lower=0), change.iloc[-120:]
    down, up = window.mul(falls, axis=0).sum() / (falls**2).sum(), window.mul(rises, axis=0).sum() / (rises**2).sum()

    np.testing.assert_allclose(value_of("beta_in_falls_120"), down, rtol=1e-9)
    np.testing.assert_allclose(value_of("beta_in_rises_120"), up, rtol=1e-9)
    np.testing.assert_allclose(value_of("beta_asymmetry_120"), down - up, rtol=1e-8)


def test_slopes_on_what_is_made_of_the_market(value_of: ValueOf, change: pd.DataFrame, market: pd.Series) -> None:
    window = change.iloc[-120:]
    delay = [scipy.stats.linregress(market.shift(1)[-120:], window[name]).slope for name in window]
    unrest = [scipy.stats.linregress(market[-120:].abs(), window[name]).slope for name in window]

    np.testing.assert_allclose(value_of("delay_120"), delay, rtol=1e-8)
    np.testing.assert_allclose(value_of("with_unrest_120"), unrest, rtol=1e-8)
    np.testing.assert_allclose(value_of("with_market_squared_120"), window.corrwith(market[-120:] ** 2), rtol=1e-8)
    sizes = change.iloc[-60:].abs().corrwith(market[-60:].abs())
    np.testing.assert_allclose(value_of("move_size_with_market_60"), sizes, rtol=1e-8)


def test_changes_of_what_the_market_explains(value_of: ValueOf) -> None:
    np.testing.assert_array_equal(value_of("change_of_beta_60_252"), value_of("beta_60") - value_of("beta_252"))
    expected = value_of("market_correlation_60") - value_of("market_correlation_252")
    np.testing.assert_array_equal(value_of("change_of_correlation_60_252"), expected)
    expected = value_of("own_volatility_20") / value_of("own_volatility_60")
    np.testing.assert_array_equal(value_of("own_volatility_20_to_60"), expected)


def test_night_beta_is_that_of_opens(value_of: ValueOf, panel: PricePanel) -> None:
    nights = np.log(panel.open[1:] / panel.close[:-1])[-60:]
    slopes = [scipy.stats.linregress(nights.mean(axis=1), column).slope for column in nights.T]
    np.testing.assert_allclose(value_of("night_beta_60"), slopes, rtol=1e-8)


def test_sector_features_are_those_of_its_mean(value_of: ValueOf, panel: PricePanel, change: pd.DataFrame) -> None:
    sector, window = change.T.groupby(panel.sector).transform("mean").T.iloc[-60:], change.iloc[-60:]

    np.testing.assert_allclose(value_of("sector_return_60"), sector.sum(), atol=1e-13)
    np.testing.assert_allclose(value_of("sector_volatility_60"), sector.std(ddof=0), rtol=1e-9)
    np.testing.assert_allclose(value_of("sector_correlation_60"), window.corrwith(sector), rtol=1e-9)
    slopes = [scipy.stats.linregress(sector[name], window[name]).slope for name in window]
    np.testing.assert_allclose(value_of("sector_beta_60"), slopes, rtol=1e-9)
    np.testing.assert_allclose(value_of("to_sector_volatility_60"), (window - sector).std(ddof=0), rtol=1e-9)


def test_value_to_sector_is_the_difference_of_logs(value_of: ValueOf, panel: PricePanel, value: pd.DataFrame) -> None:
    against = value - value.T.groupby(panel.sector).transform("mean").T
    change = against.iloc[-20:].mean() - against.iloc[-120:].mean()

    np.testing.assert_allclose(value_of("value_to_sector_60"), against.iloc[-60:].mean(), atol=1e-12)
    np.testing.assert_allclose(value_of("value_share_change_120"), change, atol=1e-12)


def test_country_features_are_those_of_its_mean(value_of: ValueOf, change: pd.DataFrame, market: pd.Series) -> None:
    # the panel has one country: its mean is the market's
    np.testing.assert_allclose(value_of("country_return_60"), market[-60:].sum(), atol=1e-13)
    np.testing.assert_allclose(value_of("to_country_60"), change.iloc[-60:].sum() - market[-60:].sum(), atol=1e-13)
    np.testing.assert_allclose(value_of("country_beta_60"), value_of("beta_60"), rtol=1e-9)
