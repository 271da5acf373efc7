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
