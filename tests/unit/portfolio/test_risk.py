import numpy as np
import pandas as pd
import pytest

from crowdalpha.portfolio import FactorRisk, bias_statistic, estimate_risk
from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.checks import NonFiniteError, RangeError, ShapeError


def true_risk(rng: np.random.Generator, *, n_assets: int = 100) -> FactorRisk:
    """A market, two groups that add up to it, and a style."""
    groups = np.eye(2)[np.arange(n_assets) % 2]
    loadings = np.column_stack([np.ones(n_assets), groups, rng.standard_normal(n_assets)])
    specific = (0.015 * np.exp(0.4 * rng.standard_normal(n_assets))) ** 2
    return FactorRisk(loadings, np.diag([0.01, 0.004, 0.006, 0.003]) ** 2, specific)


def draw(risk: FactorRisk, rng: np.random.Generator, *, n_days: int) -> FloatArray:
    factors = rng.standard_normal((n_days, 4)) * np.sqrt(np.diag(risk.factor_covariance))
    noise = rng.standard_normal((n_days, len(risk.loadings))) * np.sqrt(risk.specific_variance)
    return factors @ risk.loadings.T + noise


def unshrunk(returns: FloatArray, exposures: FloatArray, *, half_life_days: float = 1e9) -> FactorRisk:
    return estimate_risk(
        returns,
        exposures,
        half_life_days=half_life_days,
        factor_shrinkage=0.0,
        specific_prior_days=0.0,
        specific_floor=0.0,
    )


def test_variance_is_what_the_full_covariance_says() -> None:
    risk = true_risk(np.random.default_rng(0))
    weights = np.random.default_rng(1).standard_normal(100)
    covariance = risk.loadings @ risk.factor_covariance @ risk.loadings.T + np.diag(risk.specific_variance)

    assert risk.variance(weights) == pytest.approx(weights @ covariance @ weights)


def test_twenty_days_have_twenty_times_the_variance() -> None:
    risk = true_risk(np.random.default_rng(0))
    weights = np.ones(100) / 100

    assert risk.scaled(20).variance(weights) == pytest.approx(20 * risk.variance(weights))


def test_factor_covariance_is_that_of_least_squares_factor_returns() -> None:
    rng = np.random.default_rng(2)
    exposures, returns = rng.standard_normal((30, 3)), rng.standard_normal((50, 30))
    factor_returns = np.linalg.lstsq(exposures, returns.T, rcond=None)[0]

    risk = unshrunk(returns, exposures)

    np.testing.assert_allclose(risk.factor_covariance, factor_returns @ factor_returns.T / 50, rtol=1e-6)


def test_specific_variance_is_the_residual_variance_with_lost_freedom_given_back() -> None:
    rng = np.random.default_rng(3)
    exposures, returns = rng.standard_normal((30, 3)), rng.standard_normal((50, 30))
    residuals = returns.T - exposures @ np.linalg.lstsq(exposures, returns.T, rcond=None)[0]

    risk = unshrunk(returns, exposures)

    np.testing.assert_allclose(risk.specific_variance, (residuals**2).mean(axis=1) * 30 / 27, rtol=1e-6)


def test_weights_decay_like_those_of_pandas() -> None:
    returns = np.random.default_rng(4).standard_normal((40, 5)) * np.ones(5)
    market = returns.mean(axis=1)
    expected = pd.Series(market**2).ewm(halflife=10).mean().iloc[-1]

    risk = unshrunk(returns, np.ones((5, 1)), half_life_days=10)

    assert risk.factor_covariance[0, 0] == pytest.approx(expected)


def test_days_with_gaps_are_regressed_on_those_who_traded() -> None:
    rng = np.random.default_rng(5)
    exposures, returns = rng.standard_normal((30, 3)), rng.standard_normal((1, 30))
    returns[0, :7] = np.nan
    factor_returns = np.linalg.lstsq(exposures[7:], returns[0, 7:], rcond=None)[0]

    risk = unshrunk(returns, exposures)

    expected = factor_returns[:, None] * factor_returns
    np.testing.assert_allclose(risk.factor_covariance, expected, rtol=1e-6)


def test_a_day_on_which_a_whole_group_did_not_trade_is_used_for_the_others() -> None:
    groups = np.eye(2)[np.arange(20) % 2]
    returns = np.tile([0.01, np.nan], 10)[None, :]

    risk = unshrunk(returns, groups)

    np.testing.assert_allclose(risk.factor_covariance, np.diag([1e-4, 0.0]), atol=1e-12)


def test_a_redundant_exposure_does_not_change_the_risk_of_a_book() -> None:
    rng = np.random.default_rng(6)
    truth = true_risk(rng)
    returns, weights = draw(truth, rng, n_days=300), rng.standard_normal(100)

    full, fewer = unshrunk(returns, truth.loadings), unshrunk(returns, truth.loadings[:, 1:])

    assert full.variance(weights) == pytest.approx(fewer.variance(weights), rel=1e-6)


def test_books_have_the_risk_that_they_truly_have() -> None:
    rng = np.random.default_rng(7)
    truth = true_risk(rng)
    risk = estimate_risk(draw(truth, rng, n_days=1500), truth.loadings, half_life_days=500)

    ratios = [risk.variance(book) / truth.variance(book) for book in rng.standard_normal((50, 100))]

    assert 0.9 < float(np.mean(ratios)) ** 0.5 < 1.1


def test_a_specific_variance_with_little_evidence_is_shrunk_to_the_median() -> None:
    # One factor that explains nothing; asset 4 was seen on 20 of 60 days, the others always.
    returns = np.where(np.arange(60) % 2, 1.0, -1.0)[:, None] * np.array([0.01, -0.01, 0.01, -0.01, 0.0])
    returns[:, 4] = np.where(np.arange(60) < 20, 0.03 * np.where(np.arange(60) % 2, 1, -1), np.nan)
    raw = unshrunk(returns, np.full((5, 1), 1e-9)).specific_variance

    shrunk = estimate_risk(returns, np.full((5, 1), 1e-9), half_life_days=1e9, specific_prior_days=20).specific_variance

    assert shrunk[4] == pytest.approx((raw[4] + np.median(raw)) / 2)
    assert shrunk[0] == pytest.approx(0.75 * raw[0] + 0.25 * np.median(raw))


def test_an_asset_without_a_return_gets_the_median_and_none_falls_below_the_floor() -> None:
    returns = np.random.default_rng(8).standard_normal((80, 9)) * np.array([0.001, 1, 1, 1, 1, 1, 1, 1, np.nan])

    specific = estimate_risk(returns, np.ones((9, 1)), specific_floor=0.5).specific_variance

    assert specific[0] == pytest.approx(0.5 * specific[8])
    assert specific.min() == specific[0]


def test_factor_shrinkage_touches_correlations_only() -> None:
    rng = np.random.default_rng(9)
    returns, exposures = rng.standard_normal((40, 12)), rng.standard_normal((12, 3))
    plain = unshrunk(returns, exposures).factor_covariance

    shrunk = estimate_risk(returns, exposures, half_life_days=1e9, factor_shrinkage=0.4).factor_covariance

    np.testing.assert_allclose(shrunk, 0.6 * plain + 0.4 * np.diag(np.diag(plain)))


@pytest.mark.parametrize(
    ("returns", "exposures", "error", "message"),
    [
        (np.zeros((5, 3)), np.ones((4, 1)), ShapeError, "returns has 3 assets and exposures 4"),
        (np.zeros((5, 3)), np.full((3, 1), np.nan), NonFiniteError, "exposures has a NaN"),
        (np.full((5, 3), np.inf), np.ones((3, 1)), NonFiniteError, "returns holds an infinity"),
        (np.full((5, 3), np.nan), np.ones((3, 1)), NonFiniteError, "no day has more than 1 returns"),
        (np.zeros((5, 2)), np.eye(2), NonFiniteError, "no day has more than 2 returns"),
    ],
)
def test_what_cannot_be_estimated_is_refused(
    returns: FloatArray, exposures: FloatArray, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        estimate_risk(returns, exposures)


def test_options_have_ranges() -> None:
    with pytest.raises(RangeError, match="half_life_days"):
        estimate_risk(np.zeros((5, 3)), np.ones((3, 1)), half_life_days=0)
    with pytest.raises(RangeError, match="factor_shrinkage"):
        estimate_risk(np.zeros((5, 3)), np.ones((3, 1)), factor_shrinkage=1.5)


def test_bias_is_one_for_returns_as_large_as_predicted() -> None:
    assert bias_statistic(np.array([0.01, -0.02]), np.array([0.01, 0.02])) == pytest.approx(1.0)


def test_bias_needs_a_prediction_above_zero() -> None:
    with pytest.raises(RangeError, match="predicted_volatility"):
        bias_statistic(np.array([0.01]), np.array([0.0]))
