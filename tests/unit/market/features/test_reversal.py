from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.prices import PricePanel

ValueOf = Callable[[str], FloatArray]


@pytest.mark.parametrize("days", [1, 5, 10, 20])
def test_returns_are_log_ratios(value_of: ValueOf, panel: PricePanel, days: int) -> None:
    expected = np.log(panel.close[-1] / panel.close[-1 - days])
    np.testing.assert_allclose(value_of(f"return_{days}"), expected, atol=1e-13)


def test_autocorrelation_is_that_of_pandas(value_of: ValueOf, change: pd.DataFrame) -> None:
    expected = change.iloc[-60:].apply(lambda column: column.autocorr(1))
    np.testing.assert_allclose(value_of("autocorrelation_60"), expected, rtol=1e-9)


def test_overnight_and_intraday_split_the_return(value_of: ValueOf, panel: PricePanel) -> None:
    overnight = np.log(panel.open[-20:] / panel.close[-21:-1]).sum(axis=0)

    np.testing.assert_allclose(value_of("overnight_20"), overnight, atol=1e-13)
    np.testing.assert_allclose(value_of("overnight_20") + value_of("intraday_20"), value_of("return_20"), atol=1e-13)


def test_close_in_range_is_the_mean_place_between_low_and_high(value_of: ValueOf, panel: PricePanel) -> None:
    place = (panel.close - panel.low) / (panel.high - panel.low)
    np.testing.assert_allclose(value_of("close_in_range_20"), place[-20:].mean(axis=0))
