"""Neutralization, orthogonalization and the scores of neutralized signals. Scores are better when higher."""

import numpy as np
import numpy.typing as npt

from crowdalpha.scoring import _ranked, _rows, checks
from crowdalpha.scoring._features import features_of
from crowdalpha.scoring._projection import Projection
from crowdalpha.scoring.align import DEFAULT_MAX_FILTERED_RATIO, enough_overlap
from crowdalpha.scoring.arrays import FloatArray, IntegerArray, model_blocks
from crowdalpha.scoring.contribution import bucketed_target, contributions
from crowdalpha.scoring.correlation import pearson, powered_target, zero_if_constant

__all__ = [
    "fnc",
    "neutral_contribution",
    "neutral_correlation",
    "neutral_signals",
    "neutralize",
    "orthogonalize",
]

# Residuals this small against their signal are rounding noise: the features explain the signal whole.
LEAST_RESIDUAL = 1e-9
# Residuals of signals nearer than this are ties that rounding broke; another machine would break them otherwise.
RESIDUAL_TIE = 1e-12
# Products with many features are the better the more models they have: 32 MB of residuals at a time.
NEUTRALIZED_VALUES = 1 << 22


def neutralize(values: npt.ArrayLike, exposures: npt.ArrayLike, *, proportion: float = 1.0) -> FloatArray:
    """Remove from each column of `values` what `exposures` explain linearly.

    Parameters
    ----------
    values : array-like of shape (n_assets, n_models)
        Signals of one era, one model a column; any unit.
    exposures : array-like of shape (n_assets, n_features)
        Features of the same assets, in the same order. An intercept is added.
    proportion : float in [0, 1], default=1.0
        Share of the explained part, the mean included, that is removed.

    Returns
    -------
    ndarray of shape (n_assets, n_models), dtype=float64
        Residuals, in the unit of `values`; at `proportion=1` every column has mean 0.
        A constant column becomes NaN: nothing of it is left to be unexplained.

    Raises
    ------
    ShapeError
        If the rows differ or there are none.
    NonFiniteError
        If a value is not finite.
    RangeError
        If `proportion` lies outside [0, 1].

    Notes
    -----
    NaN policy: refuse. Collinear and constant exposures are allowed; directions with a singular value below
    1e-6 of the largest are ignored. Cost: O(n_assets * n_features ** 2) once, O(n_assets * n_features) a model.

    References
    ----------
    .. [1] Numerai, "Definitions: neutralization", scoring documentation; numerai-tools 0.7.2, `scoring.neutralize`.

    Examples
    --------
    >>> neutralize([[1.0], [2.0], [3.0], [6.0]], [[0.0], [1.0], [2.0], [3.0]]).round(2).ravel()
    array([ 0.4, -0.2, -0.8,  0.6])
    """
    columns, features = _checked(values, exposures, "values", "exposures")
    checks.finite(values=columns)
    checks.in_range(proportion, 0.0, 1.0, "proportion")
    rows = _rows.as_rows(columns)
    residuals = Projection.of(features_of(features)).residuals(rows, proportion)
    residuals[_rows.constant(rows)] = np.nan
    return residuals.T


def orthogonalize(values: npt.ArrayLike, base: npt.ArrayLike) -> FloatArray:
    """Remove from each column its projection on one vector; nothing is centred.

    Parameters
    ----------
    values : array-like of shape (n_assets, n_models)
        Signals of one era, any unit.
    base : array-like of shape (n_assets,)
        What they become orthogonal to.

    Returns
    -------
    ndarray of shape (n_assets, n_models), dtype=float64
        NaN if `base` is zero.

    Raises
    ------
    ShapeError
        If the rows differ or there are none.
    NonFiniteError
        If a value is not finite.

    Notes
    -----
    NaN policy: refuse. Cost: O(n_assets * n_models).

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.orthogonalize`.

    Examples
    --------
    >>> orthogonalize([[3.0], [4.0]], [1.0, 0.0]).ravel()
    array([0., 4.])
    """
    columns, vector = checks.matrix(values, "values"), checks.vector(base, "base")
    checks.same_rows(values=columns, base=vector)
    checks.finite(values=columns, base=vector)
    squared = vector @ vector
    if squared == 0:
        return np.full_like(columns, np.nan)
    return columns - np.outer(vector, (vector @ columns) / squared)


def neutral_signals(predictions: npt.ArrayLike, features: npt.ArrayLike) -> FloatArray:
    """Gaussianize each prediction, then neutralize it to the features.

    Parameters
    ----------
    predictions : array-like of shape (n_assets, n_models)
        Predictions of one era, any unit; only their ranks matter.
    features : array-like of shape (n_assets, n_features)
        Features of the same assets, in the same order; any affine rescaling gives the same result.

    Returns
    -------
    ndarray of shape (n_assets, n_models), dtype=float64
        NaN columns where nothing is left: constant predictions, and those that the features explain whole.

    Raises
    ------
    ShapeError
        If the rows differ or there are none.
    NonFiniteError
        If a prediction is NaN or a feature not finite; fill features first.

    Notes
    -----
    NaN policy: refuse. Cost: one sort a model and one factorisation of the features.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.tie_kept_rank__gaussianize__neutralize__variance_normalize`, which also
       divides by the standard deviation.

    Examples
    --------
    >>> neutral_signals([[1.0], [2.0], [3.0], [4.0]], [[0.0], [0.0], [1.0], [1.0]]).round(4).ravel()
    array([-0.4159,  0.4159, -0.4159,  0.4159])
    """
    columns, matrix = _checked(predictions, features, "predictions", "features")
    checks.no_nan(predictions=columns)
    projection = Projection.of(features_of(matrix))
    residuals = np.empty((columns.shape[1], columns.shape[0]))
    for block in model_blocks(*columns.shape):
        left = residual_rows(_rows.gaussianize(columns[:, block].T), projection)
        residuals[block] = _rows.merged_near_ties(left, RESIDUAL_TIE)
    return residuals.T


def residual_rows(signal_rows: FloatArray, projection: Projection) -> FloatArray:
    """Take away from each signal, one a row, what a projection explains.

    Parameters
    ----------
    signal_rows : ndarray of shape (n_models, n_assets), dtype=float64
        Gaussianized predictions without NaN.
    projection : Projection
        Of the features of the same assets.

    Returns
    -------
    ndarray of shape (n_models, n_assets), dtype=float64
        NaN rows where no more than rounding noise is left.

    Notes
    -----
    NaN policy: refuse. Cost: two products with the features.
    """
    residuals = projection.residuals(signal_rows)
    residuals[_largest(residuals) <= LEAST_RESIDUAL * _largest(signal_rows)] = np.nan
    return residuals


def fnc(
    predictions: npt.ArrayLike,
    features: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    top_bottom: int | None = None,
    target_mean: float | None = None,
) -> FloatArray:
    """FNC: CORR of the signals after neutralization to the features.

    Parameters
    ----------
    predictions : array-like of shape (n_assets, n_models)
        Predictions of one era, any unit; only their ranks matter.
    features : array-like of shape (n_assets, n_features)
        Features of the same assets, in the same order.
    target : array-like of shape (n_assets,)
        Target of the same assets. Assets without one (NaN) are neutralized with the rest, then left out.
    top_bottom : int, optional
        Score the lowest and the highest so many residuals of each model only.
    target_mean : float, optional
        What to centre the target on, as in `corr`.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        In [-1, 1]; NaN for a constant prediction and for one that the features explain whole.

    Raises
    ------
    ShapeError
        If the rows differ or there are none.
    NonFiniteError
        If a prediction is NaN, a feature not finite, or a target infinite.
    OverlapError
        If more than 20 % of the assets have no target.
    DistortionError, RangeError
        As `corr`.

    Notes
    -----
    NaN policy: refuse in predictions and features, omit in the target.
    A constant model gets NaN and leaves the others alone; in the reference it makes the whole call fail.
    Residuals that rounding alone tells apart count as ties, so that every machine gets the same score.
    Cost: two sorts a model and one factorisation of the features for all.

    References
    ----------
    .. [1] Numerai, "Feature Neutral Correlation", scoring documentation; numerai-tools 0.7.2,
       `scoring.feature_neutral_corr`.

    Examples
    --------
    >>> fnc([[1.0], [3.0], [2.0], [4.0]], [[0.0], [0.0], [1.0], [1.0]], [0.0, 1.0, 0.0, 1.0]).round(6)
    array([1.])
    """
    columns, matrix = _checked(predictions, features, "predictions", "features")
    wanted = checks.vector(target, "target")
    checks.same_rows(predictions=columns, target=wanted)
    known = known_rows(wanted)
    size = checks.top_bottom_size(top_bottom, int(known.sum()))
    powered = powered_target(wanted[known], target_mean=target_mean)
    checks.no_nan(predictions=columns)
    projection = Projection.of(features_of(matrix))
    scores = np.empty(columns.shape[1])
    for block in model_blocks(*columns.shape, values=NEUTRALIZED_VALUES):
        residuals = residual_rows(_rows.gaussianize(columns[:, block].T), projection)
        scores[block] = residual_corr(residuals if known.all() else residuals[:, known], powered, size)
    return scores


def residual_corr(residuals: FloatArray, powered: FloatArray, size: int) -> FloatArray:
    """CORR of residuals, one model a row, with a target that is centred and powered already.

    Parameters
    ----------
    residuals : ndarray of shape (n_models, n_assets), dtype=float64
        From `residual_rows`; rows of NaN get NaN.
    powered : ndarray of shape (n_assets,), dtype=float64
        From `powered_target`.
    size : int
        Top/bottom filter; 0 for none.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64

    Notes
    -----
    NaN policy: omit rows of NaN. Cost: one sort a model.
    """
    defined = ~np.isnan(residuals[:, 0])
    rows = residuals if defined.all() else residuals[defined]
    scores = np.full(len(residuals), np.nan)
    if size:
        signals = _rows.power_1_5(_rows.gaussianize(rows, RESIDUAL_TIE))
        scores[defined] = _rows.pearson_of_extremes(signals, powered, size)
    else:
        vector = zero_if_constant(powered - powered.mean())
        terms = [(_ranked.powered_quantiles(len(vector)), vector)]
        scores[defined] = _ranked.sums(rows.T, terms, name="residuals", tolerance=RESIDUAL_TIE).correlation(0, vector)
    return scores


def known_rows(target: FloatArray) -> npt.NDArray[np.bool_]:
    """Tell which assets have a target, and refuse an era in which too few do.

    Parameters
    ----------
    target : ndarray of shape (n_assets,), dtype=float64
        NaN where there is none.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=bool

    Raises
    ------
    OverlapError
        If more than 20 % have none.

    Notes
    -----
    NaN policy: omit. Cost: O(n_assets).
    """
    known: npt.NDArray[np.bool_] = ~np.isnan(target)
    enough_overlap(int(known.sum()), len(known), "target", max_filtered_ratio=DEFAULT_MAX_FILTERED_RATIO)
    return known


def neutral_correlation(
    predictions: npt.ArrayLike,
    neutralizers: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    top_bottom: int | None = None,
) -> FloatArray:
    """Pearson correlation of neutralized signals with the target: no power, no second ranking.

    Parameters
    ----------
    predictions : array-like of shape (n_assets, n_models)
        Predictions of one era, any unit; only their ranks matter.
    neutralizers : array-like of shape (n_assets, n_neutralizers)
        What to neutralize to, same assets, same order.
    target : array-like of shape (n_assets,)
        Target of the same assets.
    top_bottom : int, optional
        Use the lowest and the highest so many residuals of each model only.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        In [-1, 1]; NaN for a constant prediction and for one that the neutralizers explain whole.

    Raises
    ------
    ShapeError
        If the rows differ or there are none.
    NonFiniteError
        If a prediction is NaN or another value not finite.
    RangeError
        If `top_bottom` does not fit.

    Notes
    -----
    NaN policy: refuse. Cost: one sort a model and one factorisation.
    The reference also centres the target before it drops ids; a Pearson correlation does not see that.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.neutral_correlation`.

    Examples
    --------
    >>> neutral_correlation([[1.0], [3.0], [2.0], [4.0]], [[0.0], [0.0], [1.0], [1.0]], [0.0, 1.0, 0.0, 1.0]).round(6)
    array([1.])
    """
    residuals = neutral_signals(predictions, neutralizers)
    defined = ~np.isnan(residuals[0])
    scores = np.full(residuals.shape[1], np.nan)
    scores[defined] = pearson(residuals[:, defined], target, top_bottom=top_bottom)
    return scores


def neutral_contribution(
    predictions: npt.ArrayLike,
    meta_model: npt.ArrayLike,
    neutralizers: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    top_bottom: int | None = None,
) -> FloatArray:
    """MMC after both the signals and the meta signal were neutralized.

    Parameters
    ----------
    predictions : array-like of shape (n_assets, n_models)
        Predictions of one era, any unit; only their ranks matter.
    meta_model : array-like of shape (n_assets,)
        Meta model of the same assets; ranked here.
    neutralizers : array-like of shape (n_assets, n_neutralizers)
        What to neutralize to.
    target : array-like of shape (n_assets,)
        Target; multiplied by 4 when all of it lies in [0, 1].
    top_bottom : int, optional
        Sum over the lowest and the highest so many orthogonalized signals of each model only.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        NaN for a constant prediction, and for all if nothing of the meta model is left.

    Raises
    ------
    ShapeError
        If the rows differ or there are none.
    NonFiniteError
        If a prediction or the meta model is NaN, or another value not finite.
    RangeError
        If `top_bottom` does not fit.

    Notes
    -----
    NaN policy: refuse. Cost: one sort a model and one factorisation.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.neutral_contribution`; in 0.7.0 the meta model was not neutralized.

    Examples
    --------
    >>> meta = [1.0, 3.0, 2.0, 4.0]
    >>> neutral_contribution([[1.0], [3.0], [2.0], [4.0]], meta, [[0.0], [0.0], [1.0], [1.0]], meta).round(9)
    array([0.])
    """
    columns, matrix = _checked(predictions, neutralizers, "predictions", "neutralizers")
    meta, wanted = checks.vector(meta_model, "meta_model"), checks.vector(target, "target")
    checks.same_rows(predictions=columns, meta_model=meta, target=wanted)
    checks.no_nan(meta_model=meta)
    checks.finite(target=wanted)
    size = checks.top_bottom_size(top_bottom, len(wanted))
    residuals = neutral_signals(np.column_stack([columns, meta]), matrix).T
    scores = np.full(columns.shape[1], np.nan)
    defined = ~np.isnan(residuals[:-1, 0])
    if not np.isnan(residuals[-1, 0]):
        scores[defined] = contributions(residuals[:-1][defined], residuals[-1], bucketed_target(wanted), size)
    return scores


def _largest(rows: FloatArray) -> FloatArray:
    """Largest magnitude of each row, without an array of magnitudes."""
    largest: FloatArray = np.maximum(rows.max(axis=1), -rows.min(axis=1))
    return largest


def _checked(
    predictions: npt.ArrayLike, features: npt.ArrayLike, name: str, features_name: str
) -> tuple[FloatArray, FloatArray | IntegerArray]:
    columns, matrix = checks.matrix(predictions, name), checks.features(features, features_name)
    checks.same_rows(**{name: columns, features_name: matrix})
    return columns, matrix
