"""Exposure of predictions to features. Nearer to zero is safer; none of these is a score."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from crowdalpha.scoring import _rows, checks
from crowdalpha.scoring.arrays import FloatArray, IndexArray, model_blocks

__all__ = [
    "CorrelationMethod",
    "exposure_dissimilarity",
    "exposure_rms",
    "exposure_spread",
    "feature_exposures",
    "largest_exposure",
    "max_feature_exposure",
    "mean_absolute_exposure",
]

CorrelationMethod = Literal["pearson", "spearman"]
# Exposures that are nearer than this to the largest are as large, whatever they round to.
EQUAL_EXPOSURE = 1e-12


def feature_exposures(
    features: npt.ArrayLike,
    predictions: npt.ArrayLike,
    *,
    method: CorrelationMethod = "pearson",
    top_bottom: int | None = None,
) -> FloatArray:
    """Correlation of each model with each feature.

    Parameters
    ----------
    features : array-like of shape (n_assets, n_features)
        Features of one era.
    predictions : array-like of shape (n_assets, n_models)
        Predictions of the same assets, in the same order; the raw values, not their ranks.
    method : {"pearson", "spearman"}, default="pearson"
        "spearman" ranks both sides first.
    top_bottom : int, optional
        Correlate over the lowest and the highest so many predictions of each model only.

    Returns
    -------
    ndarray of shape (n_features, n_models), dtype=float64
        In [-1, 1]; NaN where a side is constant.

    Raises
    ------
    ShapeError
        If the rows differ or there are none.
    NonFiniteError
        If a value is not finite.
    RangeError
        If `top_bottom` does not fit.

    Notes
    -----
    NaN policy: refuse. Cost: O(n_assets * n_features * n_models), one matrix product.

    References
    ----------
    .. [1] Numerai forum, "Model Diagnostics: Feature Exposure".

    Examples
    --------
    >>> feature_exposures([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]], [[1.0], [2.0], [3.0]]).round(9)
    array([[ 1.],
           [nan]])
    """
    matrix, columns = checks.matrix(features, "features"), checks.matrix(predictions, "predictions")
    checks.same_rows(features=matrix, predictions=columns)
    checks.finite(features=matrix, predictions=columns)
    size = checks.top_bottom_size(top_bottom, len(matrix))
    feature_rows, model_rows = _rows.as_rows(matrix), _rows.as_rows(columns)
    if method == "spearman":
        feature_rows, model_rows = _rows.rank(feature_rows, "average"), _rows.rank(model_rows, "average")
    if size:
        return _exposures_of_extremes(feature_rows, model_rows, size)
    exposures = np.empty((len(feature_rows), len(model_rows)))
    units = unit_rows(feature_rows)
    for block in model_blocks(*columns.shape):
        exposures[:, block] = units @ unit_rows(model_rows[block]).T
    return exposures


def max_feature_exposure(
    features: npt.ArrayLike, predictions: npt.ArrayLike, *, top_bottom: int | None = None
) -> FloatArray:
    """Largest absolute exposure of each model.

    Parameters
    ----------
    features : array-like of shape (n_assets, n_features)
        Features of one era.
    predictions : array-like of shape (n_assets, n_models)
        Predictions of the same assets, in the same order.
    top_bottom : int, optional
        As in `feature_exposures`.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        In [0, 1]; NaN for a constant model.

    Raises
    ------
    ConstantError
        If no feature varies.
    ShapeError, NonFiniteError, RangeError
        As `feature_exposures`.

    Notes
    -----
    NaN policy: refuse; constant features are skipped. Cost: as `feature_exposures`.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.max_feature_correlation`.

    Examples
    --------
    >>> max_feature_exposure([[0.0], [1.0], [2.0]], [[3.0], [2.0], [1.0]]).round(9)
    array([1.])
    """
    return largest_exposure(features, predictions, top_bottom=top_bottom)[1]


def largest_exposure(
    features: npt.ArrayLike, predictions: npt.ArrayLike, *, top_bottom: int | None = None
) -> tuple[IndexArray, FloatArray]:
    """Feature with the largest absolute exposure of each model, and that exposure.

    Parameters
    ----------
    features : array-like of shape (n_assets, n_features)
        Features of one era.
    predictions : array-like of shape (n_assets, n_models)
        Predictions of the same assets, in the same order.
    top_bottom : int, optional
        As in `feature_exposures`.

    Returns
    -------
    tuple of an ndarray of shape (n_models,), dtype=intp, and one of dtype=float64
        Column of the first largest, -1 for a constant model; its absolute exposure, NaN for a constant model.

    Raises
    ------
    ConstantError
        If no feature varies.
    ShapeError, NonFiniteError, RangeError
        As `feature_exposures`.

    Notes
    -----
    NaN policy: refuse; constant features are skipped. Cost: as `feature_exposures`.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.max_feature_correlation`.

    Examples
    --------
    >>> largest_exposure([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]], [[1.0], [2.0], [3.0]])[0]
    array([0])
    """
    matrix = checks.matrix(features, "features")
    if not (matrix.max(axis=0, initial=-np.inf) > matrix.min(axis=0, initial=np.inf)).any():
        checks.finite(features=matrix)
        raise checks.ConstantError("every feature is constant, so no exposure is defined; give features that vary")
    exposures = np.abs(feature_exposures(matrix, predictions, top_bottom=top_bottom))
    defined = ~np.isnan(exposures).all(axis=0)
    filled = np.where(np.isnan(exposures), -np.inf, exposures)
    largest = filled.max(axis=0)
    # Mirrored features differ in the last bit only; the first of them counts on every machine.
    first = np.where(defined, (filled >= largest - EQUAL_EXPOSURE).argmax(axis=0), -1)
    return first, np.where(defined, largest, np.nan)


def mean_absolute_exposure(exposures: npt.ArrayLike) -> FloatArray:
    """Mean absolute exposure of each model.

    Parameters
    ----------
    exposures : array-like of shape (n_features, n_models)
        From `feature_exposures`.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        NaN for a constant model.

    Raises
    ------
    ShapeError
        If it is not a matrix with at least one row.

    Notes
    -----
    NaN policy: omit, so constant features are skipped. Cost: O(size).

    Examples
    --------
    >>> mean_absolute_exposure([[0.1], [-0.3]])
    array([0.2])
    """
    return _mean_over_features(np.abs(checks.matrix(exposures, "exposures")))


def exposure_rms(exposures: npt.ArrayLike) -> FloatArray:
    """Root mean square exposure of each model.

    Parameters
    ----------
    exposures : array-like of shape (n_features, n_models)
        From `feature_exposures`.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        NaN for a constant model.

    Raises
    ------
    ShapeError
        If it is not a matrix with at least one row.

    Notes
    -----
    NaN policy: omit, so constant features are skipped. Cost: O(size).

    Examples
    --------
    >>> exposure_rms([[0.6], [-0.8]]).round(6)
    array([0.707107])
    """
    return np.sqrt(_mean_over_features(checks.matrix(exposures, "exposures") ** 2))


def exposure_spread(exposures: npt.ArrayLike) -> FloatArray:
    """Measure how each model's exposures spread over the features: "feature exposure" in the old diagnostics.

    Parameters
    ----------
    exposures : array-like of shape (n_features, n_models)
        From `feature_exposures`.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        Population standard deviation; NaN for a constant model.

    Raises
    ------
    ShapeError
        If it is not a matrix with at least one row.

    Notes
    -----
    NaN policy: omit, so constant features are skipped. Cost: O(size).

    References
    ----------
    .. [1] Numerai forum, "Model Evaluation Metrics".

    Examples
    --------
    >>> exposure_spread([[0.1], [-0.3]])
    array([0.2])
    """
    matrix = checks.matrix(exposures, "exposures")
    return np.sqrt(_mean_over_features((matrix - _mean_over_features(matrix)) ** 2))


def exposure_dissimilarity(exposures: npt.ArrayLike, reference: npt.ArrayLike) -> FloatArray:
    """How far the exposures of each model are from those of a reference model: 1 - (u'v) / (v'v).

    Parameters
    ----------
    exposures : array-like of shape (n_features, n_models)
        From `feature_exposures`.
    reference : array-like of shape (n_features,)
        Exposures of the example or meta model.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        0 when equal, above 1 when opposite; 0 when the reference has no exposure at all.

    Raises
    ------
    ShapeError
        If the numbers of features differ.

    Notes
    -----
    NaN policy: omit features that are NaN in the reference, propagate in a model. Cost: O(size).

    References
    ----------
    .. [1] Numerai forum, "True Contribution Details"; numerblox 1.6.1, `evaluation.exposure_dissimilarity`.

    Examples
    --------
    >>> exposure_dissimilarity([[0.2], [0.0]], [0.4, 0.0])
    array([0.5])
    """
    matrix, base = checks.matrix(exposures, "exposures"), checks.vector(reference, "reference")
    checks.same_rows(exposures=matrix, reference=base)
    known = ~np.isnan(base)
    squared = base[known] @ base[known]
    if squared == 0:
        return np.zeros(matrix.shape[1])
    return 1.0 - (base[known] @ matrix[known]) / squared


def unit_rows(rows: FloatArray) -> FloatArray:
    """Centre each row and scale it to length 1; a constant row becomes NaN.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_assets), dtype=float64
        Finite values.

    Returns
    -------
    ndarray of shape (n_rows, n_assets), dtype=float64
        Products of two such rows are Pearson correlations.

    Notes
    -----
    NaN policy: propagate. Cost: O(size).
    """
    centred = rows - rows.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(centred, axis=1)
    norms[_rows.constant(rows) | (norms == 0)] = np.nan
    units: FloatArray = centred / norms[:, None]
    return units


def _exposures_of_extremes(feature_rows: FloatArray, model_rows: FloatArray, size: int) -> FloatArray:
    kept = _rows.top_bottom(model_rows, size)
    extremes = np.take_along_axis(model_rows, kept, axis=1)
    exposures = [_rows.pearson(feature_rows[:, rows], values) for rows, values in zip(kept, extremes, strict=True)]
    return np.stack(exposures, axis=1)


def _mean_over_features(matrix: FloatArray) -> FloatArray:
    known = ~np.isnan(matrix)
    with np.errstate(invalid="ignore"):
        means: FloatArray = np.where(known, matrix, 0.0).sum(axis=0) / known.sum(axis=0)
    return means
