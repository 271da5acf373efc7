import numpy as np

from crowdalpha.market.history import history_of, row_means
from crowdalpha.market.prices import read_panel
from tests.fixtures.panels import panel_of, random_panel

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


def test_country_is_the_mean_of_its_own_assets() -> None:
    history = history_of(PANEL)
    np.testing.assert_array_equal(history.country, np.broadcast_to(history.market, (3, 3)))


def test_a_stretch_of_days_is_the_same_as_part_of_all() -> None:
    files = random_panel(n_assets=12, n_days=90, seed=1, missing=0.3)
    panel = read_panel(files.prices, files.universe)
    whole, part = history_of(panel), history_of(panel, first=40, end=70)

    for name in ("close", "change", "overnight", "value", "log_value", "illiquidity", "market", "sector", "country"):
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[40:70], err_msg=name)


def test_row_means_leave_out_what_is_missing() -> None:
    np.testing.assert_array_equal(row_means(np.array([[1.0, NAN, 3.0], [NAN, NAN, NAN]])), [[2.0], [NAN]])
