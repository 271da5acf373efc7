import numpy as np
import pandas as pd
import pytest
import scipy.stats

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.features.channels import Lagged, Minus, change, log_value, market
from crowdalpha.market.features.view import View
from crowdalpha.market.history import history_of
from crowdalpha.market.prices import PricePanel, read_panel
from tests.fixtures.panels import random_panel

ENDS = np.array([260, 299])


@pytest.fixture(scope="module")
def panel() -> PricePanel:
    files = random_panel(n_assets=10, n_days=300, seed=4, missing=0.2)
    return read_panel(files.prices, files.universe)


@pytest.fixture(scope="module")
def view(panel: PricePanel) -> View:
    return View(history_of(panel), ends=ENDS)


@pytest.fixture(scope="module")
def moves(panel: PricePanel) -> pd.DataFrame:
    return pd.DataFrame(history_of(panel).change)


def at_ends(frame: pd.DataFrame) -> FloatArray:
    values: FloatArray = frame.to_numpy()[ENDS]
    return values


@pytest.mark.parametrize("days", [5, 60, 252])
def test_statistics_are_those_of_pandas_with_gaps(view: View, moves: pd.DataFrame, days: int) -> None:
    rolling = moves.rolling(days, min_periods=int(np.ceil(days / 2)))

    np.testing.assert_allclose(view.total(change, days), at_ends(rolling.sum()), atol=1e-14)
    np.testing.assert_allclose(view.average(change, days), at_ends(rolling.mean()), atol=1e-15)
    np.testing.assert_allclose(view.deviation(change, days), at_ends(rolling.std(ddof=0)), rtol=1e-9)
    np.testing.assert_allclose(view.highest(change, days), at_ends(rolling.max()))
    np.testing.assert_allclose(-view.highest(Minus(change), days), at_ends(rolling.min()))


def test_moments_of_higher_order_are_those_of_scipy(view: View, moves: pd.DataFrame) -> None:
    window = moves.to_numpy()[200 : 260 + 1][1:]

    np.testing.assert_allclose(view.skewness(change, 60)[0], scipy.stats.skew(window, nan_policy="omit"), rtol=1e-9)
    np.testing.assert_allclose(view.kurtosis(change, 60)[0], scipy.stats.kurtosis(window, nan_policy="omit"), rtol=1e-9)


def test_two_series_count_on_days_that_have_both(view: View, moves: pd.DataFrame, panel: PricePanel) -> None:
    value, last = pd.DataFrame(np.log(panel.dollar_volume)), slice(240, 300)
    expected = [moves[asset][last].corr(value[asset].shift(1)[last]) for asset in moves]

    found = view.moments(change, Lagged(log_value), 60)
    np.testing.assert_allclose(found.correlation[1], expected, rtol=1e-8)


def test_slope_and_what_it_leaves_are_those_of_scipy(view: View, moves: pd.DataFrame) -> None:
    common = history_of_market(view)
    own = moves[0].to_numpy()[240:300]
    known = ~np.isnan(own)
    line = scipy.stats.linregress(common[known], own[known])
    rest = own[known] - line.intercept - line.slope * common[known]

    found = view.moments(change, market, 60)
    assert found.slope[1, 0] == pytest.approx(line.slope, rel=1e-9)
    assert found.residual_deviation[1, 0] == pytest.approx(rest.std(), rel=1e-9)


def history_of_market(view: View) -> FloatArray:
    return view.daily(market)[240:300, 0]


def test_skipped_days_are_left_out(view: View, moves: pd.DataFrame) -> None:
    expected = moves.to_numpy()[180:280]

    np.testing.assert_allclose(view.total(change, 120, skip=20)[1], np.nansum(expected, axis=0), atol=1e-14)
    np.testing.assert_allclose(view.average(change, 120, skip=20)[1], np.nanmean(expected, axis=0), atol=1e-15)


def test_a_constant_has_no_deviation() -> None:
    files = random_panel(n_assets=2, n_days=300)
    flat = read_panel(files.prices.with_columns(close=3.7, volume=1001, open=None, high=None, low=None))
    view = View(history_of(flat), ends=ENDS)

    np.testing.assert_array_equal(view.deviation(log_value, 60), 0.0)
    assert np.isnan(view.skewness(log_value, 60)).all()
    assert np.isnan(view.moments(log_value, change, 60).correlation).all()
