import numpy as np
import pytest
from sklearn.covariance import ledoit_wolf

from crowdalpha.portfolio import denoise, detone, shrink, signal_count
from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.checks import NonFiniteError, RangeError, ShapeError


def factor_returns(seed: int, *, n_days: int, n_assets: int, n_factors: int) -> tuple[FloatArray, FloatArray]:
    """Draw returns of known covariance: strong factors and equal specific variances."""
    rng = np.random.default_rng(seed)
    loadings = rng.normal(0, 0.01, (n_assets, n_factors))
    drawn = rng.standard_normal((n_days, n_factors)) @ loadings.T + rng.normal(0, 0.01, (n_days, n_assets))
    return drawn, loadings @ loadings.T + 1e-4 * np.eye(n_assets)


def least_variance(covariance: FloatArray) -> FloatArray:
    weights = np.linalg.solve(covariance, np.ones(len(covariance))).astype(np.float64)
    total: FloatArray = weights / weights.sum()
    return total


@pytest.mark.parametrize(("n_days", "n_assets"), [(200, 10), (20, 50), (2, 3)])
def test_shrinkage_is_that_of_scikit_learn(n_days: int, n_assets: int) -> None:
    returns = np.random.default_rng(n_days).normal(0.001, 0.02, (n_days, n_assets))

    covariance, share = shrink(returns)

    expected, expected_share = ledoit_wolf(returns)
    np.testing.assert_allclose(covariance, expected, rtol=1e-10, atol=1e-16)
    assert share == pytest.approx(expected_share, abs=1e-12)


@pytest.mark.parametrize(("n_days", "n_assets"), [(400, 200), (300, 300), (120, 600)])
def test_as_many_factors_are_kept_as_there_are(n_days: int, n_assets: int) -> None:
    counts = []
    for seed in range(5):
        returns, _ = factor_returns(seed, n_days=n_days, n_assets=n_assets, n_factors=5)
        assert denoise(returns).loadings.shape[1] >= 5
        counts.append(signal_count(returns))

    assert min(counts) == 5
    assert max(counts) <= 8
    assert np.mean(counts) < 6


def test_noise_has_no_factor() -> None:
    counts = [signal_count(np.random.default_rng(seed).standard_normal((300, 100))) for seed in range(20)]

    assert sum(count == 0 for count in counts) >= 18


def test_unequal_noise_is_not_counted_as_factors() -> None:
    rng = np.random.default_rng(0)
    scales = np.exp(rng.normal(0, 0.7, 150))
    returns = (rng.standard_normal((400, 3)) @ rng.normal(0, 1, (3, 150)) + rng.standard_normal((400, 150))) * scales

    assert signal_count(returns) in {3, 4}


def test_denoising_keeps_the_variances_and_is_positive_definite_where_the_sample_is_not() -> None:
    returns, _ = factor_returns(0, n_days=100, n_assets=300, n_factors=5)

    covariance = denoise(returns).covariance()

    np.testing.assert_allclose(np.diag(covariance), returns.var(axis=0))
    assert np.linalg.eigvalsh(covariance)[0] > 1e-6
    assert np.linalg.matrix_rank(np.cov(returns.T)) == 99


def test_both_ways_to_the_spectrum_agree() -> None:
    """One day more than assets is decomposed by assets, one less by days; the two are nearly the same sample."""
    returns, _ = factor_returns(1, n_days=121, n_assets=120, n_factors=4)

    tall, wide = denoise(returns).covariance(), denoise(returns[:119]).covariance()

    assert np.abs(tall - wide).max() < 0.15 * tall.diagonal().max()


def test_the_low_rank_form_is_the_textbook_recipe() -> None:
    """Eigenvalues below the edge replaced by their mean, and the diagonal set to one again."""
    returns, _ = factor_returns(2, n_days=400, n_assets=60, n_factors=3)
    risk = denoise(returns, debias=False)
    kept = risk.loadings.shape[1]

    values, vectors = np.linalg.eigh(np.corrcoef(returns.T))
    values[:-kept] = values[:-kept].mean()
    cleaned = (vectors * values) @ vectors.T
    scale = returns.std(axis=0) / np.sqrt(np.diag(cleaned))

    np.testing.assert_allclose(risk.covariance(), cleaned * np.outer(scale, scale), atol=1e-15)


def test_the_book_of_least_variance_is_better_and_more_honest_after_denoising() -> None:
    returns, truth = factor_returns(3, n_days=250, n_assets=200, n_factors=10)
    best = 1 / np.linalg.inv(truth).sum()

    found = {}
    for name, estimate in (("sample", np.cov(returns.T)), ("denoised", denoise(returns).covariance())):
        weights = least_variance(estimate)
        real = weights @ truth @ weights
        found[name] = (real / best, weights @ estimate @ weights / real)

    assert found["sample"][0] > 2
    assert found["denoised"][0] < 1.3
    assert found["sample"][1] < 0.2
    assert found["denoised"][1] > 0.6


def test_a_detoned_market_is_gone() -> None:
    rng = np.random.default_rng(4)
    correlation = np.array(np.corrcoef((rng.standard_normal((500, 1)) + rng.standard_normal((500, 20))).T))

    removed = detone(correlation)

    off_diagonal = ~np.eye(20, dtype=bool)
    assert correlation[off_diagonal].mean() > 0.4
    assert abs(removed[off_diagonal].mean()) < 0.1
    np.testing.assert_allclose(np.diag(removed), 1.0)
    assert np.linalg.eigvalsh(removed)[0] == pytest.approx(0.0, abs=1e-10)


def test_nothing_removed_changes_nothing() -> None:
    correlation = np.array([[1.0, 0.3], [0.3, 1.0]])

    np.testing.assert_allclose(detone(correlation, n_removed=0), correlation)


def test_what_cannot_be_estimated_is_refused_by_name() -> None:
    returns = np.random.default_rng(0).standard_normal((10, 3))
    still, gap = returns.copy(), returns.copy()
    still[:, 1] = 0.5
    gap[4, 2] = np.nan

    with pytest.raises(RangeError, match="asset 1 never moved"):
        denoise(still)
    with pytest.raises(NonFiniteError, match="day 4 for asset 2"):
        shrink(gap)
    with pytest.raises(RangeError, match="number of days"):
        signal_count(returns[:1])
    with pytest.raises(ShapeError, match="square"):
        detone(returns)
    with pytest.raises(RangeError, match="n_removed"):
        detone(np.eye(3), n_removed=3)
