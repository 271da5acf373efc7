"""All scores at once from frames, and what a model's scores look like over the eras."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Generic

import narwhals as nw
import numpy as np
from narwhals.typing import IntoDataFrame, IntoDataFrameT

from crowdalpha.scoring import checks, correlation, exposure
from crowdalpha.scoring.arrays import FloatArray, IntegerArray
from crowdalpha.scoring.frames._eras import Arrays, by_era
from crowdalpha.scoring.frames._panel import Panel, same_kind
from crowdalpha.scoring.frames._sides import ColumnOrFrame, ColumnsOrFrame, Matrix, Side, Values
from crowdalpha.scoring.frames._tables import ERA, eager, numbers
from crowdalpha.scoring.rounds import round_scores
from crowdalpha.scoring.score_metrics import metrics

__all__ = ["EraFrames", "era_scores", "summarize"]

MODEL = "model"
SCORES = ("corr", "mmc", "fnc", "cwmm", "max_exposure")


@dataclass(frozen=True, eq=False)
class EraFrames(Generic[IntoDataFrameT]):
    """One frame a score, each with `era` and one column a model; None where the score was not asked for."""

    corr: IntoDataFrameT
    mmc: IntoDataFrameT | None
    fnc: IntoDataFrameT | None
    cwmm: IntoDataFrameT | None
    max_exposure: IntoDataFrameT | None


def era_scores(
    predictions: IntoDataFrameT,
    truth: IntoDataFrame | None = None,
    *,
    meta_model: ColumnOrFrame | None = None,
    features: ColumnsOrFrame | None = None,
    columns: Sequence[str] | None = None,
    target: str = "target",
    models: str | Sequence[str] | None = None,
) -> EraFrames[IntoDataFrameT]:
    """Score each model in each era on everything at once: one alignment, shared ranks and one factorisation an era.

    Parameters
    ----------
    predictions : DataFrame
        `id`, perhaps `era`, and one column a model.
    truth : DataFrame, optional
        `id`, `era` as in `predictions`, and the target. Default: `predictions`, as one long frame.
    meta_model : str or DataFrame, optional
        Column of `predictions`, or a frame with the same keys and one other column; without it no MMC and no CWMM.
    features : sequence of str or DataFrame, optional
        Columns of `predictions`, or a frame with the same keys; without it no FNC and no exposure.
    columns : sequence of str, optional
        Columns of the frame of features. Default: all that are no keys.
    target : str, default="target"
        Column of the target.
    models : str or sequence of str, optional
        Columns to score. Default: all that are no keys and not named as a side.

    Returns
    -------
    EraFrames
        Frames of the kind that came in. In an era in which no id has a target, `cwmm` and `max_exposure` alone are
        known; where the meta model or the features have no row at all, nothing is.

    Raises
    ------
    IdMismatchError, ShapeError, DuplicateError, OverlapError, DistortionError
        As `corr`; 80 % of the ids must match.
    NonFiniteError
        If a target or a meta model is infinite, a feature is missing or not finite, or a prediction is infinite
        where there are features.

    Notes
    -----
    NaN policy: omit, each model on its own rows; refuse in features. All scores of a model use the same rows: those
    with a meta model and features, where these are given. Cost: as `crowdalpha.scoring.era_scores`.

    Examples
    --------
    >>> import polars as pl
    >>> columns = {"mine": [1, 2, 3], "meta_model": [1, 3, 2], "target": [0.0, 0.5, 1.0]}
    >>> frame = pl.DataFrame({"id": [1, 2, 3], **columns})
    >>> found = era_scores(frame, meta_model="meta_model")
    >>> found.corr.rows(), found.mmc["mine"].round(6).to_list(), found.fnc
    ([(1.0,)], [0.967422], None)
    """
    panel = Panel.of(predictions, models, meta_model, features, target)
    sides: dict[str, Side] = {}
    if meta_model is not None:
        sides["meta_model"] = Values.read(panel.table, meta_model, "meta_model")
    if features is not None:
        panel.refuse_infinite()
        sides["features"] = Matrix.read(panel.table, features, "features", columns)
    wanted = Values.target(panel.table, truth, target)

    def kernel(era: int, values: FloatArray, arrays: Arrays) -> FloatArray:
        given = dict(zip(sides, arrays, strict=False))
        if wanted.has(era):
            found = round_scores(values, target=arrays[-1], target_mean=wanted.mean(era), **given)
            return np.stack([getattr(found, name) for name in SCORES])
        return _without_target(values, given)

    scores = by_era(panel, list(sides.values()), kernel, partial=[wanted], shape=(len(SCORES),))
    corr, mmc, fnc, cwmm, largest = (panel.frame(scores[:, number], like=predictions) for number in range(len(SCORES)))
    return EraFrames(
        corr=corr,
        mmc=mmc if "meta_model" in sides else None,
        fnc=fnc if "features" in sides else None,
        cwmm=cwmm if "meta_model" in sides else None,
        max_exposure=largest if "features" in sides else None,
    )


def summarize(scores: IntoDataFrameT) -> IntoDataFrameT:
    """Summarize the scores of each model over the eras.

    Parameters
    ----------
    scores : DataFrame
        What a score gives: one row an era, in order, and one column a model; `era` may be there.

    Returns
    -------
    DataFrame of the kind that came in
        One row a model: `model` and the figures of `crowdalpha.scoring.metrics`.

    Raises
    ------
    ShapeError
        If there are no rows, or a column does not hold numbers.
    NonFiniteError
        If a score is infinite.

    Notes
    -----
    NaN policy: omit eras without a score. Cost: O(size).

    Examples
    --------
    >>> import polars as pl
    >>> summarize(pl.DataFrame({"era": [1, 2], "mine": [0.01, 0.03]})).select("model", "mean", "n_eras").rows()
    [('mine', 0.02, 2)]
    """
    frame = eager(scores, "scores")
    models = [name for name in frame.columns if name != ERA]
    values = numbers(frame, models, "scores")
    if not values.size:
        raise checks.ShapeError("scores has no rows or no models; there is nothing to summarize")
    found = metrics(values)
    figures = [field.name for field in fields(found)]
    table = nw.from_numpy(
        np.column_stack([getattr(found, name) for name in figures]), figures, backend=frame.implementation
    )
    names = nw.new_series(MODEL, models, nw.String, backend=frame.implementation)
    return same_kind(table.with_columns(names, nw.col("n_eras").cast(nw.Int64)).select(MODEL, *figures), scores)


def _without_target(values: FloatArray, given: dict[str, FloatArray | IntegerArray]) -> FloatArray:
    """Scores of an era that need no target, in the order of all."""
    out = np.full((len(SCORES), values.shape[1]), np.nan)
    if "meta_model" in given:
        out[SCORES.index("cwmm")] = correlation.cwmm(values, given["meta_model"])
    if "features" in given:
        out[SCORES.index("max_exposure")] = exposure.max_feature_exposure(given["features"], values)
    return out
