"""Scores over eras, one model a column, as the functions over eras want them."""

import numpy as np
import numpy.typing as npt

from crowdalpha.scoring import checks
from crowdalpha.scoring.arrays import BoolArray, FloatArray, IndexArray


def series_columns(scores_by_era: npt.ArrayLike) -> tuple[FloatArray, tuple[int, ...]]:
    """Read scores as (n_eras, n_models), and tell the shape of what is one number a model: () for one series."""
    scores = checks.vector_or_matrix(scores_by_era, "scores_by_era")
    columns = checks.matrix(scores[:, None] if scores.ndim == 1 else scores, "scores_by_era")
    if np.isinf(columns).any():
        checks.finite(scores_by_era=np.where(np.isnan(columns), 0.0, columns))
    return columns, scores.shape[1:]


def packed(columns: FloatArray) -> tuple[FloatArray, IndexArray]:
    """Move the known scores of each column to its top, in order, and count them; the rest is 0."""
    missing = np.isnan(columns)
    order = np.argsort(missing, axis=0, kind="stable")
    return np.nan_to_num(np.take_along_axis(columns, order, axis=0), nan=0.0), (~missing).sum(axis=0)


def constant(columns: FloatArray, known: BoolArray) -> BoolArray:
    """Tell which columns hold equal numbers, whatever their mean rounds to; so does one without a number."""
    low = np.where(known, columns, np.inf).min(axis=0)
    high = np.where(known, columns, -np.inf).max(axis=0)
    equal: BoolArray = low >= high
    return equal
