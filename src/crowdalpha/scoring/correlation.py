"""Correlation scores: CORR, plain correlations, and likeness to other models. Higher is better for CORR alone."""

import numpy as np
import numpy.typing as npt

from crowdalpha.scoring import _ranked, _rows, checks, ranking
from crowdalpha.scoring.arrays import FloatArray, model_blocks

__all__ = ["apcwnm", "corr", "cwmm", "mcwnm", "pearson", "powered_target", "spearman", "tie_broken_rank_correlation"]


def corr(
    predictions: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    top_bottom: int | None = None,
    power_target: bool = True,
    target_mean: float | None = None,
) -> FloatArray:
    """CORR: Pearson correlation of powered gaussianized ranks with the powered centred target.

    Parameters
    ----------
    predictions : array-like of shape (n_assets, n_models)
        Predictions of one era, any unit; only their ranks matter, infinities included.
    target : array-like of shape (n_assets,)
        Target of the same assets, in the same order.
    top_bottom : int, optional
        Score the lowest and the highest so many predictions of each model only.
    power_target : bool, default=True
        False for raw returns.
    target_mean : float, optional
        What to centre the target on. The reference centres over all ids that have a target, also those that
        nobody predicted: give that mean where such ids were dropped. Default: the mean over the rows given.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        In [-1, 1]; NaN for a constant prediction, for all models if the target is constant.

    Raises
    ------
    ShapeError
        If the rows differ or there are none.
    NonFiniteError
        If a prediction is NaN or a target not finite.
    DistortionError
        If powering changes the target too much (heavy tails).
    RangeError
        If `top_bottom` does not fit.

    Notes
    -----
    NaN policy: refuse. Cost: one sort a model, memory bounded by a block of models.

    References
    ----------
    .. [1] Numerai, "Correlation (CORR)", scoring documentation; numerai-tools 0.7.2, `scoring.numerai_corr`.

    Examples
    --------
    >>> corr([[0.1, 9.0], [0.2, 8.0], [0.3, 7.0], [0.4, 6.0]], [0.0, 0.25, 0.75, 1.0]).round(6)
    array([ 0.981033, -0.981033])
    """
    columns, wanted = _checked(predictions, target)
    size = checks.top_bottom_size(top_bottom, len(wanted))
    wanted = powered_target(wanted, power_target=power_target, target_mean=target_mean)
    if size == 0:
        centred = wanted - wanted.mean()
        terms = [(_ranked.powered_quantiles(len(wanted)), zero_if_constant(centred))]
        return _ranked.sums(columns, terms, name="predictions").correlation(0, terms[0][1])
    checks.no_nan(predictions=columns)
    scores = np.empty(columns.shape[1])
    for block in model_blocks(*columns.shape):
        powered = _rows.power_1_5(_rows.gaussianize(columns[:, block].T))
        scores[block] = _rows.pearson_of_extremes(powered, wanted, size)
    return scores


def powered_target(target: npt.ArrayLike, *, power_target: bool = True, target_mean: float | None = None) -> FloatArray:
    """Target as CORR sees it: centred, then powered.

    Parameters
    ----------
    target : array-like of shape (n_assets,)
        Target of one era.
    power_target : bool, default=True
        False leaves the centred target as it is.
    target_mean : float, optional
        What to centre on; default: the mean over the rows given.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=float64
        A constant target becomes constant, whatever it was.

    Raises
    ------
    NonFiniteError
        If a target is not finite.
    DistortionError
        If powering changes the target too much.

    Notes
    -----
    NaN policy: refuse. Cost: O(n_assets).

    Examples
    --------
    >>> powered_target([0.0, 0.5, 1.0]).round(4)
    array([-0.3536,  0.    ,  0.3536])
    """
    wanted = checks.vector(target, "target")
    checks.finite(target=wanted)
    centred = wanted - (wanted.mean() if target_mean is None else target_mean)
    if not power_target:
        return centred
    powered = _rows.power_1_5(centred)
    ranking.refuse_distortion(centred, powered, "target")
    return powered


def pearson(predictions: npt.ArrayLike, target: npt.ArrayLike, *, top_bottom: int | None = None) -> FloatArray:
    """Pearson correlation of the values of each model with the target.

    Parameters
    ----------
    predictions : array-like of shape (n_assets, n_models)
        Predictions of one era, any unit.
    target : array-like of shape (n_assets,)
        Target of the same assets, in the same order.
    top_bottom : int, optional
        Use the lowest and the highest so many predictions of each model only.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
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
    NaN policy: refuse. Cost: O(n_assets * n_models), a sort a model with `top_bottom`.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.pearson_correlation`.

    Examples
    --------
    >>> pearson([[1.0], [2.0], [3.0]], [3.0, 2.0, 1.0]).round(9)
    array([-1.])
    """
    columns, wanted = _checked(predictions, target)
    checks.finite(predictions=columns)
    size = checks.top_bottom_size(top_bottom, len(wanted))
    scores = np.empty(columns.shape[1])
    for block in model_blocks(*columns.shape):
        scores[block] = _rows.pearson_of_extremes(_rows.as_rows(columns[:, block]), wanted, size)
    return scores


def spearman(predictions: npt.ArrayLike, target: npt.ArrayLike) -> FloatArray:
    """Pearson correlation of the tie-kept ranks of each model with those of the target.

    Parameters
    ----------
    predictions : array-like of shape (n_assets, n_models)
        Predictions of one era, any unit.
    target : array-like of shape (n_assets,)
        Target of the same assets, in the same order.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        In [-1, 1]; NaN where a side is constant.

    Raises
    ------
    ShapeError
        If the rows differ or there are none.
    NonFiniteError
        If a prediction is NaN or a target not finite.

    Notes
    -----
    NaN policy: refuse. Cost: one sort a model.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.spearman_correlation`.

    Examples
    --------
    >>> spearman([[1.0], [2.0], [30.0]], [0.1, 0.5, 0.6]).round(9)
    array([1.])
    """
    columns, wanted = _checked(predictions, target)
    return _ranked_pearson(columns, _rows.rank(wanted[None, :], "average")[0], 0.0)


def tie_broken_rank_correlation(predictions: npt.ArrayLike, target: npt.ArrayLike) -> FloatArray:
    """Pearson correlation of the tie-broken ranks of each model with the target itself.

    Parameters
    ----------
    predictions : array-like of shape (n_assets, n_models)
        Predictions of one era in ascending order of their ids, any unit.
    target : array-like of shape (n_assets,)
        Target of the same assets, in the same order.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        In [-1, 1]; cannot reach 1 when the target has ties; NaN where the target is constant.

    Raises
    ------
    ShapeError
        If the rows differ or there are none.
    NonFiniteError
        If a prediction is NaN or a target not finite.

    Notes
    -----
    NaN policy: refuse. Cost: one stable sort a model.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.tie_broken_rank_correlation`: the official score before May 2023.

    Examples
    --------
    >>> tie_broken_rank_correlation([[5.0], [5.0], [9.0]], [0.0, 0.5, 1.0]).round(9)
    array([1.])
    """
    columns, wanted = _checked(predictions, target)
    return _ranked_pearson(columns, wanted, _ranked.BROKEN_TIES)


def cwmm(predictions: npt.ArrayLike, meta_model: npt.ArrayLike) -> FloatArray:
    """CWMM: correlation of each model, ranked, gaussianized and powered, with the raw meta model.

    Parameters
    ----------
    predictions : array-like of shape (n_assets, n_models)
        Predictions of one era, any unit; only their ranks matter.
    meta_model : array-like of shape (n_assets,)
        Stake-weighted mean of signals, as stored: neither ranked nor powered.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        In [-1, 1]; NaN where a side is constant.

    Raises
    ------
    ShapeError
        If the rows differ or there are none.
    NonFiniteError
        If a prediction is NaN or the meta model not finite.

    Notes
    -----
    NaN policy: refuse. Cost: one sort a model.

    References
    ----------
    .. [1] Numerai, "Definitions: correlation with the meta model", scoring documentation.

    Examples
    --------
    >>> cwmm([[1.0], [2.0], [3.0]], [-0.5, 0.0, 0.5]).round(9)
    array([1.])
    """
    columns, wanted = _checked(predictions, meta_model, "meta_model")
    terms = [(_ranked.powered_quantiles(len(wanted)), zero_if_constant(wanted - wanted.mean()))]
    return _ranked.sums(columns, terms, name="predictions").correlation(0, terms[0][1])


def mcwnm(predictions: npt.ArrayLike) -> FloatArray:
    """MCWNM: the largest Pearson correlation of each model with any other.

    Parameters
    ----------
    predictions : array-like of shape (n_assets, n_models)
        Submissions of one round as they are stored: raw, ranks or signals.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        In [-1, 1]; NaN for a constant model, and where there is no other.

    Raises
    ------
    ShapeError
        If there are no rows.
    NonFiniteError
        If a value is not finite.

    Notes
    -----
    NaN policy: refuse; constant models are left out for all others.
    Cost: O(n_assets * n_models ** 2) and a matrix of models by models.

    References
    ----------
    .. [1] Numerai, "Definitions: max correlation with numerai models", scoring documentation.

    Examples
    --------
    >>> mcwnm([[1.0, 2.0, 3.0], [2.0, 4.0, 2.0], [3.0, 6.0, 1.0]]).round(9)
    array([ 1.,  1., -1.])
    """
    rows, varies = _unit_rows(predictions)
    scores = np.full(len(varies), np.nan)
    if len(rows) > 1:
        likeness = rows @ rows.T
        np.fill_diagonal(likeness, -np.inf)
        scores[varies] = likeness.max(axis=1)
    return scores


def apcwnm(predictions: npt.ArrayLike) -> FloatArray:
    """APCWNM: the mean Pearson correlation of each model with all others.

    Parameters
    ----------
    predictions : array-like of shape (n_assets, n_models)
        Submissions of one round as they are stored: raw, ranks or signals.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        In [-1, 1]; NaN for a constant model, and where there is no other.

    Raises
    ------
    ShapeError
        If there are no rows.
    NonFiniteError
        If a value is not finite.

    Notes
    -----
    NaN policy: refuse; constant models are left out for all others.
    Cost: O(n_assets * n_models): the mean correlation is the correlation with the sum.

    References
    ----------
    .. [1] Numerai, "Definitions: average pairwise correlation with numerai models", scoring documentation.

    Examples
    --------
    >>> apcwnm([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]]).round(9)
    array([1., 1.])
    """
    rows, varies = _unit_rows(predictions)
    scores = np.full(len(varies), np.nan)
    if len(rows) > 1:
        scores[varies] = (rows @ rows.sum(axis=0) - 1.0) / (len(rows) - 1)
    return scores


def _checked(predictions: npt.ArrayLike, target: npt.ArrayLike, name: str = "target") -> tuple[FloatArray, FloatArray]:
    columns, wanted = checks.matrix(predictions, "predictions"), checks.vector(target, name)
    checks.same_rows(**{"predictions": columns, name: wanted})
    checks.finite(**{name: wanted})
    return columns, wanted


def zero_if_constant(centred: FloatArray) -> FloatArray:
    """Give a centred vector, or zeros where rounding alone has left something of a constant.

    Parameters
    ----------
    centred : ndarray of shape (n_assets,), dtype=float64
        A vector less its mean.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=float64

    Notes
    -----
    NaN policy: propagate. Cost: O(n_assets).
    """
    return np.zeros_like(centred) if centred.max() == centred.min() else centred


def _ranked_pearson(columns: FloatArray, target: FloatArray, tolerance: float) -> FloatArray:
    centred_ranks = _ranked.ranks(len(target)) - 0.5  # so that a constant model looks up 0
    terms = [(centred_ranks, zero_if_constant(target - target.mean()))]
    return _ranked.sums(columns, terms, name="predictions", tolerance=tolerance).correlation(0, terms[0][1])


def _unit_rows(predictions: npt.ArrayLike) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Centred rows of length 1 of the models that vary, and which those are."""
    columns = checks.matrix(predictions, "predictions")
    checks.finite(predictions=columns)
    rows = _rows.as_rows(columns)
    varies = ~_rows.constant(rows)
    rows = rows[varies] - rows[varies].mean(axis=1, keepdims=True)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True), varies
