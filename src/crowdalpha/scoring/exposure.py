"""Exposure of predictions to features. Nearer to zero is safer; none of these is a score."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from crowdalpha.scoring import _rows, checks
from crowdalpha.scoring._features import FEW_MODELS, Features, features_of
from crowdalpha.scoring.arrays import FloatArray, IndexArray, IntegerArray, SingleArray, model_blocks

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
# Roundings of a screened exposure beside those of the sum: of both vectors, twice, and of the product.
ROUNDINGS = 8
# With so many candidates a model, screening saves nothing.
MANY_CANDIDATES = 64


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
    matrix, columns = _checked(features, predictions)
    size = checks.top_bottom_size(top_bottom, len(matrix))
    if method == "spearman":
        matrix, columns = _rows.rank(matrix.T.astype(np.float64), "average").T, _rows.rank(columns.T, "average").T
    if size:
        return _exposures_of_extremes(_rows.as_rows(matrix.astype(np.float64)), _rows.as_rows(columns), size)
    prepared = features_of(matrix)
    exposures = np.full((matrix.shape[1], columns.shape[1]), np.nan)
    for block in model_blocks(*columns.shape):
        exposures[prepared.varies, block] = exposure_rows(prepared, columns[:, block]).T
    return exposures


def exposure_rows(features: Features, columns: FloatArray) -> FloatArray:
    """Exposures to the features that vary, one model a row.

    Parameters
    ----------
    features : Features
        Of one era.
    columns : ndarray of shape (n_assets, n_models), dtype=float64
        Finite predictions of the same assets.

    Returns
    -------
    ndarray of shape (n_models, n_varying_features), dtype=float64
        NaN rows for constant models.

    Notes
    -----
    NaN policy: refuse. Cost: one matrix product.
    """
    return features.products(unit_rows(_rows.as_rows(columns))) / features.norms


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
    matrix, columns = _checked(features, predictions)
    prepared = features_of(matrix)
    if not prepared.varies.any():
        raise checks.ConstantError("every feature is constant, so no exposure is defined; give features that vary")
    if checks.top_bottom_size(top_bottom, len(matrix)):
        return _largest(np.abs(feature_exposures(matrix, columns, top_bottom=top_bottom)).T)
    first, largest = largest_exposures(prepared, columns)
    return np.where(first < 0, first, np.flatnonzero(prepared.varies)[first]), largest


def largest_exposures(features: Features, columns: FloatArray) -> tuple[IndexArray, FloatArray]:
    """Largest absolute exposure of each model among the features that vary, and the first of those that have it.

    Many models are screened in single precision: whatever could be the largest, by the bound on the rounding of a
    product of two vectors of length 1, is computed again in double precision. The result is that of doubles alone.

    Parameters
    ----------
    features : Features
        Of one era; one of them at least varies.
    columns : ndarray of shape (n_assets, n_models), dtype=float64
        Finite predictions of the same assets.

    Returns
    -------
    tuple of an ndarray of shape (n_models,), dtype=intp, and one of dtype=float64
        Position among the varying features, -1 for a constant model; absolute exposure, NaN for a constant model.

    Notes
    -----
    NaN policy: refuse. Cost: one matrix product, in single precision for more than a few models.

    References
    ----------
    .. [1] N. J. Higham, "Accuracy and Stability of Numerical Algorithms", 2nd ed., section 3.1: the bound.
    """
    if columns.shape[1] <= FEW_MODELS:
        return _largest(np.abs(exposure_rows(features, columns)))
    single = features.single()
    first, largest = np.full(columns.shape[1], -1), np.full(columns.shape[1], np.nan)
    for block in model_blocks(*columns.shape):
        units = unit_rows(_rows.as_rows(columns[:, block]))
        defined = ~np.isnan(units[:, 0])
        first[block][defined], largest[block][defined] = _screened(features, single, units[defined])
    return first, largest


def _screened(features: Features, single: SingleArray, units: FloatArray) -> tuple[IndexArray, FloatArray]:
    rough = np.abs(units.astype(np.float32) @ single.T)
    error = (units.shape[1] + ROUNDINGS) * np.finfo(np.float32).eps
    candidate = rough >= rough.max(axis=1, keepdims=True) - error
    if candidate.sum() > len(units) * MANY_CANDIDATES:
        return _largest(np.abs(features.products(units) / features.norms))
    models, found = np.nonzero(candidate)
    exact = np.empty(len(models))
    for pairs in model_blocks(units.shape[1], len(models)):
        exact[pairs] = np.abs(np.einsum("ij,ij->i", features.units(found[pairs]), units[models[pairs]]))
    starts = np.searchsorted(models, np.arange(len(units)))
    largest = np.maximum.reduceat(exact, starts)
    first = np.where(exact >= largest[models] - EQUAL_EXPOSURE, found, candidate.shape[1])
    return np.minimum.reduceat(first, starts), largest


def _largest(exposures: FloatArray) -> tuple[IndexArray, FloatArray]:
    """Largest of each row and the first that is as large; NaN counts as nothing."""
    defined = ~np.isnan(exposures).all(axis=1)
    filled = np.where(np.isnan(exposures), -np.inf, exposures)
    largest = filled.max(axis=1)
    # Mirrored features differ in the last bit only; the first of them counts on every machine.
    first = np.where(defined, (filled >= largest[:, None] - EQUAL_EXPOSURE).argmax(axis=1), -1)
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


def _checked(features: npt.ArrayLike, predictions: npt.ArrayLike) -> tuple[FloatArray | IntegerArray, FloatArray]:
    matrix, columns = checks.features(features, "features"), checks.matrix(predictions, "predictions")
    checks.same_rows(features=matrix, predictions=columns)
    checks.finite(predictions=columns)
    return matrix, columns


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
