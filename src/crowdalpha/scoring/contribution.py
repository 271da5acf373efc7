"""Contribution scores: what a model adds to a meta model or to a benchmark. Higher is better.

The kernel `contributions` is shared with `crowdalpha.scoring.neutralization`.
"""

import numpy as np
import numpy.typing as npt

from crowdalpha.scoring import _ranked, _rows, checks
from crowdalpha.scoring.arrays import FloatArray, model_blocks

__all__ = [
    "bmc",
    "legacy_contribution",
    "mmc",
    "mmc_closed_form",
    "mmc_limit",
    "mmc_orthogonal",
]

# Targets that all lie in [0, 1] are scaled to the buckets 0..4 (numerai-tools 0.7.2, `contribution_scores`).
BUCKETS_PER_UNIT = 4.0
# Standard deviation of a uniform rank, as MMC of 2020 to 2022 rounded it ("MMC2 Announcement", forum).
UNIFORM_DEVIATION = 0.29


def mmc(
    predictions: npt.ArrayLike, meta_model: npt.ArrayLike, target: npt.ArrayLike, *, top_bottom: int | None = None
) -> FloatArray:
    """MMC: covariance of the target with the part of each signal that is orthogonal to the meta model.

    Parameters
    ----------
    predictions : array-like of shape (n_assets, n_models)
        Predictions of one era, any unit; only their ranks matter.
    meta_model : array-like of shape (n_assets,)
        Meta model of the same assets, in the same order; it is ranked again here.
    target : array-like of shape (n_assets,)
        Target of the same assets; multiplied by 4 when all of it lies in [0, 1].
    top_bottom : int, optional
        Sum over the lowest and the highest so many orthogonalized signals of each model only.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        A covariance, not bounded by 1. 0 for a constant prediction, for the meta model itself and for a
        constant target; NaN for all if the meta model is constant.

    Raises
    ------
    ShapeError
        If the rows differ or there are none.
    NonFiniteError
        If a prediction or the meta model is NaN, or a target not finite.
    RangeError
        If `top_bottom` does not fit.

    Notes
    -----
    NaN policy: refuse. Cost: one sort and one dot product a model, memory bounded by a block of models.

    References
    ----------
    .. [1] Numerai, "Meta Model Contribution (MMC)", scoring documentation; numerai-tools 0.7.2,
       `scoring.correlation_contribution`.

    Examples
    --------
    >>> mmc([[1.0, 1.0], [2.0, 4.0], [3.0, 2.0], [4.0, 3.0]], [1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 0.5, 0.5]).round(6)
    array([0.      , 0.972055])
    """
    columns = checks.matrix(predictions, "predictions")
    meta, wanted = checks.vector(meta_model, "meta_model"), checks.vector(target, "target")
    checks.same_rows(predictions=columns, meta_model=meta, target=wanted)
    checks.no_nan(meta_model=meta)
    checks.finite(target=wanted)
    size = checks.top_bottom_size(top_bottom, len(wanted))
    meta_signal = _rows.gaussianize(meta[None, :])[0]
    wanted = bucketed_target(wanted)
    if size == 0:
        terms = [(_ranked.quantiles(len(wanted)), contribution_vector(meta_signal, wanted))]
        return _ranked.sums(columns, terms, name="predictions").products[:, 0]
    checks.no_nan(predictions=columns)
    scores = np.empty(columns.shape[1])
    for block in model_blocks(*columns.shape):
        scores[block] = contributions(_rows.gaussianize(columns[:, block].T), meta_signal, wanted, size)
    return scores


def bmc(
    predictions: npt.ArrayLike, benchmark: npt.ArrayLike, target: npt.ArrayLike, *, top_bottom: int | None = None
) -> FloatArray:
    """BMC: as MMC, against a benchmark model, or a mean of them, instead of the meta model.

    Parameters
    ----------
    predictions : array-like of shape (n_assets, n_models)
        Predictions of one era, any unit; only their ranks matter.
    benchmark : array-like of shape (n_assets,)
        Benchmark of the same assets, in the same order.
    target : array-like of shape (n_assets,)
        Target of the same assets.
    top_bottom : int, optional
        Sum over the lowest and the highest so many orthogonalized signals of each model only.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        As `mmc`.

    Raises
    ------
    ShapeError, NonFiniteError, RangeError
        As `mmc`.

    Notes
    -----
    NaN policy: refuse. Cost: as `mmc`.

    References
    ----------
    .. [1] Numerai, "Benchmark Model Contribution (BMC)", scoring documentation.

    Examples
    --------
    >>> bmc([[1.0], [2.0], [3.0]], [1.0, 3.0, 2.0], [0.0, 0.5, 1.0]).round(6)
    array([0.967422])
    """
    return mmc(predictions, benchmark, target, top_bottom=top_bottom)


def mmc_limit(
    signals: npt.ArrayLike, meta_signal: npt.ArrayLike, target: npt.ArrayLike, *, epsilon: float = 1e-3
) -> FloatArray:
    """Gain of the meta model's correlation when a little of each signal is mixed in (Richard's form).

    Parameters
    ----------
    signals : array-like of shape (n_assets, n_models)
        Gaussianized predictions.
    meta_signal : array-like of shape (n_assets,)
        Gaussianized meta model.
    target : array-like of shape (n_assets,)
        Target, any unit.
    epsilon : float in [0, 1], default=1e-3
        Share of the signal in the mixture; the published one is the default.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        corr(y, (1 - epsilon) h + epsilon g) - corr(y, h); NaN if the target or the meta model is constant.

    Raises
    ------
    ShapeError, NonFiniteError, RangeError
        If rows differ, a value is not finite, or `epsilon` lies outside [0, 1].

    Notes
    -----
    NaN policy: refuse. Cost: O(n_assets * n_models).

    References
    ----------
    .. [1] Numerai forum, "MMC staking starts Jan 2, 2024".

    Examples
    --------
    >>> mmc_limit([[-1.0], [0.0], [1.0]], [-1.0, 1.0, 0.0], [0.0, 1.0, 2.0], epsilon=1.0).round(9)
    array([0.5])
    """
    rows, meta, wanted = _signals(signals, meta_signal, target)
    checks.in_range(epsilon, 0.0, 1.0, "epsilon")
    mixed = (1.0 - epsilon) * meta + epsilon * rows
    return _rows.pearson(mixed, wanted) - _rows.pearson(meta[None, :], wanted)


def mmc_closed_form(signals: npt.ArrayLike, meta_signal: npt.ArrayLike, target: npt.ArrayLike) -> FloatArray:
    """Limit of `mmc_limit` divided by epsilon, as a formula (Murky's form).

    Parameters
    ----------
    signals : array-like of shape (n_assets, n_models)
        Gaussianized predictions, not re-standardized.
    meta_signal : array-like of shape (n_assets,)
        Gaussianized meta model.
    target : array-like of shape (n_assets,)
        Target, any unit.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        [y'g - (y'h)(h'g)/(h'h)] / (|y| |h|) of the centred vectors; NaN if target or meta model is constant.

    Raises
    ------
    ShapeError, NonFiniteError
        If rows differ or a value is not finite.

    Notes
    -----
    NaN policy: refuse. Cost: O(n_assets * n_models).
    With a centred meta signal, `mmc_orthogonal` is std(target) * std(meta_signal) times this, for every model.

    References
    ----------
    .. [1] Numerai forum, "MMC staking starts Jan 2, 2024".

    Examples
    --------
    >>> mmc_closed_form([[-1.0], [0.0], [1.0]], [-1.0, 1.0, 0.0], [0.0, 1.0, 2.0]).round(9)
    array([0.75])
    """
    rows, meta, wanted = _signals(signals, meta_signal, target)
    meta, wanted = meta - meta.mean(), wanted - wanted.mean()
    scale = np.linalg.norm(wanted) * np.linalg.norm(meta)
    scores = np.full(len(rows), np.nan)
    if scale > 0:
        scores = (rows - rows.mean(axis=1, keepdims=True)) @ orthogonal_part(wanted, meta) / scale
    return scores


def mmc_orthogonal(signals: npt.ArrayLike, meta_signal: npt.ArrayLike, target: npt.ArrayLike) -> FloatArray:
    """Covariance of the target with the signals orthogonalized to the meta signal (Mike's form, the one in use).

    Parameters
    ----------
    signals : array-like of shape (n_assets, n_models)
        Gaussianized predictions.
    meta_signal : array-like of shape (n_assets,)
        Gaussianized meta model.
    target : array-like of shape (n_assets,)
        Target; multiplied by 4 when all of it lies in [0, 1].

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        As `mmc`, which gaussianizes and calls this.

    Raises
    ------
    ShapeError, NonFiniteError
        If rows differ or a value is not finite.

    Notes
    -----
    NaN policy: refuse. Cost: O(n_assets * n_models).

    References
    ----------
    .. [1] Numerai forum, "MMC staking starts Jan 2, 2024"; numerai-tools 0.7.2, `scoring.contribution_scores`.

    Examples
    --------
    >>> mmc_orthogonal([[-1.0], [0.0], [1.0]], [-1.0, 1.0, 0.0], [0.0, 1.0, 2.0]).round(9)
    array([0.5])
    """
    rows, meta, wanted = _signals(signals, meta_signal, target)
    return contributions(rows, meta, bucketed_target(wanted), 0)


def legacy_contribution(predictions: npt.ArrayLike, meta_model: npt.ArrayLike, target: npt.ArrayLike) -> FloatArray:
    """MMC as it was before 2022 (MMC2): covariance of the target with uniform ranks freed of the meta model.

    Parameters
    ----------
    predictions : array-like of shape (n_assets, n_models)
        Predictions of one era in ascending order of their ids, any unit.
    meta_model : array-like of shape (n_assets,)
        Meta model of the same assets, as stored.
    target : array-like of shape (n_assets,)
        Target of the same assets.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        cov(residual, target; ddof=1) / 0.29 ** 2.

    Raises
    ------
    ShapeError, NonFiniteError
        If rows differ, a prediction is NaN, another value not finite, or there is one asset only.

    Notes
    -----
    NaN policy: refuse. Cost: one stable sort a model.

    References
    ----------
    .. [1] Numerai forum, "MMC2 Announcement"; numerblox 1.6.1, `evaluation.legacy_contribution`.

    Examples
    --------
    >>> legacy_contribution([[1.0], [3.0], [2.0]], [1.0, 1.0, 1.0], [0.0, 1.0, 0.5]).round(6)
    array([1.981768])
    """
    columns = checks.matrix(predictions, "predictions")
    meta, wanted = checks.vector(meta_model, "meta_model"), checks.vector(target, "target")
    checks.same_rows(predictions=columns, meta_model=meta, target=wanted)
    checks.finite(meta_model=meta, target=wanted)
    if len(wanted) == 1:
        raise checks.ShapeError("one asset has no covariance; the legacy contribution needs at least two")
    # Freeing the target of the meta model instead of every rank gives the same products.
    freed = orthogonal_part(wanted - wanted.mean(), meta - meta.mean())
    terms = [(_ranked.ranks(len(wanted)), freed)]
    scores = _ranked.sums(columns, terms, name="predictions", tolerance=_ranked.BROKEN_TIES).products[:, 0]
    return scores / (len(wanted) - 1) / UNIFORM_DEVIATION**2


def bucketed_target(target: FloatArray) -> FloatArray:
    """Target as the contribution scores see it: in buckets of one when it lies in [0, 1], then centred.

    Parameters
    ----------
    target : ndarray of shape (n_assets,), dtype=float64
        Target of one era, finite.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=float64
        Mean 0; exactly 0 for a constant target.

    Notes
    -----
    NaN policy: propagate. Cost: O(n_assets).
    """
    low, high = target.min(), target.max()
    if low == high:
        return np.zeros_like(target)
    wanted = BUCKETS_PER_UNIT * target if low >= 0 and high <= 1 else target
    centred: FloatArray = wanted - wanted.mean()
    return centred


def orthogonal_part(vector: FloatArray, base: FloatArray) -> FloatArray:
    """Subtract from `vector` its projection on `base`; a `base` of zeros takes nothing away.

    Parameters
    ----------
    vector, base : ndarray of shape (n_assets,), dtype=float64
        Both finite.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=float64

    Notes
    -----
    NaN policy: propagate. Cost: O(n_assets).
    """
    squared = base @ base
    return vector - base * ((base @ vector) / squared) if squared > 0 else vector


def contribution_vector(meta_signal: FloatArray, target: FloatArray) -> FloatArray:
    """Vector whose product with a signal is the contribution of that signal.

    y'(g - h (h'g)/(h'h)) = (y - h (h'y)/(h'h))'g: one vector is orthogonalized and not every model.

    Parameters
    ----------
    meta_signal : ndarray of shape (n_assets,), dtype=float64
        Gaussianized meta model.
    target : ndarray of shape (n_assets,), dtype=float64
        From `bucketed_target`.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=float64
        NaN if the meta signal is zero.

    Notes
    -----
    NaN policy: propagate. Cost: O(n_assets).
    """
    if not meta_signal.any():
        return np.full(len(target), np.nan)
    return orthogonal_part(target, meta_signal) / len(target)


def contributions(signal_rows: FloatArray, meta_signal: FloatArray, target: FloatArray, size: int) -> FloatArray:
    """Contribution of each signal; one model a row, target already bucketed and centred.

    Parameters
    ----------
    signal_rows : ndarray of shape (n_models, n_assets), dtype=float64
        Gaussianized predictions.
    meta_signal : ndarray of shape (n_assets,), dtype=float64
        Gaussianized meta model.
    target : ndarray of shape (n_assets,), dtype=float64
        From `bucketed_target`.
    size : int
        Top/bottom filter; 0 for none.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        NaN for all if the meta signal is zero.

    Notes
    -----
    NaN policy: propagate. Cost: one dot product a model; a sort a model with a top/bottom filter.
    """
    if size == 0:
        scores: FloatArray = signal_rows @ contribution_vector(meta_signal, target)
        return scores
    squared = meta_signal @ meta_signal
    if squared == 0:
        return np.full(len(signal_rows), np.nan)
    rest = signal_rows - (signal_rows @ meta_signal / squared)[:, None] * meta_signal
    kept = _rows.top_bottom(rest, size)
    products: FloatArray = np.einsum("ij,ij->i", np.take_along_axis(rest, kept, axis=1), target[kept])
    return products / (2 * size)


def _signals(
    signals: npt.ArrayLike, meta_signal: npt.ArrayLike, target: npt.ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    columns = checks.matrix(signals, "signals")
    meta, wanted = checks.vector(meta_signal, "meta_signal"), checks.vector(target, "target")
    checks.same_rows(signals=columns, meta_signal=meta, target=wanted)
    checks.finite(signals=columns, meta_signal=meta, target=wanted)
    return _rows.as_rows(columns), meta, wanted
