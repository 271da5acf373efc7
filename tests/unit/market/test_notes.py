import numpy as np
import pytest

from crowdalpha.market.checks import Finding
from crowdalpha.market.notes import (
    note_empty_columns,
    note_jumps,
    note_missing_days,
    note_stale_prices,
    note_vanished_sectors,
    note_zero_volume,
)
from tests.fixtures.panels import business_days

NAN = np.nan


def column(*prices: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.array(prices, dtype=np.float64)[:, None]


def jumps(*prices: float, opened: float = NAN, value: tuple[float, ...] | None = None) -> dict[str, Finding]:
    """Find the jumps of one asset; `opened` is the open of the third day."""
    close = column(*prices)
    opens = np.full_like(close, NAN)
    opens[2] = opened
    traded = np.full_like(close, NAN) if value is None else column(*value)
    found = note_jumps(close, opens, traded, dates=business_days(len(close)), tickers=("A",))
    return {finding.rule: finding for finding in found if finding.count}


def test_a_jump_taken_back_is_noted_on_its_day() -> None:
    found = jumps(10, 20, 10.5, 10.4)

    assert list(found) == ["jump_reverted"]
    assert (found["jump_reverted"].count, found["jump_reverted"].example) == (1, "A on 2015-01-06")
    assert (found["jump_reverted"].months, found["jump_reverted"].tickers) == ((("2015-01", 1),), (("A", 1),))


def test_a_move_that_stays_is_kept_or_not_large_enough() -> None:
    assert list(jumps(10, 10, 22, 21)) == ["jump_kept"]
    assert list(jumps(10, 10, 4.6, 4.5)) == ["jump_kept"]
    assert jumps(10, 10, 14, 14) == {}


@pytest.mark.parametrize("price", [5.05, 3.3, 1.0, 20.2, 0.1, 1000.0])
def test_a_jump_to_the_ratio_of_a_split_is_suspected(price: float) -> None:
    assert list(jumps(10, 10, price, price, value=(5, 5, 5, 5))) == ["split_suspected"]


def test_a_crash_to_a_half_on_much_trade_is_no_split() -> None:
    assert list(jumps(10, 10, 4.95, 5, value=(5, 5, 15, 5))) == ["jump_kept"]
    assert list(jumps(10, 10, 4.95, 5, value=(5, 5, 14.9, 5))) == ["split_suspected"]


def test_a_split_is_in_the_open_and_a_fall_during_the_day_is_not() -> None:
    assert list(jumps(10, 10, 4.95, 5, opened=9.9)) == ["jump_kept"]
    # the open shows 2 for 1 where the close is 6 % off
    assert list(jumps(10, 10, 4.7, 4.7, opened=5.0)) == ["split_suspected"]


def test_three_for_two_needs_an_open_or_a_value_to_be_told() -> None:
    assert jumps(10, 10, 6.67, 6.67) == {}
    assert list(jumps(10, 10, 6.67, 6.67, value=(5, 5, 5, 5))) == ["split_suspected"]


def test_a_run_of_ten_equal_closes_is_noted_once() -> None:
    close = column(*[5.0] * 12, 6.0, *[7.0] * 9)
    finding = note_stale_prices(close, dates=business_days(22), tickers=("A",))

    assert (finding.count, finding.example) == (1, "A on 2015-01-16")


def test_a_missing_day_does_not_break_a_run() -> None:
    close = column(*[5.0] * 5, NAN, *[5.0] * 5)

    assert note_stale_prices(close, dates=business_days(11), tickers=("A",)).count == 1
    assert note_stale_prices(close[:10], dates=business_days(10), tickers=("A",)).count == 0


def test_days_missing_between_first_and_last_are_counted() -> None:
    close = np.array([[NAN, 1.0], [1.0, 1.0], [NAN, 1.0], [1.0, 1.0], [NAN, 1.0]])
    finding = note_missing_days(close, open_days=np.ones((5, 2), bool), dates=business_days(5), tickers=("A", "B"))

    assert (finding.count, finding.example) == (1, "A on 2015-01-07")


def test_a_holiday_of_the_country_is_no_missing_day() -> None:
    close = column(1.0, NAN, 1.0)
    open_days = np.array([[True], [False], [True]])

    assert note_missing_days(close, open_days=open_days, dates=business_days(3), tickers=("A",)).count == 0


def test_empty_columns_are_listed() -> None:
    finding = note_empty_columns({"open": column(NAN, NAN), "high": column(NAN, 1.0), "volume": column(NAN, NAN)})

    assert (finding.count, finding.example) == (2, "open, volume")


def test_a_run_of_five_days_without_volume_is_noted_once() -> None:
    volume = column(0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0)
    finding = note_zero_volume(np.ones_like(volume), volume, dates=business_days(11), tickers=("A",))

    assert (finding.rule, finding.count, finding.example) == ("volume_zero", 1, "A on 2015-01-09")


def test_a_sector_that_vanishes_is_named_with_its_last_day() -> None:
    close = np.ones((70, 4))
    close[5:, 1] = NAN
    close[8:, 2] = NAN
    sector, country = np.array(["Energy", "Coal", "Coal", "Gold"]), np.full(4, "US")
    finding = note_vanished_sectors(close, sector, country, dates=business_days(70))

    assert (finding.count, finding.example) == (1, "Coal, last price on 2015-01-14")


def test_a_country_that_ends_early_has_lost_no_sector() -> None:
    close = np.ones((70, 2))
    close[5:, 1] = NAN
    found = note_vanished_sectors(close, np.array(["A", "B"]), np.array(["US", "GB"]), dates=business_days(70))

    assert found.count == 0
