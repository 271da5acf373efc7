import numpy as np
import pytest

from crowdalpha.portfolio import (
    BankruptBookError,
    Book,
    CostModel,
    Execution,
    collect,
    last_traded_day,
    open_book,
    performance,
    backtest,
    step_day,
)
from crowdalpha.scoring.checks import NonFiniteError, RangeError, ShapeError

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


def test_positions_drift_with_their_returns() -> None:
    day = step_day(Book(1.0, np.array([0.5, -0.5])), np.array([0.2, 0.1]), execution=FREE)

    np.testing.assert_allclose(day.book.weights, [0.6 / 1.05, -0.55 / 1.05])
    assert day.daily_return == pytest.approx(0.05)
    assert day.gross == pytest.approx(1.15 / 1.05)
    assert day.net == pytest.approx(0.05 / 1.05)


def test_without_returns_the_value_falls_by_exactly_what_was_paid() -> None:
    targets = {0: np.array([0.5, -0.5]), 2: np.array([-0.5, 0.5])}

    history = backtest(np.zeros((5, 2)), targets, execution=LINEAR)

    # 10 bp of 1, then of 2 less what the first cost did to the weights.
    assert history.trade_cost[1] == pytest.approx(1e-3)
    assert history.value[-1] == pytest.approx(np.prod(1 - history.trade_cost))


def test_costs_leave_the_cash_and_not_the_positions() -> None:
    day = step_day(open_book(1.0, n_assets=1), np.array([0.0]), np.array([1.0]), execution=LINEAR)

    assert day.book.value == pytest.approx(0.999)
    assert day.book.value * day.book.weights[0] == pytest.approx(1.0)


def test_the_change_of_value_is_returns_less_costs_every_day() -> None:
    rng = np.random.default_rng(1)
    returns, market = rng.normal(0, 0.02, (40, 5)), np.full((40, 5), 1e5)
    targets = {day: rng.normal(0, 0.3, 5) for day in range(0, 40, 4)}

    history = backtest(returns, targets, volatility=np.full((40, 5), 0.02), adv=market, value=1e6)

    before = np.vstack([np.zeros(5), history.weights[:-1]])
    earned = (before * returns).sum(axis=1)
    np.testing.assert_allclose(history.returns, earned - history.holding_cost - history.trade_cost, atol=1e-14)
    assert (history.trade_cost > 0).sum() == 10


def test_shorts_pay_to_borrow_overnight() -> None:
    costs = CostModel(half_spread_bps=0, commission_bps=0, impact=0, borrow_bps_per_year=252)

    day = step_day(Book(1.0, np.array([0.5, -0.5])), np.zeros(2), execution=Execution(costs=costs))

    assert day.holding_cost == pytest.approx(0.5e-4)
    assert day.daily_return == pytest.approx(-0.5e-4)


def test_a_name_that_did_not_trade_is_held_flat_and_left_alone() -> None:
    day = step_day(Book(1.0, np.array([0.4, 0.4])), np.array([np.nan, 0.0]), np.array([0.0, 0.1]), execution=FREE)

    np.testing.assert_allclose(day.book.weights, [0.4, 0.1])
    assert day.untraded == pytest.approx(0.4)
    assert day.turnover == pytest.approx(0.3)


def test_a_target_of_nan_leaves_a_position_alone() -> None:
    day = step_day(Book(1.0, np.array([0.4, 0.4])), np.zeros(2), np.array([np.nan, 0.0]), execution=FREE)

    np.testing.assert_allclose(day.book.weights, [0.4, 0.0])
    assert day.untraded == 0


def test_a_delisted_name_is_closed_at_its_last_price_the_day_after() -> None:
    close = np.array([[9.0, 10.0], [10.0, 10.0], [11.0, 10.0], [np.nan, 10.0], [np.nan, 10.0]])
    returns = np.vstack([np.full(2, np.nan), close[1:] / close[:-1] - 1])
    start = {0: np.array([0.5, 0.5])}

    history = backtest(returns, start, last_traded=last_traded_day(close), execution=FREE)

    # Bought at the close of day 1, up 10 % on day 2, closed on day 3.
    np.testing.assert_allclose(history.value, [1, 1, 1.05, 1.05, 1.05])
    np.testing.assert_allclose(history.weights[:, 0], [0, 0.5, 0.55 / 1.05, 0, 0])


def test_a_delisting_loss_is_taken_once() -> None:
    rules = Execution(costs=NOTHING, delisting_return=-0.3)
    gone = np.array([True, False])

    first = step_day(Book(1.0, np.array([0.5, 0.5])), np.array([np.nan, 0.0]), delisted=gone, execution=rules)
    second = step_day(first.book, np.array([np.nan, 0.0]), delisted=gone, execution=rules)

    assert first.daily_return == pytest.approx(-0.15)
    assert first.turnover == pytest.approx(0.5 / 0.85)
    assert second.daily_return == 0


def test_a_forced_close_pays_the_linear_cost() -> None:
    day = step_day(Book(1.0, np.array([0.5])), np.array([np.nan]), delisted=np.array([True]), execution=LINEAR)

    assert day.trade_cost == pytest.approx(0.5e-3)
    assert day.book.value == pytest.approx(1 - 0.5e-3)


def test_volume_caps_what_is_traded() -> None:
    rules = Execution(costs=NOTHING, max_participation=0.1)
    market = {"volatility": np.full(2, 0.02), "adv": np.array([4e5, 4e6])}

    day = step_day(open_book(1e6, n_assets=2), np.zeros(2), np.array([-0.1, 0.1]), **market, execution=rules)

    np.testing.assert_allclose(day.book.weights, [-0.04, 0.1])
    assert day.untraded == pytest.approx(0.06)


@pytest.mark.parametrize(("volatility", "adv"), [(0.02, 0.0), (0.02, np.nan), (np.nan, 1e6)])
def test_a_day_without_volume_or_known_volatility_trades_nothing_and_costs_nothing(
    volatility: float, adv: float
) -> None:
    day = step_day(
        open_book(1.0, n_assets=1),
        np.zeros(1),
        np.ones(1),
        volatility=np.array([volatility]),
        adv=np.array([adv]),
        execution=Execution(),
    )

    assert day.trade_cost == day.turnover == 0
    assert day.untraded == 1


def test_impact_on_a_book_of_twice_the_value_costs_the_root_of_two_more() -> None:
    rules = Execution(costs=CostModel(half_spread_bps=0, commission_bps=0))
    market = {"volatility": np.array([0.02]), "adv": np.array([1e6])}

    small, large = (
        step_day(open_book(value, n_assets=1), np.zeros(1), np.ones(1), **market, execution=rules)
        for value in (1e4, 2e4)
    )

    assert large.trade_cost == pytest.approx(2**0.5 * small.trade_cost)


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


def test_a_hedged_book_earns_the_residual_of_a_market_move() -> None:
    residual = np.array([0.01, -0.02])

    day = step_day(Book(1.0, np.array([0.5, -0.5])), 0.1 + residual, execution=FREE)

    assert day.daily_return == pytest.approx(0.5 * 0.03)


def test_a_book_without_value_stops() -> None:
    with pytest.raises(BankruptBookError, match="gross exposure"):
        step_day(Book(1.0, np.array([-2.0])), np.array([0.6]), execution=FREE)


def test_trading_with_impact_needs_a_market() -> None:
    with pytest.raises(RangeError, match="volatility and adv"):
        step_day(open_book(1.0, n_assets=1), np.zeros(1), np.ones(1), execution=Execution())


def test_infinite_inputs_are_refused_by_name() -> None:
    book = open_book(1.0, n_assets=1)

    with pytest.raises(NonFiniteError, match="returns is infinite at row 0"):
        step_day(book, np.array([np.inf]), execution=FREE)
    with pytest.raises(NonFiniteError, match="target_weights is infinite"):
        step_day(book, np.zeros(1), np.array([np.inf]), execution=FREE)


def test_lengths_must_fit() -> None:
    with pytest.raises(ShapeError, match="returns has 2 values for 1 assets"):
        step_day(open_book(1.0, n_assets=1), np.zeros(2), execution=FREE)


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_a_book_starts_with_a_value(value: float) -> None:
    with pytest.raises(RangeError, match="value"):
        open_book(value, n_assets=1)


def test_a_history_has_a_day() -> None:
    with pytest.raises(ShapeError, match="days is empty"):
        collect([])


def test_an_asset_that_never_traded_has_no_last_day() -> None:
    assert last_traded_day(np.array([[np.nan, 1.0], [np.nan, 2.0]])).tolist() == [-1, 1]


def test_impossible_rules_are_refused() -> None:
    with pytest.raises(RangeError, match="max_participation"):
        Execution(max_participation=-0.1)
    with pytest.raises(RangeError, match="delisting_return"):
        Execution(delisting_return=-1.1)
