import numpy as np
import pytest

from crowdalpha.market.returns import carried_prices
from crowdalpha.market.targets import factor_basis, forward_returns, residuals, tilt_weights, window_end

NAN = np.nan
EVERYONE = np.ones(50, dtype=bool)


def test_the_window_starts_after_the_lag() -> None:
    prices = np.array([[1.0], [2.0], [4.0], [8.0], [10.0]])

    assert forward_returns(prices, 0, horizon_days=2).tolist() == [1.5]
    assert forward_returns(prices, 0, horizon_days=1, lag_days=0).tolist() == [1.0]
    assert window_end(0, horizon_days=2) == 4


def test_a_window_past_the_panel_is_unknown() -> None:
    assert np.isnan(forward_returns(np.ones((5, 2)), 1, horizon_days=2)).all()


def test_a_delisted_asset_counts_to_its_last_price() -> None:
    prices = carried_prices(np.array([[5.0, 5.0], [5.0, NAN], [4.0, NAN], [3.0, NAN], [NAN, NAN]]))

    np.testing.assert_allclose(forward_returns(prices, 0, horizon_days=2), [-0.25, 0.0])


@pytest.fixture
def exposures() -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    rng = np.random.default_rng(1)
    dummies = np.eye(4)[np.arange(50) % 4]
    return np.column_stack([np.ones(50), dummies, rng.normal(size=(50, 3)), np.zeros(50)])


def test_basis_is_orthonormal_and_has_the_rank_of_the_factors(
    exposures: np.ndarray[tuple[int, int], np.dtype[np.float64]],
) -> None:
    basis = factor_basis(exposures)

    assert basis.shape == (50, np.linalg.matrix_rank(exposures))
    np.testing.assert_allclose(basis.T @ basis, np.eye(7), atol=1e-12)


def test_residuals_are_those_of_least_squares(
    exposures: np.ndarray[tuple[int, int], np.dtype[np.float64]],
) -> None:
    returns = np.random.default_rng(2).normal(size=50)
    fitted = exposures @ np.linalg.lstsq(exposures, returns, rcond=None)[0]

    np.testing.assert_allclose(residuals(returns, factor_basis(exposures), EVERYONE), returns - fitted, atol=1e-12)


def test_residuals_are_orthogonal_to_every_factor(
    exposures: np.ndarray[tuple[int, int], np.dtype[np.float64]],
) -> None:
    left = residuals(np.random.default_rng(3).normal(size=50), factor_basis(exposures), EVERYONE)

    np.testing.assert_allclose(exposures.T @ left, 0.0, atol=1e-13)


def test_assets_outside_the_universe_change_nothing_and_get_nothing() -> None:
    member = np.array([True, True, True, False])
    basis = factor_basis(np.ones((3, 1)))

    np.testing.assert_allclose(residuals(np.array([1.0, 2.0, 6.0, 99.0]), basis, member), [-2.0, -1.0, 3.0, NAN])


def test_no_more_assets_than_factors_leaves_nothing() -> None:
    assert np.isnan(residuals(np.array([1.0, 2.0]), factor_basis(np.eye(2)), np.array([True, True]))).all()


def test_weighted_residuals_are_those_of_weighted_least_squares(
    exposures: np.ndarray[tuple[int, int], np.dtype[np.float64]],
) -> None:
    rng = np.random.default_rng(4)
    returns, weights = rng.normal(size=50), rng.uniform(0.1, 1.0, size=50)
    roots = np.sqrt(weights)
    fitted = exposures @ np.linalg.lstsq(exposures * roots[:, None], returns * roots, rcond=None)[0]
    found = residuals(returns, factor_basis(exposures * roots[:, None]), EVERYONE, weights=weights)

    np.testing.assert_allclose(found, weights * (returns - fitted), atol=1e-12)
    np.testing.assert_allclose(exposures.T @ found, 0.0, atol=1e-12)


def test_weights_are_even_around_a_half() -> None:
    np.testing.assert_allclose(tilt_weights(np.array([-9.0, 0.0, 9.0])), [0.0, 0.5, 1.0], atol=1e-12)
