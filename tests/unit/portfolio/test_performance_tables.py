import numpy as np
import pandas as pd
import pytest

from crowdalpha.portfolio import (
    Backtest,
    CostModel,
    Execution,
    backtest,
    cost_attribution,
    drawdown,
    factor_attribution,
    monthly_returns,
)
from crowdalpha.scoring.checks import RangeError, ShapeError

FREE = Execution(costs=CostModel(half_spread_bps=0, commission_bps=0, impact=0, borrow_bps_per_year=0))


def hedged(returns: list[list[float]]) -> Backtest:
    """Half long, half short from the first close on, without costs."""
    return backtest(np.array(returns), {-1: np.array([0.5, -0.5])}, execution=FREE)


def test_months_are_those_of_pandas() -> None:
    dates = np.arange("2023-11-20", "2024-02-10", dtype="datetime64[D]")
    returns = np.random.default_rng(0).normal(0, 0.01, len(dates))

    table = monthly_returns(returns, dates)

    days = pd.DatetimeIndex(dates)
    by_month = pd.Series(1 + returns, index=days).groupby(days.to_period("M")).prod() - 1
    np.testing.assert_allclose(table.months[~np.isnan(table.months)], by_month.to_numpy())
    assert table.years.tolist() == [2023, 2024]
    np.testing.assert_array_equal(np.flatnonzero(~np.isnan(table.months[0])), [10, 11])


def test_a_year_without_a_day_has_no_row() -> None:
    dates = np.array(["2020-12-31", "2022-01-03"], dtype="datetime64[D]")

    table = monthly_returns(np.array([0.1, 0.2]), dates)

    assert table.years.tolist() == [2020, 2022]
    np.testing.assert_allclose(table.yearly, [0.1, 0.2])
    assert table.total == pytest.approx(0.32)


def test_drawdown_counts_from_the_start_and_from_the_peak() -> None:
    np.testing.assert_allclose(drawdown(np.array([-0.1, 0.5, -0.2, 0.5])), [0.1, 0.0, 0.2, 0.0])


def test_costs_by_kind_worked_by_hand() -> None:
    # 100 in cash; 50 bought and 50 sold for 10 bp; up 1 %, down 1 %: both sides earn 0.5; a night of borrow at 1 bp.
    costs = CostModel(half_spread_bps=6, commission_bps=4, impact=0, borrow_bps_per_year=252)
    book = backtest(
        np.array([[0.0, 0.0], [0.01, -0.01]]),
        {-1: np.array([0.5, -0.5])},
        value=100.0,
        execution=Execution(costs=costs),
    )

    parts = cost_attribution(book)

    assert parts.spread_and_commission == pytest.approx(0.1 / 100)
    assert parts.gross == pytest.approx(1.0 / 100)
    assert parts.borrow == pytest.approx(50 * 1e-4 / 100)
    assert parts.impact == parts.financing == 0
    assert book.value[-1] == pytest.approx(100 - 0.1 + 1.0 - 0.005)
    assert parts.net == pytest.approx(0.00895)


def test_a_move_of_a_factor_is_the_factors() -> None:
    # Loadings 1 and 0: the factor's return is that of the first asset, all of it.
    book = hedged([[0.0, 0.0], [0.1, 0.0]])

    parts = factor_attribution(
        book, np.array([[0.0, 0.0], [0.1, 0.0]]), np.array([[[1.0], [0.0]]]), era_of_day=np.zeros(2, dtype=np.intp)
    )

    np.testing.assert_allclose(parts, [[0.0, 0.0], [0.05, 0.0]], atol=1e-15)


def test_a_neutral_book_earns_from_no_factor() -> None:
    returns = [[0.0, 0.0], [0.03, 0.01]]

    parts = factor_attribution(
        hedged(returns), np.array(returns), np.ones((1, 2, 1)), era_of_day=np.zeros(2, dtype=np.intp)
    )

    # The market made 2 %, of which the book has nothing; it earned 0.5 * 3 % - 0.5 * 1 %.
    np.testing.assert_allclose(parts[1], [0.0, 0.01], atol=1e-15)


def test_before_the_first_era_and_without_exposures_everything_is_specific() -> None:
    returns = np.array([[0.0, 0.0], [0.1, 0.0], [0.1, 0.0]])
    book = hedged(returns.tolist())

    parts = factor_attribution(
        book, returns, np.array([[[np.nan], [1.0]]]), era_of_day=np.array([-1, -1, 0], dtype=np.intp)
    )

    np.testing.assert_array_equal(parts[:, 0], 0.0)
    np.testing.assert_allclose(parts[:, 1], book.earned.sum(axis=1))


def test_a_delisting_is_specific() -> None:
    returns = np.array([[0.0, 0.0], [np.nan, 0.0]])
    rules = Execution(costs=FREE.costs, delisting_return=-0.3)
    book = backtest(returns, {-1: np.array([0.5, -0.5])}, last_traded=np.array([0, 1]), execution=rules)

    parts = factor_attribution(book, returns, np.ones((1, 2, 1)), era_of_day=np.zeros(2, dtype=np.intp))

    assert parts[1].tolist() == [0.0, pytest.approx(-0.15)]


def test_shapes_must_fit() -> None:
    book, returns = hedged([[0.0, 0.0]]), np.zeros((1, 2))

    with pytest.raises(ShapeError, match="do not fit"):
        factor_attribution(book, returns, np.ones((1, 3, 1)), era_of_day=np.zeros(1, dtype=np.intp))
    with pytest.raises(ShapeError, match="era_of_day has 2"):
        factor_attribution(book, returns, np.ones((1, 2, 1)), era_of_day=np.zeros(2, dtype=np.intp))
    with pytest.raises(RangeError, match="from -1 to 0"):
        factor_attribution(book, returns, np.ones((1, 2, 1)), era_of_day=np.array([1], dtype=np.intp))
    with pytest.raises(ShapeError, match="dates has 1"):
        monthly_returns(np.zeros(2), np.array(["2024-01-01"], dtype="datetime64[D]"))
    with pytest.raises(ShapeError, match="no rows"):
        monthly_returns(np.zeros(0), np.zeros(0, dtype="datetime64[D]"))
