import numpy as np

from crowdalpha.market.returns import carried_prices, daily_returns, last_traded_row

NAN = np.nan
CLOSE = np.array([[NAN, 10.0], [4.0, NAN], [NAN, NAN], [5.0, 11.0], [6.0, NAN]])


def test_last_traded_row_is_minus_one_before_the_first() -> None:
    np.testing.assert_array_equal(last_traded_row(CLOSE), [[-1, 0], [1, 0], [1, 0], [3, 3], [4, 3]])


def test_prices_are_carried_over_gaps_and_past_the_end() -> None:
    np.testing.assert_array_equal(carried_prices(CLOSE), [[NAN, 10], [4, 10], [4, 10], [5, 11], [6, 11]])


def test_a_return_over_a_gap_is_booked_on_the_day_trading_resumes() -> None:
    expected = [[NAN, NAN], [NAN, NAN], [NAN, NAN], [0.25, 0.1], [0.2, NAN]]
    np.testing.assert_allclose(daily_returns(CLOSE), expected, rtol=1e-14)


def test_a_return_over_too_long_a_gap_is_missing() -> None:
    np.testing.assert_allclose(daily_returns(CLOSE, max_gap_days=2)[3], [0.25, NAN])
    np.testing.assert_allclose(daily_returns(CLOSE, max_gap_days=None)[3], [0.25, 0.1])
