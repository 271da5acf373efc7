from collections.abc import Callable

import numpy as np
import pandas as pd

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.features import FEATURES
from crowdalpha.market.features.view import View
from crowdalpha.market.history import history_of
from crowdalpha.market.prices import PricePanel
from tests.fixtures.panels import panel_of

ValueOf = Callable[[str], FloatArray]


def test_levels_of_traded_value(value_of: ValueOf, value: pd.DataFrame) -> None:
    np.testing.assert_allclose(value_of("traded_value_60"), value.iloc[-60:].mean())
    np.testing.assert_allclose(value_of("value_variability_60"), value.iloc[-60:].std(ddof=0), rtol=1e-10)


def test_illiquidity_is_move_per_million_traded(value_of: ValueOf, panel: PricePanel) -> None:
    moves = np.abs(panel.close[1:] / panel.close[:-1] - 1) / panel.dollar_volume[1:] * 1e6
    np.testing.assert_allclose(value_of("illiquidity_60"), moves[-60:].mean(axis=0), rtol=1e-10)


def test_capacity_is_the_thinnest_day(value_of: ValueOf, value: pd.DataFrame) -> None:
    thinnest = value.iloc[-60:].min()

    np.testing.assert_allclose(value_of("capacity_60"), thinnest)
    np.testing.assert_allclose(value_of("thinnest_to_usual_60"), thinnest - value.iloc[-60:].mean(), rtol=1e-9)


def test_bounce_is_the_root_of_the_covariance_of_two_days(value_of: ValueOf, change: pd.DataFrame) -> None:
    before = change.shift(1).iloc[-60:]
    covariance = (change.iloc[-60:] * before).mean() - change.iloc[-60:].mean() * before.mean()
    np.testing.assert_allclose(value_of("bounce_60"), -np.sign(covariance) * covariance.abs() ** 0.5, rtol=1e-7)


def test_spread_of_highs_and_lows(value_of: ValueOf, panel: PricePanel) -> None:
    # Corwin and Schultz (2012), equations 14 and 18, day pairs with a negative spread set to zero
    high, low = pd.DataFrame(panel.high), pd.DataFrame(panel.low)
    square = pd.DataFrame(np.log(panel.high / panel.low) ** 2)
    beta = square + square.shift(1)
    gamma = np.log(high.rolling(2).max() / low.rolling(2).min()) ** 2
    k = 3 - 2 * 2**0.5
    alpha = (np.sqrt(2 * beta) - np.sqrt(beta)) / k - np.sqrt(gamma / k)
    spread = (2 * (np.exp(alpha) - 1) / (1 + np.exp(alpha))).clip(lower=0)
    np.testing.assert_allclose(value_of("spread_60"), spread.iloc[-60:].mean(), rtol=1e-9)


def test_parts_of_illiquidity(value_of: ValueOf, panel: PricePanel) -> None:
    returns = panel.close[1:] / panel.close[:-1] - 1
    cost = (np.abs(returns) / panel.dollar_volume[1:])[-60:]

    expected = (cost * (returns[-60:] < 0)).sum(axis=0) / cost.sum(axis=0)
    np.testing.assert_allclose(value_of("illiquidity_in_falls_60"), expected, rtol=1e-10)
    np.testing.assert_allclose(value_of("uneven_illiquidity_60"), cost.std(axis=0) / cost.mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose(value_of("illiquidity_20_to_60"), cost[-20:].mean(axis=0) / cost.mean(axis=0), rtol=1e-9)


def test_still_days_are_those_without_a_move() -> None:
    close = np.exp(np.random.default_rng(0).normal(0, 0.01, (260, 2)))
    close[245] = close[244]
    feature = next(feature for feature in FEATURES if feature.name == "still_days_20")

    np.testing.assert_allclose(feature.compute(View(history_of(panel_of(close)), ends=np.array([259]))), [[0.05, 0.05]])


def test_without_volume_all_are_missing_and_nothing_fails() -> None:
    view = View(history_of(panel_of(np.exp(np.random.default_rng(0).normal(0, 0.01, (260, 3))))), ends=np.array([259]))
    values = [feature.compute(view) for feature in FEATURES if "volume" in feature.needs]

    assert np.isnan(values).all()
