from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.prices import PricePanel

ValueOf = Callable[[str], FloatArray]


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("momentum_60", 239, 299),
        ("momentum_120", 179, 299),
        ("momentum_120_skip_20", 179, 279),
        ("momentum_252_skip_20", 47, 279),
    ],
)
def test_momentum_is_the_log_ratio_of_two_prices(
    value_of: ValueOf, panel: PricePanel, name: str, start: int, end: int
) -> None:
    np.testing.assert_allclose(value_of(name), np.log(panel.close[end] / panel.close[start]), atol=1e-12)


def test_distances_to_high_low_and_averages(value_of: ValueOf, panel: PricePanel) -> None:
    close = pd.DataFrame(panel.close)
    last = close.iloc[-1]

    np.testing.assert_allclose(value_of("below_high_252"), np.log(last / close.rolling(252).max().iloc[-1]))
    np.testing.assert_allclose(value_of("above_low_252"), np.log(last / close.rolling(252).min().iloc[-1]))
    np.testing.assert_allclose(value_of("above_average_50"), np.log(last / close.rolling(50).mean().iloc[-1]))
    np.testing.assert_allclose(value_of("above_average_200"), np.log(last / close.rolling(200).mean().iloc[-1]))


def test_up_days_is_a_share(value_of: ValueOf, change: pd.DataFrame) -> None:
    np.testing.assert_allclose(value_of("up_days_120"), (change.iloc[-120:] > 0).mean())


def test_place_in_span_runs_from_lowest_to_highest_close(value_of: ValueOf, panel: PricePanel) -> None:
    window = panel.close[-60:]
    expected = (window[-1] - window.min(axis=0)) / (window.max(axis=0) - window.min(axis=0))
    np.testing.assert_allclose(value_of("place_in_span_60"), expected, atol=1e-12)


def test_averages_are_compared_as_logs(value_of: ValueOf, panel: PricePanel) -> None:
    expected = np.log(panel.close[-20:].mean(axis=0) / panel.close[-100:].mean(axis=0))
    np.testing.assert_allclose(value_of("averages_20_to_100"), expected, atol=1e-13)


def test_steepness_and_straightness_are_those_of_a_line_through_the_log_price(
    value_of: ValueOf, panel: PricePanel
) -> None:
    lines = [scipy.stats.linregress(np.arange(60), np.log(path)) for path in panel.close[-60:].T]

    np.testing.assert_allclose(value_of("steepness_60"), [line.slope for line in lines], rtol=1e-9)
    np.testing.assert_allclose(value_of("straightness_60"), [line.rvalue for line in lines], rtol=1e-9)


def test_days_since_high_and_low(value_of: ValueOf, panel: PricePanel) -> None:
    np.testing.assert_array_equal(value_of("days_since_high_120"), 119 - panel.close[-120:].argmax(axis=0))
    np.testing.assert_array_equal(value_of("days_since_low_120"), 119 - panel.close[-120:].argmin(axis=0))


def test_drawdown_is_the_largest_fall_from_a_high(value_of: ValueOf, panel: PricePanel) -> None:
    close = pd.DataFrame(panel.close[-120:])
    np.testing.assert_allclose(value_of("drawdown_120"), np.log((close / close.cummax()).min()), rtol=1e-12)


def test_acceleration_compares_two_windows(value_of: ValueOf, change: pd.DataFrame) -> None:
    expected = change.iloc[-60:].sum() - change.iloc[-120:-60].sum()
    np.testing.assert_allclose(value_of("acceleration_60"), expected, atol=1e-13)


def test_paths_of_a_return(value_of: ValueOf, change: pd.DataFrame) -> None:
    window = change.iloc[-60:]
    rises, falls = window.clip(lower=0).sum(), -window.clip(upper=0).sum()

    np.testing.assert_allclose(value_of("return_per_risk_60"), window.mean() / window.std(ddof=0), rtol=1e-10)
    np.testing.assert_allclose(value_of("efficiency_60"), window.sum().abs() / window.abs().sum(), rtol=1e-10)
    np.testing.assert_allclose(value_of("gain_to_pain_60"), np.log(rises / falls), rtol=1e-9)
    discrete = np.sign(window.sum()) * ((window <= 0).mean() - (window > 0).mean())
    np.testing.assert_allclose(value_of("discreteness_60"), discrete, atol=1e-12)
