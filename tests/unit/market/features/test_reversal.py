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


def test_autocorrelation_of_five_days_looks_five_days_further_back(value_of: ValueOf, change: pd.DataFrame) -> None:
    expected = change.iloc[-60:].corrwith(change.shift(5).iloc[-60:])
    np.testing.assert_allclose(value_of("autocorrelation_5_days_60"), expected, rtol=1e-9)


def test_nights_and_days_pull_against_each_other(value_of: ValueOf, panel: PricePanel) -> None:
    intraday = pd.DataFrame(np.log(panel.close / panel.open))
    overnight = pd.DataFrame(np.log(panel.close)).diff() - intraday

    np.testing.assert_allclose(value_of("tug_of_war_60"), overnight.iloc[-60:].corrwith(intraday.iloc[-60:]), rtol=1e-9)
    after = overnight.iloc[-60:].corrwith(intraday.shift(1).iloc[-60:])
    np.testing.assert_allclose(value_of("overnight_after_day_60"), after, rtol=1e-9)


def test_stretch_is_the_distance_to_the_mean_in_deviations(value_of: ValueOf, panel: PricePanel) -> None:
    close = panel.close[-20:]
    np.testing.assert_allclose(value_of("stretch_20"), (close[-1] - close.mean(axis=0)) / close.std(axis=0), rtol=1e-8)


def test_strength_is_the_share_of_rises(value_of: ValueOf, change: pd.DataFrame) -> None:
    window = change.iloc[-15:]
    np.testing.assert_allclose(value_of("strength_15"), window.clip(lower=0).sum() / window.abs().sum(), rtol=1e-10)


def test_variance_ratio_compares_five_days_with_one(value_of: ValueOf, change: pd.DataFrame) -> None:
    weeks = change.rolling(5).sum().iloc[-60:]
    expected = weeks.var(ddof=0) / (5 * change.iloc[-60:].var(ddof=0))
    np.testing.assert_allclose(value_of("variance_ratio_60"), expected, rtol=1e-9)


def test_last_moves_are_in_deviations(value_of: ValueOf, change: pd.DataFrame) -> None:
    spread = change.iloc[-60:].std(ddof=0)

    np.testing.assert_allclose(value_of("last_move_60"), change.iloc[-1] / spread, rtol=1e-9)
    np.testing.assert_allclose(value_of("last_week_60"), change.iloc[-5:].sum() / (5**0.5 * spread), rtol=1e-9)
