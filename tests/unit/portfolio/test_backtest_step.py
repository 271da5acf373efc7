import numpy as np
import pytest

from crowdalpha.portfolio import BankruptBookError, Book, CostModel, Execution, open_book, step_day
from crowdalpha.scoring.checks import NonFiniteError, RangeError, ShapeError

NOTHING = CostModel(half_spread_bps=0, commission_bps=0, impact=0, borrow_bps_per_year=0)
FREE = Execution(costs=NOTHING)
LINEAR = Execution(costs=CostModel(half_spread_bps=9, commission_bps=1, impact=0, borrow_bps_per_year=0))


def test_positions_drift_with_their_returns() -> None:
    day = step_day(Book(1.0, np.array([0.5, -0.5])), np.array([0.2, 0.1]), execution=FREE)

    np.testing.assert_allclose(day.book.weights, [0.6 / 1.05, -0.55 / 1.05])
    assert day.daily_return == pytest.approx(0.05)
    assert day.gross == pytest.approx(1.15 / 1.05)
    assert day.net == pytest.approx(0.05 / 1.05)


def test_costs_leave_the_cash_and_not_the_positions() -> None:
    day = step_day(open_book(1.0, n_assets=1), np.array([0.0]), np.array([1.0]), execution=LINEAR)

    assert day.book.value == pytest.approx(0.999)
    assert day.book.value * day.book.weights[0] == pytest.approx(1.0)


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
    volatility, adv = np.full(2, 0.02), np.array([4e5, 4e6])

    day = step_day(
        open_book(1e6, n_assets=2), np.zeros(2), np.array([-0.1, 0.1]), volatility=volatility, adv=adv, execution=rules
    )

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
    volatility, adv = np.array([0.02]), np.array([1e6])

    small, large = (
        step_day(open_book(value, n_assets=1), np.zeros(1), np.ones(1), volatility=volatility, adv=adv, execution=rules)
        for value in (1e4, 2e4)
    )

    assert large.trade_cost == pytest.approx(2**0.5 * small.trade_cost)


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


def test_impossible_rules_are_refused() -> None:
    with pytest.raises(RangeError, match="max_participation"):
        Execution(max_participation=-0.1)
    with pytest.raises(RangeError, match="delisting_return"):
        Execution(delisting_return=-1.1)


def test_what_nobody_lends_is_not_sold_short_and_a_long_in_it_can_be_closed() -> None:
    costs = CostModel(half_spread_bps=0, commission_bps=0, impact=0, borrow_bps_per_year=np.array([np.inf, 0.0]))

    day = step_day(
        Book(1.0, np.array([0.3, 0.0])), np.zeros(2), np.array([-0.5, -0.5]), execution=Execution(costs=costs)
    )

    np.testing.assert_allclose(day.book.weights, [0.0, -0.5])
    assert day.untraded == pytest.approx(0.5)


def test_each_part_of_a_day_worked_by_hand() -> None:
    # 60 long and 40 short of 100; the long gains 10 %, the short 5 %: 6 - 2 = 4. A night of borrow at 1 bp of 40,
    # interest at 2 bp on the 40 of own cash and on the 40 of proceeds.
    costs = CostModel(
        half_spread_bps=5, commission_bps=5, impact=1, borrow_bps_per_year=252, cash_bps_per_year=504, execution_days=1
    )
    volatility, adv = np.full(2, 0.02), np.array([1e4, 1e4])

    day = step_day(
        Book(100.0, np.array([0.6, -0.4])),
        np.array([0.1, 0.05]),
        np.array([np.nan, 0.0]),
        volatility=volatility,
        adv=adv,
        execution=Execution(costs=costs),
    )

    np.testing.assert_allclose(day.earned, [0.06, -0.02])
    assert day.borrow_cost == pytest.approx(0.4e-4)
    assert day.financing_cost == pytest.approx(-0.8 * 2e-4)
    # 42 are bought back: 10 bp of it, and 2 % times the root of 42 in 10,000.
    assert day.linear_cost == pytest.approx(0.42 * 1e-3)
    assert day.impact_cost == pytest.approx(0.42 * 0.02 * (42 / 1e4) ** 0.5)
    assert day.book.value == pytest.approx(
        100 * (1 + 0.04 - 0.4e-4 + 1.6e-4 - day.linear_cost - day.impact_cost), rel=1e-12
    )


def test_each_name_has_its_own_delisting_return() -> None:
    rules = Execution(costs=NOTHING, delisting_return=np.array([-0.55, 0.2]))

    day = step_day(
        Book(1.0, np.array([0.5, 0.5])), np.full(2, np.nan), delisted=np.array([True, True]), execution=rules
    )

    np.testing.assert_allclose(day.earned, [-0.275, 0.1])
    assert day.gross == 0
