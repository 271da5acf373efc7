from collections.abc import Callable

import numpy as np
import pandas as pd

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.features import FEATURES
from crowdalpha.market.history import history_of
from crowdalpha.market.prices import PricePanel
from tests.fixtures.panels import panel_of

ValueOf = Callable[[str], FloatArray]


def test_levels_of_traded_value(value_of: ValueOf, value: pd.DataFrame) -> None:
    np.testing.assert_allclose(value_of("traded_value_60"), value.iloc[-60:].mean())
    np.testing.assert_allclose(value_of("value_variability_60"), value.iloc[-60:].std(ddof=0), rtol=1e-10)


def test_recent_against_usual_traded_value(value_of: ValueOf, value: pd.DataFrame) -> None:
    surprise = (value.iloc[-5:].mean() - value.iloc[-60:].mean()) / value.iloc[-60:].std(ddof=0)
    trend = value.iloc[-20:].mean() - value.iloc[-120:].mean()

    np.testing.assert_allclose(value_of("value_surprise_5_60"), surprise, rtol=1e-9)
    np.testing.assert_allclose(value_of("value_trend_20_120"), trend, atol=1e-12)


def test_illiquidity_is_move_per_million_traded(value_of: ValueOf, panel: PricePanel) -> None:
    moves = np.abs(panel.close[1:] / panel.close[:-1] - 1) / panel.dollar_volume[1:] * 1e6
    np.testing.assert_allclose(value_of("illiquidity_60"), moves[-60:].mean(axis=0), rtol=1e-10)


def test_correlation_of_value_and_return(value_of: ValueOf, value: pd.DataFrame, change: pd.DataFrame) -> None:
    expected = value.iloc[-60:].corrwith(change.iloc[-60:])
    np.testing.assert_allclose(value_of("value_with_return_60"), expected, rtol=1e-9)


def test_without_volume_all_are_missing_and_nothing_fails() -> None:
    history = history_of(panel_of(np.exp(np.random.default_rng(0).normal(0, 0.01, (260, 3)))))
    values = [f.compute(history.upto(259, n_days=f.window)) for f in FEATURES if "volume" in f.needs]

    assert len(values) == 6
    assert np.isnan(values).all()
