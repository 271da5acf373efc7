"""Least squares on the features of one era: factorised once, applied to any number of models."""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from crowdalpha.scoring.arrays import FloatArray

# Directions with a singular value below this share of the largest are ignored, as in numerai-tools 0.7.2.
SMALLEST_SINGULAR_VALUE = 1e-6
# Below this reciprocal condition number of the Gram matrix, normal equations are not trusted.
SMALLEST_GRAM_CONDITION = 1e-10
# Below this one, a second pass takes away what the first left.
REFINED_GRAM_CONDITION = 1e-5


@dataclass(frozen=True, eq=False)
class Projection:
    """Projection on the span of an intercept and the features.

    Fitted values are always `design @ coefficients`, so that assets with equal features get bit-equal
    fitted values, and ties that a score ranks again stay ties.
    """

    design: FloatArray
    cholesky: FloatArray | None
    singular: tuple[FloatArray, FloatArray, FloatArray] | None
    refined: bool

    @classmethod
    def of(cls, features: FloatArray) -> "Projection":
        """Factorise features of shape (n_assets, n_features), finite; collinear ones are allowed."""
        varying = features[:, features.max(axis=0) > features.min(axis=0)] if features.shape[1] else features
        centred = varying - varying.mean(axis=0)
        gram = centred.T @ centred
        condition, cholesky = _cholesky(gram)
        if condition > SMALLEST_GRAM_CONDITION:
            return cls(centred, cholesky, None, condition < REFINED_GRAM_CONDITION)
        design = np.column_stack([features, np.ones(len(features))])
        left, values, right = linalg.svd(design, full_matrices=False)
        kept = values > SMALLEST_SINGULAR_VALUE * values[0]
        return cls(design, None, (left[:, kept], values[kept], right[kept]), refined=False)

    def fitted(self, rows: FloatArray) -> FloatArray:
        """Explain rows of shape (n_models, n_assets) by the features and an intercept."""
        if self.singular is not None:
            left, values, right = self.singular
            explained: FloatArray = (((rows @ left) / values) @ right) @ self.design.T
            return explained
        means = rows.mean(axis=1, keepdims=True)
        coefficients = self._solved(rows)
        if self.refined:
            coefficients += self._solved(rows - means - coefficients @ self.design.T)
        fitted: FloatArray = coefficients @ self.design.T + means
        return fitted

    def _solved(self, rows: FloatArray) -> FloatArray:
        if self.cholesky is None or not self.cholesky.size:
            return np.zeros((len(rows), self.design.shape[1]))
        products = (rows @ self.design).T
        solution: FloatArray = linalg.cho_solve((self.cholesky, True), products, check_finite=False)
        return solution.T


def _cholesky(gram: FloatArray) -> tuple[float, FloatArray]:
    """Reciprocal condition number and lower factor; (0, empty) if the matrix is not positive definite."""
    if not gram.size:
        return 1.0, gram
    try:
        factor = linalg.cholesky(gram, lower=True, check_finite=False)
    except linalg.LinAlgError:
        return 0.0, np.empty((0, 0))
    condition, _ = linalg.lapack.dpocon(factor, np.abs(gram).sum(axis=0).max(), uplo="L")
    return float(condition), factor
