"""Features of one era as the kernels want them: small integers stay bytes, all else is doubles.

Both kinds answer the same questions. Integer features answer them exactly where integers can: their Gram matrix is a
sum of integers, so it is the same on every machine.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from crowdalpha.scoring import _kernels
from crowdalpha.scoring._threads import split
from crowdalpha.scoring.arrays import BoolArray, FloatArray, IndexArray, IntegerArray, SingleArray

# Features are multiplied four by four.
TILE = 4
# A span of integers that still fits a signed byte when the lowest becomes 0.
WIDEST_SPAN = 127
# Sums of integers below these are exact in single precision, and in the 32 bits that tiles are added up in.
EXACT_IN_SINGLE = 1 << 24
EXACT_IN_TILES = 1 << 31
# Up to so many models it is cheaper to read bytes for each than to make doubles for all.
FEW_MODELS = 8


@dataclass(frozen=True, eq=False)
class RealFeatures:
    """Features in doubles; `rows` has one varying feature a row, `varies` tells which those are."""

    rows: FloatArray
    varies: BoolArray

    @cached_property
    def means(self) -> FloatArray:
        """Mean of each feature."""
        means: FloatArray = self.rows.mean(axis=1)
        return means

    @cached_property
    def _centred(self) -> FloatArray:
        return self.rows - self.means[:, None]

    @cached_property
    def norms(self) -> FloatArray:
        """Length of each feature about its mean."""
        norms: FloatArray = np.sqrt(np.einsum("ij,ij->i", self._centred, self._centred))
        return norms

    def gram(self) -> FloatArray:
        """Products of the centred features."""
        gram: FloatArray = self._centred @ self._centred.T
        return gram

    def products(self, models: FloatArray) -> FloatArray:
        """Products of the centred features with centred models, one a row: shape (n_models, n_features)."""
        products: FloatArray = models @ self._centred.T
        return products

    def combined(self, weights: FloatArray) -> FloatArray:
        """Sum of the centred features times their weights, one model a row: shape (n_models, n_assets)."""
        combined: FloatArray = weights @ self._centred
        return combined

    def single(self) -> SingleArray:
        """Centred features of length 1 in single precision, one a row."""
        return (self._centred / self.norms[:, None]).astype(np.float32)

    def units(self, chosen: IndexArray) -> FloatArray:
        """Pick centred features and scale them to length 1, one a row."""
        units: FloatArray = self._centred[chosen] / self.norms[chosen, None]
        return units

    def doubles(self) -> FloatArray:
        """One feature a row."""
        return self.rows


@dataclass(frozen=True, eq=False)
class IntegerFeatures:
    """Features in bytes from 0 up; `rows` has one varying feature a row, and rows of 0 up to a whole tile."""

    rows: IntegerArray
    count: int
    varies: BoolArray

    @property
    def _kept(self) -> IntegerArray:
        return self.rows[: self.count]

    @cached_property
    def _moments(self) -> FloatArray:
        """Sum and sum of squares of each feature: integers."""
        moments = np.empty((self.count, 2))
        _kernels.row_moments(self.rows, self.rows.shape[1], self.count, moments)
        return moments

    @property
    def _sums(self) -> FloatArray:
        return self._moments[:, 0]

    @property
    def means(self) -> FloatArray:
        """Mean of each feature."""
        means: FloatArray = self._sums / self.rows.shape[1]
        return means

    @cached_property
    def norms(self) -> FloatArray:
        """Length of each feature about its mean."""
        n_assets = self.rows.shape[1]
        norms: FloatArray = np.sqrt((n_assets * self._moments[:, 1] - self._sums**2) / n_assets)
        return norms

    @cached_property
    def _doubles(self) -> FloatArray:
        return self._kept.astype(np.float64)

    def gram(self) -> FloatArray:
        """Products of the centred features: an exact sum of integers, divided once."""
        n_assets = self.rows.shape[1]
        largest = n_assets * (int(self.rows.max(initial=0)) ** 2)
        if _kernels.has_tiles():
            return self._tiled()
        if largest < EXACT_IN_SINGLE:
            single = self._kept.astype(np.float32)
            gram = (single @ single.T).astype(np.float64)
        else:
            gram = self._doubles @ self._doubles.T
        gram *= n_assets
        gram -= np.outer(self._sums, self._sums)
        gram /= n_assets
        return gram

    def products(self, models: FloatArray) -> FloatArray:
        """Products of the centred features with centred models, one a row: shape (n_models, n_features)."""
        if len(models) <= FEW_MODELS:
            return np.stack([self._dots(model) for model in models]) if len(models) else np.empty((0, self.count))
        products: FloatArray = models @ self._doubles.T
        return products

    def combined(self, weights: FloatArray) -> FloatArray:
        """Sum of the centred features times their weights, one model a row: shape (n_models, n_assets)."""
        combined: FloatArray
        if len(weights) > FEW_MODELS:
            combined = weights @ self._doubles
        else:
            combined = np.zeros((len(weights), self.rows.shape[1]))
            for model, out in zip(np.ascontiguousarray(weights), combined, strict=True):
                _kernels.row_sum(self.rows, self.rows.shape[1], self.count, model, out)
        combined -= (weights @ self.means)[:, None]
        return combined

    def single(self) -> SingleArray:
        """Centred features of length 1 in single precision, one a row."""
        single = self._kept.astype(np.float32)
        single -= self.means[:, None].astype(np.float32)
        single /= self.norms[:, None].astype(np.float32)
        return single

    def units(self, chosen: IndexArray) -> FloatArray:
        """Pick centred features and scale them to length 1, one a row."""
        units: FloatArray = (self.rows[chosen] - self.means[chosen, None]) / self.norms[chosen, None]
        return units

    def doubles(self) -> FloatArray:
        """One feature a row."""
        return self._doubles

    def _dots(self, vector: FloatArray) -> FloatArray:
        out = np.empty(self.count)
        _kernels.row_dots(self.rows, self.rows.shape[1], self.count, np.ascontiguousarray(vector), out)
        return out

    def _tiled(self) -> FloatArray:
        padded, n_assets = self.rows.shape
        sums, out = np.zeros(padded), np.empty((padded, padded))
        sums[: self.count] = self._sums

        def work(first: int, last: int) -> None:
            _kernels.gram(self.rows, n_assets, padded, first, last, sums, out)

        split(work, padded, values=n_assets * padded // TILE, grain=TILE)
        return out[: self.count, : self.count]


Features = RealFeatures | IntegerFeatures


def features_of(matrix: FloatArray | IntegerArray) -> Features:
    """Prepare features of shape (n_assets, n_features), finite; constant ones are left out."""
    if matrix.dtype == np.int8:
        return _integers(matrix.view(np.int8))
    rows = np.ascontiguousarray(matrix.T, dtype=np.float64)
    varies = rows.max(axis=1) > rows.min(axis=1) if rows.size else np.zeros(len(rows), dtype=np.bool_)
    return RealFeatures(rows if varies.all() else rows[varies], varies)


def _integers(matrix: IntegerArray) -> Features:
    low, high = int(matrix.min(initial=0)), int(matrix.max(initial=0))
    if high - low > WIDEST_SPAN or len(matrix) * (high - low) ** 2 >= EXACT_IN_TILES:
        return features_of(matrix.astype(np.float64))
    n_assets, n_features = matrix.shape
    rows = np.zeros((-(-n_features // TILE) * TILE, n_assets), dtype=np.int8)
    if matrix.T.flags.c_contiguous or not matrix.flags.c_contiguous:
        np.subtract(matrix.T, low, out=rows[:n_features], dtype=np.int8)
    else:
        _kernels.transpose(matrix, n_assets, n_features, low, rows)
    varies = rows[:n_features].max(axis=1, initial=0) > rows[:n_features].min(axis=1, initial=WIDEST_SPAN)
    if varies.all():
        return IntegerFeatures(rows, n_features, varies)
    count = int(varies.sum())
    kept = np.zeros((-(-count // TILE) * TILE, n_assets), dtype=np.int8)
    kept[:count] = rows[:n_features][varies]
    return IntegerFeatures(kept, count, varies)
