import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from crowdalpha.ensemble import cluster_correlation, cluster_models, match_labels, redundancy
from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.checks import NonFiniteError, RangeError, ShapeError


def themed(n_models: int, n_themes: int, seed: int) -> tuple[FloatArray, NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    themes = rng.integers(0, n_themes, n_models)
    shared = rng.standard_normal((300, n_themes))
    return shared[:, themes] + 0.7 * rng.standard_normal((300, n_models)), themes


def test_clusters_are_the_themes() -> None:
    signals, themes = themed(60, 5, 1)

    labels = cluster_models(signals, n_clusters=5, rng=np.random.default_rng(0))

    assert adjusted_rand_score(themes, labels) == pytest.approx(1.0)


def test_thousands_of_models_gather_around_prototypes() -> None:
    signals, themes = themed(2_500, 6, 2)

    labels = cluster_models(signals, n_clusters=6, rng=np.random.default_rng(0))

    assert adjusted_rand_score(themes, labels) > 0.98


def test_clones_are_those_above_a_correlation() -> None:
    C = np.array([[1.0, 0.95, 0.2], [0.95, 1.0, 0.3], [0.2, 0.3, 1.0]])

    np.testing.assert_array_equal(cluster_correlation(C, above=0.9), [0, 0, 1])
    np.testing.assert_array_equal(cluster_correlation(C, above=0.97), [0, 1, 2])


def test_a_model_of_all_ties_stands_alone() -> None:
    signals, _ = themed(8, 1, 3)
    signals[:, 3] = 0.4

    labels = cluster_models(signals, n_clusters=2, rng=np.random.default_rng(0))

    assert (labels == labels[3]).sum() == 1


def test_new_clusters_keep_the_names_of_the_old() -> None:
    np.testing.assert_array_equal(match_labels(np.array([0, 0, 1, 2]), np.array([2, 2, 0, 0])), [2, 2, 0, 1])


def test_redundancy_against_all_pairs() -> None:
    signals, themes = themed(12, 3, 4)
    C = np.atleast_2d(np.corrcoef(signals.T))

    found = redundancy(signals, themes, np.ones(12))

    for place, label in enumerate(np.unique(themes)):
        mine = np.flatnonzero(themes == label)
        pairs = C[np.ix_(mine, mine)][np.triu_indices(len(mine), 1)]
        assert found.correlation[place] == pytest.approx(pairs.mean())
        assert found.opinions[place] == pytest.approx(len(mine) / (1 + (len(mine) - 1) * pairs.mean()))
        assert found.weight[place] == pytest.approx(len(mine) / 12)


def test_unusable_input_is_refused() -> None:
    with pytest.raises(ShapeError, match="square"):
        cluster_correlation(np.ones((2, 3)), n_clusters=2)
    with pytest.raises(NonFiniteError, match="correlation"):
        cluster_correlation(np.array([[1.0, np.nan], [np.nan, 1.0]]), n_clusters=2)
    with pytest.raises(RangeError, match="n_clusters is None"):
        cluster_correlation(np.eye(2))
    with pytest.raises(ShapeError, match="labels"):
        redundancy(np.eye(3), np.array([0]), np.ones(3))
