import numpy as np
import pandas as pd
import pytest

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.features import compute_features, features_named
from crowdalpha.market.features.years import EarlierYears, least_years, same_days
from crowdalpha.market.prices import PricePanel
from tests.fixtures.panels import panel_of

N_DAYS = 1_400  # five years and a third, weekdays from 2015-01-05


@pytest.fixture(scope="module")
def panel() -> PricePanel:
    moves = np.random.default_rng(3).normal(0, 0.02, (N_DAYS, 4))
    moves[0] = 0.0
    return panel_of(np.exp(np.cumsum(moves, axis=0)))


def by_hand(panel: PricePanel, row: int, *, years: int, days: int) -> FloatArray:
    """Use pandas' calendar: the returns that followed the date in each year that the panel has."""
    index = pd.DatetimeIndex(panel.dates)
    change = pd.DataFrame(np.log(panel.close), index=index).diff()
    totals = []
    for back in range(1, years + 1):
        date = index[row] - pd.DateOffset(years=back)
        if date >= index[0]:
            totals.append(change[index > date].iloc[:days].sum())
    return np.asarray(pd.concat(totals, axis=1).mean(axis=1))


@pytest.mark.parametrize(("name", "days"), [("same_week", 5), ("same_month", 20)])
@pytest.mark.parametrize("years", [2, 3, 5])
def test_the_mean_return_of_the_same_days_of_earlier_years(panel: PricePanel, name: str, days: int, years: int) -> None:
    rows = np.array([1_207, 1_399])
    values = compute_features(
        panel, features_named([f"{name}_{years}_years"]), era_rows=rows, member=np.ones((2, 4), dtype=np.bool_)
    )[:, :, 0]

    np.testing.assert_allclose(values, [by_hand(panel, row, years=years, days=days) for row in rows], rtol=1e-5)


def test_too_few_years_are_no_value(panel: PricePanel) -> None:
    """Row 784 is 2018-01-05, three years after the first day; two years are not half of five, and three are."""
    day_before, day = same_days(panel.dates, np.array([783, 784]), years=3)
    assert (day_before, day) == (-1, 0)

    values = EarlierYears(panel, np.array([783, 784])).mean_total(5, days=20)

    assert np.isnan(values[0]).all()
    assert np.isfinite(values[1]).all()


def test_a_year_without_half_of_the_days_is_left_out() -> None:
    close = np.exp(0.01 * np.arange(800.0))[:, None] * np.ones((1, 2))
    panel = panel_of(close)
    start = int(same_days(panel.dates, np.array([799]), years=1)[0])
    gappy = close.copy()
    gappy[start + 1 : start + 12, 0] = np.nan
    gappy[: start - 100, 1] = np.nan  # listed after the same day two years ago

    values = EarlierYears(panel_of(gappy), np.array([799])).mean_total(2, days=20)

    np.testing.assert_allclose(values, [[0.2, 0.2]], rtol=1e-12)


def test_a_leap_day_is_the_first_of_march_of_other_years() -> None:
    dates = np.array(["2019-02-28", "2019-03-01", "2020-02-29"], dtype="datetime64[D]")

    assert same_days(dates, np.array([2]), years=1).tolist() == [1]


@pytest.mark.parametrize(("years", "least"), [(2, 1), (3, 2), (5, 3), (10, 5)])
def test_half_of_the_years_are_needed(years: int, least: int) -> None:
    assert least_years(years) == least
