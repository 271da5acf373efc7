"""Least squares on the features of one era: factorised once, applied to any number of models."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import scipy  # loads its parts when they are first used, which keeps our import short
from threadpoolctl import threadpool_limits

from crowdalpha.scoring._features import Features
from crowdalpha.scoring.arrays import FloatArray

# Directions with a singular value below this share of the largest are ignored, as in numerai-tools 0.7.2.
SMALLEST_SINGULAR_VALUE = 1e-6
# Below this reciprocal condition number of the Gram matrix, normal equations are not trusted.
SMALLEST_GRAM_CONDITION = 1e-10
# Below this one, a second pass takes away what the first left.
REFINED_GRAM_CONDITION = 1e-5


@contextmanager
def blas_on_one_thread() -> Iterator[None]:
    """Keep BLAS to one thread while eras are worked on side by side.

    Small factorisations gain nothing from threads of their own, and those would get in each other's way.
    """
    scipy.linalg.norm(np.zeros(1))  # a library that is loaded later would not be limited
    with threadpool_limits(1, "blas"):
        yield


@dataclass(frozen=True, eq=False)
class Projection:
    """Projection on the span of an intercept and the features.

    Fitted values are always a sum over the features, so that assets with equal features get bit-equal
    fitted values, and ties that a score ranks again stay ties.
    """

    features: Features
    cholesky: FloatArray | None
    singular: "SingularFactors | None"
    refined: bool

    @classmethod
    def of(cls, features: Features) -> "Projection":
        """Factorise features; collinear ones are allowed."""
        condition, cholesky = _cholesky(features.gram())
        if condition > SMALLEST_GRAM_CONDITION:
            return cls(features, cholesky, None, condition < REFINED_GRAM_CONDITION)
        return cls(features, None, SingularFactors.of(features), refined=False)

    def residuals(self, rows: FloatArray, proportion: float = 1.0) -> FloatArray:
        """Take from rows of shape (n_models, n_assets) what an intercept and the features explain, or a share of it."""
        if self.singular is not None:
            return rows - proportion * self.singular.fitted(rows)
        means = rows.mean(axis=1, keepdims=True)
        centred = rows - means
        weights = self._weights(centred)
        if self.refined:
            weights += self._weights(centred - self.features.combined(weights))
        fitted = self.features.combined(weights)
        residuals: FloatArray = centred - fitted if proportion == 1.0 else rows - proportion * (fitted + means)
        return residuals

    def _weights(self, centred: FloatArray) -> FloatArray:
        products = self.features.products(centred)
        if self.cholesky is None or not self.cholesky.size:
            return products
        solution, _ = scipy.linalg.lapack.dpotrs(self.cholesky, products.T, lower=1, overwrite_b=1)
        return np.ascontiguousarray(solution.T)


@dataclass(frozen=True, eq=False)
class SingularFactors:
    """Factors of features that depend on each other; `design` has a column of ones at its end."""

    design: FloatArray
    left: FloatArray
    values: FloatArray
    right: FloatArray

    @classmethod
    def of(cls, features: Features) -> "SingularFactors":
        """Factorise, and leave out the directions in which the features do not differ."""
        rows = features.doubles()
        design = np.column_stack([rows.T, np.ones(rows.shape[1])])
        left, values, right = scipy.linalg.svd(design, full_matrices=False)
        kept = values > SMALLEST_SINGULAR_VALUE * values[0]
        return cls(design, left[:, kept], values[kept], right[kept])

    def fitted(self, rows: FloatArray) -> FloatArray:
        """Explain rows of shape (n_models, n_assets)."""
        explained: FloatArray = (((rows @ self.left) / self.values) @ self.right) @ self.design.T
        return explained


def _cholesky(gram: FloatArray) -> tuple[float, FloatArray]:
    """Reciprocal condition number and lower factor; (0, empty) if the matrix is not positive definite."""
    if not gram.size:
        return 1.0, gram
    matrix = gram.T  # symmetric, and its transpose is in the order that LAPACK works on without a copy
    norm = scipy.linalg.norm(matrix, 1, check_finite=False)
    factor, failed = scipy.linalg.lapack.dpotrf(matrix, lower=1, overwrite_a=1)
    if failed:
        return 0.0, np.empty((0, 0))
    condition, _ = scipy.linalg.lapack.dpocon(factor, norm, uplo="L")
    return float(condition), factor
