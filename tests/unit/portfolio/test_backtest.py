import numpy as np
import pytest

from crowdalpha.portfolio import Book, CostModel, Execution, backtest, collect, last_traded_day, performance
from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.checks import RangeError, ShapeError

NOTHING = CostModel(half_spread_bps=0, commission_bps=0, impact=0, borrow_bps_per_year=0)
FREE = Execution(costs=NOTHING)
LINEAR = Execution(costs=CostModel(half_spread_bps=9, commission_bps=1, impact=0, borrow_bps_per_year=0))


def test_a_target_is_traded_at_the_next_close_and_earns_from_then_on() -> None:
    returns = np.array([[0.5], [0.5], [0.1], [0.1]])

    history = backtest(returns, {0: np.array([1.0])}, execution=FREE)

    np.testing.assert_allclose(history.returns, [0.0, 0.0, 0.1, 0.1])
    np.testing.assert_allclose(history.turnover, [0.0, 1.0, 0.0, 0.0])


def test_buy_and_hold_compounds() -> None:
    returns = np.random.default_rng(0).normal(0, 0.02, (30, 1))

    history = backtest(returns, {0: np.array([1.0])}, value=100.0, execution=FREE)

    assert history.value[-1] == pytest.approx(100 * np.prod(1 + returns[2:]))


def test_without_returns_the_value_falls_by_exactly_what_was_paid() -> None:
    targets = {0: np.array([0.5, -0.5]), 2: np.array([-0.5, 0.5])}

    history = backtest(np.zeros((5, 2)), targets, execution=LINEAR)

    # 10 bp of 1, then of 2 less what the first cost did to the weights.
    assert history.trade_cost[1] == pytest.approx(1e-3)
    assert history.value[-1] == pytest.approx(np.prod(1 - history.trade_cost))


def test_the_change_of_value_is_returns_less_costs_every_day() -> None:
    rng = np.random.default_rng(1)
    returns, market = rng.normal(0, 0.02, (40, 5)), np.full((40, 5), 1e5)
    targets = {day: rng.normal(0, 0.3, 5) for day in range(0, 40, 4)}

    history = backtest(returns, targets, volatility=np.full((40, 5), 0.02), adv=market, value=1e6)

    before = np.vstack([np.zeros(5), history.weights[:-1]])
    earned = (before * returns).sum(axis=1)
    np.testing.assert_allclose(history.returns, earned - history.holding_cost - history.trade_cost, atol=1e-14)
    assert (history.trade_cost > 0).sum() == 10


def test_a_delisted_name_is_closed_at_its_last_price_the_day_after() -> None:
    close = np.array([[9.0, 10.0], [10.0, 10.0], [11.0, 10.0], [np.nan, 10.0], [np.nan, 10.0]])
    returns = np.vstack([np.full(2, np.nan), close[1:] / close[:-1] - 1])
    start = {0: np.array([0.5, 0.5])}

    history = backtest(returns, start, last_traded=last_traded_day(close), execution=FREE)

    # Bought at the close of day 1, up 10 % on day 2, closed on day 3.
    np.testing.assert_allclose(history.value, [1, 1, 1.05, 1.05, 1.05])
    np.testing.assert_allclose(history.weights[:, 0], [0, 0.5, 0.55 / 1.05, 0, 0])


def test_tomorrows_return_cannot_be_earned() -> None:
    returns = np.random.default_rng(2).normal(0, 0.01, (2000, 8))
    foresight = {day: np.sign(returns[day + 1]) / 8 for day in range(1999)}
    two_days = {day: np.sign(returns[day + 2]) / 8 for day in range(1998)}

    lagged = performance(backtest(returns, foresight, execution=FREE).returns)
    control = performance(backtest(returns, two_days, execution=FREE).returns)

    assert abs(lagged.sharpe) < 1.5
    assert control.sharpe > 15


def test_what_happens_later_changes_nothing_before() -> None:
    rng = np.random.default_rng(3)
    returns = rng.normal(0, 0.02, (20, 4))
    targets = {day: rng.normal(0, 0.2, 4) for day in range(20)}

    whole, part = (backtest(rows, targets, execution=LINEAR) for rows in (returns, returns[:11]))

    np.testing.assert_array_equal(whole.value[:11], part.value)


def test_a_history_has_a_day() -> None:
    with pytest.raises(ShapeError, match="days is empty"):
        collect([])


def test_an_asset_that_never_traded_has_no_last_day() -> None:
    assert last_traded_day(np.array([[np.nan, 1.0], [np.nan, 2.0]])).tolist() == [-1, 1]


def test_a_callable_decides_at_each_close_on_the_book_of_that_close() -> None:
    asked = []

    def decide(day: int, book: Book) -> FloatArray | None:
        asked.append((day, book.value))
        return np.array([1.0]) if day == -1 else None

    history = backtest(np.array([[0.0], [0.1], [0.1]]), decide, execution=FREE)

    assert asked == [(-1, 1.0), (0, 1.0), (1, pytest.approx(1.1))]
    assert history.value[-1] == pytest.approx(1.21)


def test_a_name_whose_market_is_shut_is_traded_when_it_opens() -> None:
    returns = np.array([[np.nan, 0.0], [np.nan, 0.0], [0.0, 0.0]])
    target = {-1: np.array([0.5, -0.5])}

    patient, hasty, impatient = (
        backtest(returns, target, execution=Execution(costs=NOTHING, patience_days=days)) for days in (2, 1, 0)
    )

    np.testing.assert_allclose(patient.weights[:, 0], [0, 0, 0.5])
    np.testing.assert_allclose(hasty.weights[:, 0], 0)
    np.testing.assert_allclose(impatient.weights[:, 0], 0)
    np.testing.assert_allclose(patient.weights[:, 1], -0.5)


def test_a_new_target_replaces_what_is_waiting() -> None:
    returns = np.array([[np.nan], [np.nan], [0.0]])
    rules = Execution(costs=NOTHING, patience_days=5)

    history = backtest(returns, {-1: np.array([0.5]), 1: np.array([-0.2])}, execution=rules)

    assert history.weights[-1, 0] == pytest.approx(-0.2)


def test_fees_accrue_by_calendar_day_where_dates_are_given() -> None:
    # Friday to Monday are three of 365 days: 365 bp a year of a short of 0.5 are 1.5 bp.
    costs = CostModel(half_spread_bps=0, commission_bps=0, impact=0, borrow_bps_per_year=365)
    dates = np.array(["2024-01-05", "2024-01-08"], dtype="datetime64[D]")

    history = backtest(np.zeros((2, 1)), {-1: np.array([-0.5])}, dates=dates, execution=Execution(costs=costs))

    np.testing.assert_allclose(history.borrow_cost, [0.0, 1.5e-4])


def test_dates_must_ascend_and_fit() -> None:
    days = np.array(["2024-01-08", "2024-01-05"], dtype="datetime64[D]")

    with pytest.raises(RangeError, match="does not ascend at row 1"):
        backtest(np.zeros((2, 1)), {}, dates=days, execution=FREE)
    with pytest.raises(ShapeError, match="dates has 2 values for 3 days"):
        backtest(np.zeros((3, 1)), {}, dates=days, execution=FREE)


def test_a_split_is_no_event() -> None:
    # Two for one on the last day: the raw price halves, the total-return price does not.
    raw, factor = np.array([10.0, 11.0, 5.5]), np.array([0.5, 0.5, 1.0])
    total = raw * factor

    history = backtest((total[1:] / total[:-1] - 1)[:, None], {-1: np.array([1.0])}, execution=FREE)

    np.testing.assert_allclose(history.returns, [0.0, 0.0])


def test_a_short_pays_the_dividend() -> None:
    # 10 before, 9 after a dividend of 1: the total return is nothing, and the short gains nothing from the fall.
    total_return = np.array([[0.0], [(9.0 + 1.0) / 10.0 - 1.0]])

    history = backtest(total_return, {-1: np.array([-1.0])}, execution=FREE)

    assert history.value[-1] == pytest.approx(1.0)


def test_a_pause_at_the_end_of_the_panel_is_no_delisting_within_the_grace() -> None:
    close = np.array([[1.0, 1.0], [1.0, 1.0], [np.nan, 1.0], [np.nan, 1.0]])

    assert last_traded_day(close, grace_days=2).tolist() == [3, 3]
    assert last_traded_day(close, grace_days=1).tolist() == [1, 3]
