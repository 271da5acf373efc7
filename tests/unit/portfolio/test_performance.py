import numpy as np
import pytest

from crowdalpha.portfolio import performance, realized_exposures
from crowdalpha.scoring.checks import NonFiniteError, RangeError, ShapeError


def test_results_are_annualised_with_252_days() -> None:
    result = performance(np.array([0.01, 0.03]))

    assert result.annual_return == pytest.approx(0.02 * 252)
    assert result.annual_volatility == pytest.approx(0.01 * 252**0.5)
    assert result.sharpe == pytest.approx(2 * 252**0.5)


def test_drawdown_is_measured_on_compounded_value_from_the_start() -> None:
    assert performance(np.array([-0.1, -0.1, 0.5])).max_drawdown == pytest.approx(1 - 0.9**2)
    assert performance(np.array([0.5, -0.2, 0.1, -0.2])).max_drawdown == pytest.approx(1 - 0.8 * 1.1 * 0.8)


def test_a_book_that_only_rises_never_falls() -> None:
    assert performance(np.array([0.01, 0.02])).max_drawdown == 0


def test_the_sharpe_of_what_does_not_vary_is_undefined() -> None:
    result = performance(np.full(7, 0.1))

    assert np.isnan(result.sharpe)
    assert result.annual_volatility == 0


def test_returns_must_be_possible() -> None:
    with pytest.raises(RangeError, match="row 1"):
        performance(np.array([0.1, -1.0]))
    with pytest.raises(NonFiniteError, match="daily_returns"):
        performance(np.array([np.nan]))
    with pytest.raises(ShapeError, match="daily_returns"):
        performance(np.array([]))


def test_exposures_may_change_from_day_to_day() -> None:
    weights = np.array([[1.0, -1.0], [0.5, 0.5]])
    daily = np.array([[[1.0], [2.0]], [[3.0], [np.nan]]])

    np.testing.assert_allclose(realized_exposures(weights, daily), [[-1.0], [1.5]])


def test_exposures_may_stay_the_same() -> None:
    weights = np.array([[1.0, -1.0], [0.5, 0.5]])

    np.testing.assert_allclose(realized_exposures(weights, np.array([[1.0], [2.0]])), [[-1.0], [1.5]])


def test_exposures_must_fit_the_weights() -> None:
    with pytest.raises(ShapeError, match="exposures"):
        realized_exposures(np.ones((3, 2)), np.ones((3, 1)))
