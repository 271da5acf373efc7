from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.prices import PricePanel

ValueOf = Callable[[str], FloatArray]


@pytest.fixture
def dated(change: pd.DataFrame, panel: PricePanel) -> pd.DataFrame:
    return change.set_axis(pd.DatetimeIndex(panel.dates)).iloc[-252:]


@pytest.mark.parametrize(("name", "number"), [("monday", 0), ("tuesday", 1), ("friday", 4)])
def test_weekdays_are_compared_with_all_days(value_of: ValueOf, dated: pd.DataFrame, name: str, number: int) -> None:
    expected = dated[pd.DatetimeIndex(dated.index).day_of_week == number].mean() - dated.mean()
    np.testing.assert_allclose(value_of(f"{name}_252"), expected, atol=1e-15)


def test_parts_of_the_month_and_of_the_quarter(value_of: ValueOf, dated: pd.DataFrame) -> None:
    index = pd.DatetimeIndex(dated.index)

    expected = dated[index.day <= 5].mean() - dated.mean()
    np.testing.assert_allclose(value_of("start_of_month_252"), expected, atol=1e-15)
    expected = dated[index.month.isin([2, 5, 8, 11])].mean() - dated.mean()
    np.testing.assert_allclose(value_of("second_month_of_quarter_252"), expected, atol=1e-15)


def test_a_year_ago_is_what_followed_then(value_of: ValueOf, dated: pd.DataFrame, value: pd.DataFrame) -> None:
    np.testing.assert_allclose(value_of("year_ago_next_20"), dated.iloc[:20].sum(), atol=1e-14)
    expected = value.iloc[-252:-232].mean() - value.iloc[-252:].mean()
    np.testing.assert_allclose(value_of("value_year_ago_next_20"), expected, atol=1e-12)


def test_months_back_are_twenty_days_each(value_of: ValueOf, dated: pd.DataFrame) -> None:
    np.testing.assert_allclose(value_of("month_back_40"), dated.iloc[-40:-20].sum(), atol=1e-14)
    np.testing.assert_allclose(value_of("month_back_240"), dated.iloc[-240:-220].sum(), atol=1e-14)
