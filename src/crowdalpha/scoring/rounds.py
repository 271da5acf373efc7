"""All scores of one round at once: the one entry that the server, the client and the verifier call."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crowdalpha.scoring import _rows, checks
from crowdalpha.scoring._projection import Projection
from crowdalpha.scoring.arrays import FloatArray, model_blocks
from crowdalpha.scoring.contribution import bucketed_target, contributions
from crowdalpha.scoring.correlation import powered_target
from crowdalpha.scoring.exposure import unit_rows
from crowdalpha.scoring.neutralization import known_rows, residual_corr, residual_rows

__all__ = ["RoundScores", "round_scores"]


@dataclass(frozen=True, eq=False)
class RoundScores:
    """Scores of one round, one value a model; NaN where a score is not defined."""

    corr: FloatArray
    mmc: FloatArray
    fnc: FloatArray
    cwmm: FloatArray
    max_exposure: FloatArray


def round_scores(
    predictions: npt.ArrayLike,
    *,
    meta_model: npt.ArrayLike,
    target: npt.ArrayLike,
    features: npt.ArrayLike | None = None,
    target_mean: float | None = None,
) -> RoundScores:
    """Score every model of a round; ranks and the factorised features are shared between the scores.

    Parameters
    ----------
    predictions : array-like of shape (n_assets, n_models)
        Complete predictions of the live assets, in ascending order of their ids.
    meta_model : array-like of shape (n_assets,)
        Stake-weighted mean of the signals of the same assets, as stored.
    target : array-like of shape (n_assets,)
        Target of the same assets; NaN where there is none.
    features : array-like of shape (n_assets, n_features), optional
        Features of the same assets, missing ones filled; without them FNC and exposure are NaN.
    target_mean : float, optional
        What CORR and FNC centre the target on: the mean over every id that has a target. Default: the mean over
        the assets given, which is the same when no asset outside them has a target.

    Returns
    -------
    RoundScores
        A constant model has NaN `corr`, `fnc`, `cwmm` and `max_exposure` and 0 `mmc`, and changes no other model.

    Raises
    ------
    ShapeError
        If the rows differ or there are none.
    NonFiniteError
        If a prediction, the meta model or a feature is not finite, or a target infinite.
    OverlapError
        If more than 20 % of the assets have no target.
    DistortionError
        If the target has tails too heavy for its power.

    Notes
    -----
    NaN policy: refuse; in the target omit: such assets count for CWMM, exposure and the neutralization of FNC only.
    Cost: one sort a model (two with features, one more when targets are missing), one factorisation of the features;
    memory beyond the input is bounded by a block of models.

    Examples
    --------
    >>> scores = round_scores([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]], meta_model=[2.0, 1.0, 3.0], target=[0.0, 0.5, 1.0])
    >>> scores.corr.round(6), scores.mmc.round(6)
    (array([ 1., nan]), array([0.967422, 0.      ]))
    """
    columns, meta, wanted = _checked(predictions, meta_model, target)
    known = known_rows(wanted)
    all_known = bool(known.all())
    kept = slice(None) if all_known else known
    powered = powered_target(wanted[kept], target_mean=target_mean)
    bucketed = bucketed_target(wanted[kept])
    meta_signal = _rows.gaussianize(meta[None, kept])[0]
    matrix = None if features is None else _features(features, columns)
    projection = None if matrix is None else Projection.of(matrix)
    units = None if matrix is None else _varying_units(matrix)
    scores = RoundScores(*(np.full(columns.shape[1], np.nan) for _ in range(5)))
    for block in model_blocks(*columns.shape):
        rows = _rows.as_rows(columns[:, block])
        signals = _rows.gaussianize(rows)
        signals_kept = signals if all_known else _rows.gaussianize(rows[:, kept])
        scores.corr[block] = _rows.pearson(_rows.power_1_5(signals_kept), powered)
        scores.mmc[block] = contributions(signals_kept, meta_signal, bucketed, 0)
        scores.cwmm[block] = _rows.pearson(_rows.power_1_5(signals), meta)
        if projection is not None:
            scores.fnc[block] = residual_corr(residual_rows(signals, projection)[:, kept], powered, 0)
        if units is not None and len(units):
            scores.max_exposure[block] = np.abs(units @ unit_rows(rows).T).max(axis=0)
    return scores


def _checked(
    predictions: npt.ArrayLike, meta_model: npt.ArrayLike, target: npt.ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    columns = checks.matrix(predictions, "predictions")
    meta, wanted = checks.vector(meta_model, "meta_model"), checks.vector(target, "target")
    checks.same_rows(predictions=columns, meta_model=meta, target=wanted)
    checks.finite(predictions=columns, meta_model=meta)
    return columns, meta, wanted


def _features(features: npt.ArrayLike, columns: FloatArray) -> FloatArray:
    matrix = checks.matrix(features, "features")
    checks.same_rows(predictions=columns, features=matrix)
    checks.finite(features=matrix)
    return matrix


def _varying_units(features: FloatArray) -> FloatArray:
    rows = _rows.as_rows(features)
    return unit_rows(rows[~_rows.constant(rows)] if len(rows) else rows)
