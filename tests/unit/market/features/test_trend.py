from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

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
