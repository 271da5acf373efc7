"""How features correlate with each other, era by era: a fingerprint of the week that hidden names do not hide."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["chosen_pairs", "high_pass", "pair_series", "standard"]

HALF_WINDOW = 13
Float32Array = NDArray[np.float32]


def chosen_pairs(n_columns: int, *, limit: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Choose pairs of different columns.

    Parameters
    ----------
    n_columns : int
        Number of columns.
    limit : int
        Largest number of pairs.
    rng : numpy.random.Generator
        Chooses where there are more.

    Returns
    -------
    ndarray of shape (2, n_pairs), dtype=int64
        First and second column of each pair.

    Notes
    -----
    NaN policy: not applicable (integers). Cost: O(n_columns**2).
    """
    pairs = np.array(np.triu_indices(n_columns, k=1), dtype=np.int64)
    if pairs.shape[1] <= limit:
        return pairs
    return pairs[:, np.sort(rng.permutation(pairs.shape[1])[:limit])]


def pair_series(eras: Sequence[Float32Array], pairs: NDArray[np.int64]) -> Float32Array:
    """Correlate the columns of each pair in each era.

    Parameters
    ----------
    eras : sequence of ndarray of shape (n_rows, n_columns), dtype=float32
        Normal scores, as `gaussian_scores` gives them.
    pairs : ndarray of shape (2, n_pairs), dtype=int64
        Columns.

    Returns
    -------
    ndarray of shape (n_eras, n_pairs), dtype=float32
        Mean products, which are correlations where nothing is missing.

    Notes
    -----
    NaN policy: refuse (there are none). Cost: O(n_eras * n_rows * n_columns**2).
    """
    return np.stack([(scores.T @ scores / max(len(scores), 1))[pairs[0], pairs[1]] for scores in eras])


def high_pass(series: Float32Array) -> Float32Array:
    """Take from each era the mean of the 27 eras around it: what drifts slowly would fit every date."""
    n_eras = len(series)
    total = np.concatenate([np.zeros((1, series.shape[1])), np.cumsum(series, axis=0, dtype=np.float64)])
    era = np.arange(n_eras)
    first, last = np.maximum(era - HALF_WINDOW, 0), np.minimum(era + HALF_WINDOW + 1, n_eras)
    mean = (total[last] - total[first]) / (last - first)[:, None]
    passed: Float32Array = (series - mean).astype(np.float32)
    return passed


def standard(series: Float32Array) -> Float32Array:
    """Scale each column to mean 0 and length 1, so that products of two are correlations; constant columns to 0."""
    centred = series - series.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    scaled: Float32Array = centred / np.where(length > 0, length, 1)
    return scaled
