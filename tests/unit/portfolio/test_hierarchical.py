import numpy as np
import pytest
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.optimize import LinearConstraint, minimize

from crowdalpha.portfolio import correlation_clusters, hierarchical_risk_parity, minimum_variance, nested_clusters
from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.checks import NonFiniteError, RangeError, ShapeError


def drawn(seed: int, n: int) -> FloatArray:
    root = np.random.default_rng(seed).standard_normal((n, 3 * n))
    covariance: FloatArray = root @ root.T / n
    return covariance


def two_blocks() -> FloatArray:
    """Two pairs, correlated 0.9 inside and not at all between."""
    block = np.array([[1.0, 0.9], [0.9, 1.0]])
    return np.block([[block, np.zeros((2, 2))], [np.zeros((2, 2)), block]])


def recursive_parity(covariance: FloatArray, order: list[int]) -> dict[int, float]:
    """The paper's recursion as it is written there."""
    if len(order) == 1:
        return {order[0]: 1.0}
    halves = order[: len(order) // 2], order[len(order) // 2 :]
    variances = []
    for half in halves:
        inverse = np.array([1 / covariance[i, i] for i in half])
        inverse = inverse / inverse.sum()
        variances.append(
            sum(inverse[a] * inverse[b] * covariance[i, j] for a, i in enumerate(half) for b, j in enumerate(half))
        )
    left = 1 - variances[0] / (variances[0] + variances[1])
    weights: dict[int, float] = {}
    for share, half in zip((left, 1 - left), halves, strict=True):
        weights |= {asset: share * weight for asset, weight in recursive_parity(covariance, half).items()}
    return weights


def test_parity_is_the_recursion_of_the_paper() -> None:
    covariance = drawn(0, 9)
    deviation = np.sqrt(np.diag(covariance))
    distance = np.sqrt(np.clip((1 - covariance / np.outer(deviation, deviation)) / 2, 0, None))
    order = leaves_list(linkage(distance[np.triu_indices(9, 1)], "single")).tolist()

    expected = recursive_parity(covariance, order)

    np.testing.assert_allclose(hierarchical_risk_parity(covariance), [expected[asset] for asset in range(9)])


def test_parity_of_uncorrelated_assets_is_inverse_variance() -> None:
    np.testing.assert_allclose(hierarchical_risk_parity(np.diag([1.0, 2.0, 4.0, 4.0])), np.array([4, 2, 1, 1]) / 8)


def test_alike_blocks_share_alike() -> None:
    np.testing.assert_allclose(hierarchical_risk_parity(two_blocks()), 0.25)
    np.testing.assert_allclose(nested_clusters(two_blocks(), n_clusters=2), 0.25)


def test_parity_needs_no_inverse() -> None:
    singular = np.ones((3, 3))

    np.testing.assert_allclose(hierarchical_risk_parity(singular).sum(), 1.0)


@pytest.mark.parametrize("seed", range(3))
def test_least_variance_is_what_a_general_optimiser_finds(seed: int) -> None:
    covariance = drawn(seed, 6)

    found = minimum_variance(covariance)

    def variance(weights: FloatArray) -> float:
        return float(weights @ covariance @ weights)

    general = minimize(
        variance,
        np.full(6, 1 / 6),
        method="SLSQP",
        bounds=[(0.0, 1.0)] * 6,
        constraints=LinearConstraint(np.ones((1, 6)), 1.0, 1.0),
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert found @ covariance @ found <= general.fun * (1 + 1e-9)
    np.testing.assert_allclose(found, general.x, atol=1e-4)


@pytest.mark.parametrize("n_clusters", [1, 7])
def test_one_cluster_and_one_a_piece_are_least_variance(n_clusters: int) -> None:
    covariance = drawn(5, 7)

    np.testing.assert_allclose(
        nested_clusters(covariance, n_clusters=n_clusters), minimum_variance(covariance), atol=1e-9
    )


def test_clusters_are_the_blocks_in_order_of_appearance() -> None:
    mixed = two_blocks()[np.ix_([2, 0, 3, 1], [2, 0, 3, 1])]

    assert correlation_clusters(mixed, n_clusters=2).tolist() == [0, 1, 0, 1]


def test_a_single_asset_gets_everything() -> None:
    one = np.array([[2.0]])

    assert hierarchical_risk_parity(one).tolist() == nested_clusters(one).tolist() == [1.0]


def test_what_is_no_covariance_is_refused() -> None:
    with pytest.raises(ShapeError, match="square"):
        hierarchical_risk_parity(np.ones((2, 3)))
    with pytest.raises(NonFiniteError, match="covariance"):
        minimum_variance(np.array([[np.nan]]))
    with pytest.raises(RangeError, match="asset 1 has no variance"):
        nested_clusters(np.diag([1.0, 0.0]))
    with pytest.raises(RangeError, match="denoise or shrink"):
        minimum_variance(np.ones((2, 2)))
    with pytest.raises(RangeError, match="n_clusters is 3"):
        correlation_clusters(np.eye(2), n_clusters=3)
