import numpy as np

from crowdalpha.market.history import history_of
from tests.fixtures.panels import panel_of

NAN = np.nan
PANEL = panel_of(
    np.array([[10.0, 20.0, 5.0], [11.0, 20.0, NAN], [11.0, 10.0, 5.0]]),
    opened=np.array([[10.0, 20.0, 5.0], [10.5, 20.0, NAN], [11.0, 10.0, NAN]]),
    volume=np.array([[1.0, 1.0, 1.0], [2.0, 0.0, NAN], [4.0, 1.0, 2.0]]),
    sector=("Energy", "Utilities", "Utilities"),
)


def test_change_is_the_log_return_of_traded_days() -> None:
    expected = [[NAN, NAN, NAN], [np.log(1.1), 0.0, NAN], [0.0, np.log(0.5), 0.0]]
    np.testing.assert_allclose(history_of(PANEL).change, expected, atol=1e-15)


def test_overnight_and_intraday_add_up_to_the_change() -> None:
    history = history_of(PANEL)

    assert history.overnight[1, 0] == np.log(1.1) - np.log(11 / 10.5)
    assert np.isnan(history.overnight[2, 2])
    np.testing.assert_allclose((history.overnight + history.intraday)[1:, :2], history.change[1:, :2], atol=1e-15)


def test_market_is_the_mean_of_what_traded() -> None:
    np.testing.assert_allclose(history_of(PANEL).market.ravel(), [NAN, np.log(1.1) / 2, np.log(0.5) / 3])


def test_sector_is_the_mean_of_its_own_assets() -> None:
    np.testing.assert_allclose(history_of(PANEL).sector[2], [0.0, np.log(0.5) / 2, np.log(0.5) / 2])


def test_days_without_volume_have_no_traded_value() -> None:
    history = history_of(PANEL)

    np.testing.assert_allclose(history.log_value[1], [np.log(22.0), NAN, NAN])
    np.testing.assert_allclose(history.illiquidity[1], [0.1 * 1e6 / 22.0, NAN, NAN])


def test_upto_ends_on_the_day_and_goes_back_no_further_than_asked() -> None:
    history = history_of(PANEL)

    np.testing.assert_array_equal(history.upto(1, n_days=1).close, PANEL.close[1:2])
    np.testing.assert_array_equal(history.upto(1, n_days=9).close, PANEL.close[:2])
