"""Tiles: squares of 64 by 64 slots, in which second moments and live rows are packed for training.

A vector lies in a square along its rows (slot (i, j) holds element i) or along its columns (element j). A product of a
symmetric matrix with a vector along rows comes out along columns with rotations alone: the sum over rows runs in a
circle. The way back needs a mask, for a sum along a row runs into the next one.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from crowdalpha.release.sealed.ring import Ciphertext, Ring

__all__ = ["ROTATIONS", "TILE_ROWS", "WIDTH", "first_column", "spread", "sum_columns", "sum_rows", "two_squares"]

WIDTH = 64
# A ciphertext of the training set has 8,192 slots: two squares.
TILE_ROWS = 128
_DOUBLINGS = tuple(1 << power for power in range(6))
_ROWS, _COLUMNS, _BACK = tuple(WIDTH * step for step in _DOUBLINGS), _DOUBLINGS, tuple(-step for step in _DOUBLINGS)
ROTATIONS = (*_ROWS, *_COLUMNS, *_BACK)


def two_squares(square: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lay a square of at most 64 by 64 into all slots, padded with zeros and repeated.

    Parameters
    ----------
    square : ndarray of shape (n, n), dtype=float64
        At most 64 on a side.

    Returns
    -------
    ndarray of shape (8192,), dtype=float64
        Slots.
    """
    padded = np.zeros((WIDTH, WIDTH))
    padded[: square.shape[0], : square.shape[1]] = square
    return np.tile(padded.ravel(), 2)


def sum_rows(ring: Ring, source: Ciphertext) -> Ciphertext:
    """Put the sum over all rows of a square into each of its rows; both squares have to be equal."""
    return _summed(ring, source, _ROWS)


def sum_columns(ring: Ring, source: Ciphertext) -> Ciphertext:
    """Put the sum over each row into its first slot; what comes into the others means nothing."""
    return _summed(ring, source, _COLUMNS)


def first_column(ring: Ring, source: Ciphertext, factor: float = 1.0) -> Ciphertext:
    """Keep the first slot of each row, times a factor; one level, the scale stays."""
    mask = np.zeros((TILE_ROWS, WIDTH))
    mask[:, 0] = factor
    prime = ring.primes[ring.level(source)]
    scale = source.scale
    kept = ring.rescaled(ring.scaled(source, mask.ravel(), float(prime)))
    kept.scale = scale  # exactly, but for rounding of floats
    return kept


def spread(ring: Ring, source: Ciphertext) -> Ciphertext:
    """Copy the first slot of each row into the whole row; the others have to be zero."""
    return _summed(ring, source, _BACK)


def _summed(ring: Ring, source: Ciphertext, steps: Iterable[int]) -> Ciphertext:
    total = source
    for step in steps:
        total = ring.added(ring.rotated(total, step), total)
    return total
