import numpy as np

from crowdalpha.market.notes import note_empty_columns, note_missing_days, note_reverted_jumps, note_stale_prices
from tests.fixtures.panels import business_days

NAN = np.nan


def column(*prices: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.array(prices)[:, None]


def test_a_jump_taken_back_is_noted_on_its_day() -> None:
    finding = note_reverted_jumps(column(10, 20, 10.5, 10.4), dates=business_days(4), tickers=("A",))

    assert (finding.count, finding.action, finding.example) == (1, "noted", "A on 2015-01-06")


def test_a_jump_that_stays_is_not_noted() -> None:
    assert note_reverted_jumps(column(10, 20, 21, 20), dates=business_days(4), tickers=("A",)).count == 0


def test_a_run_of_ten_equal_closes_is_noted_once() -> None:
    close = column(*[5.0] * 12, 6.0, *[7.0] * 9)
    finding = note_stale_prices(close, dates=business_days(22), tickers=("A",))

    assert (finding.count, finding.example) == (1, "A on 2015-01-16")


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
