"""Tiles: squares of 64 by 64 slots, in which second moments and live rows are packed for training."""

__all__ = ["ROTATIONS", "TILE_ROWS", "WIDTH"]

WIDTH = 64
# A ciphertext of the training set has 8,192 slots: two squares.
TILE_ROWS = 128
_DOUBLINGS = tuple(1 << power for power in range(6))
# Sums over a square's rows, sums over its columns, and the way back along a row.
ROTATIONS = (
    *(WIDTH * step for step in _DOUBLINGS),
    *_DOUBLINGS,
    *(-step for step in _DOUBLINGS),
)
