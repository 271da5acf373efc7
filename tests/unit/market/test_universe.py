import numpy as np

from crowdalpha.market.universe import point_in_time_universe, week_ends
from tests.fixtures.panels import business_days

N_DAYS = 320
LAST = np.array([N_DAYS - 1])


def universe_of(
    close: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    value: float = 1.0,
    max_assets: int | None = None,
) -> list[bool]:
    volumes = np.full(close.shape, value) * np.arange(1.0, close.shape[1] + 1)
    member = point_in_time_universe(close, volumes, era_rows=LAST, max_assets=max_assets)
    return [bool(is_member) for is_member in member[0]]


def test_weeks_end_on_their_last_trading_day() -> None:
    days = np.delete(business_days(15), 4)  # the first Friday is a holiday

    assert days[week_ends(days, warm_up_days=0)].astype(str).tolist() == ["2015-01-08", "2015-01-16", "2015-01-23"]


def test_a_last_week_that_may_go_on_is_no_era() -> None:
    assert week_ends(business_days(14), warm_up_days=0).tolist() == [4, 9]


def test_weeks_before_the_warm_up_are_no_eras() -> None:
    assert week_ends(business_days(15), warm_up_days=9).tolist() == [9, 14]


def test_no_days_give_no_eras() -> None:
    assert week_ends(business_days(0)).tolist() == []


def test_members_traded_that_day() -> None:
    close = np.ones((N_DAYS, 2))
    close[-1, 1] = np.nan

    assert universe_of(close) == [True, False]


def test_members_have_252_earlier_days_of_the_last_300() -> None:
    close = np.ones((N_DAYS, 2))
    close[: N_DAYS - 1 - 252, 0] = np.nan
    close[: N_DAYS - 252, 1] = np.nan

    assert universe_of(close) == [True, False]


def test_members_traded_on_fifteen_of_the_last_twenty_days() -> None:
    close = np.ones((N_DAYS, 2))
    close[-6:-1, 0] = np.nan
    close[-7:-1, 1] = np.nan

    assert universe_of(close) == [True, False]


def test_the_largest_by_traded_value_are_kept() -> None:
    assert universe_of(np.ones((N_DAYS, 4)), max_assets=2) == [False, False, True, True]


def test_assets_without_volume_come_last_in_panel_order() -> None:
    assert universe_of(np.ones((N_DAYS, 3)), value=np.nan, max_assets=2) == [True, True, False]


def test_only_members_count_towards_the_limit() -> None:
    close = np.ones((N_DAYS, 3))
    close[-1, 2] = np.nan

    assert universe_of(close, max_assets=2) == [True, True, False]
