"""Scores of pandas or polars frames: aligned once on (`era`, `id`), scored by the array functions, given back alike.

A frame has a column `id`, perhaps a column `era`, and columns of values; with pandas the two may be the index. What is
not a key in `predictions` is a model. Every function gives one row an era, eras in ascending order, and one column a
model; without `era` there is one row. Rows that a side lacks are left out; an era in which more than 20 % of a side's
rows are left out is refused. A model with gaps is scored on the rows that it has and changes no other model; where it
has less than 80 % of an era it has no score. Needs narwhals, which is part of the base install.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import narwhals as nw
import numpy as np
from narwhals.typing import IntoDataFrameT

from crowdalpha import scoring
from crowdalpha.scoring import checks
from crowdalpha.scoring._frames import DEFAULT_MAX_FILTERED_RATIO, ERA, Aligned, Side, aligned, made
from crowdalpha.scoring.arrays import BoolArray, FloatArray, IndexArray

__all__ = [
    "Alignment",
    "align",
    "bmc",
    "corr",
    "cwmm",
    "feature_exposures",
    "fnc",
    "gaussianize",
    "max_feature_exposure",
    "mmc",
    "neutralize",
    "summarize",
]

Score = Callable[[FloatArray, BoolArray], FloatArray]


@dataclass(frozen=True, eq=False)
class Alignment:
    """What aligning two frames keeps and drops.

    `kept` is the number of rows in common; `dropped_left` and `dropped_right` are the row numbers without a partner.
    """

    kept: int
    dropped_left: IndexArray
    dropped_right: IndexArray


def align(
    left: IntoDataFrameT, right: IntoDataFrameT, *, max_filtered_ratio: float = DEFAULT_MAX_FILTERED_RATIO
) -> Alignment:
    """Tell which rows of two frames a score would use.

    Parameters
    ----------
    left, right : DataFrame (pandas or polars, both the same)
        With `id`, perhaps `era`, and a column of numbers.
    max_filtered_ratio : float in [0, 1], default=0.2
        Share of either side's rows that an era may lose.

    Returns
    -------
    Alignment

    Raises
    ------
    IdMismatchError, DuplicateError, OverlapError, ShapeError
        If a key is missing, null or given twice, too few rows match, or a side has no rows or no numbers.

    Notes
    -----
    NaN policy: propagate (values are not read). Cost: one join, none where the keys are equal.
    """
    found = aligned([Side.of("left", left), Side.of("right", right)], max_filtered_ratio=max_filtered_ratio)
    return Alignment(len(found.rows[0]), *found.dropped)


def corr(
    predictions: IntoDataFrameT,
    truth: IntoDataFrameT,
    *,
    target: str = "target",
    top_bottom: int | None = None,
    power_target: bool = True,
    max_filtered_ratio: float = DEFAULT_MAX_FILTERED_RATIO,
) -> IntoDataFrameT:
    """CORR of each model in each era; see `crowdalpha.scoring.corr`.

    Parameters
    ----------
    predictions : DataFrame (pandas or polars)
        `id`, perhaps `era`, and a column a model.
    truth : DataFrame of the same kind
        `id`, `era` as in `predictions`, and the target; it is centred over all its rows that have one.
    target : str, default="target"
        Column of `truth`.
    top_bottom, power_target
        As in `crowdalpha.scoring.corr`.
    max_filtered_ratio : float in [0, 1], default=0.2
        Share of either side's rows that an era may lose.

    Returns
    -------
    DataFrame of the same kind
        `era` and a column a model.

    Raises
    ------
    IdMismatchError, DuplicateError, OverlapError, ShapeError, NonFiniteError, DistortionError, RangeError
        As `align` and `crowdalpha.scoring.corr`; the message names the frame, the column, the era and the first id.

    Notes
    -----
    NaN policy: omit rows without target, and a model's own gaps. Cost: one join and the scores.
    """
    sides = [Side.of("predictions", predictions), Side.of("truth", truth, [target])]
    found = aligned(sides, max_filtered_ratio=max_filtered_ratio)
    wanted, means = _target(found, sides[1], 1)

    def score(era: int, rows: slice) -> Score:
        def of(values: FloatArray, kept: BoolArray) -> FloatArray:
            return scoring.corr(
                values,
                wanted[rows][kept],
                top_bottom=top_bottom,
                power_target=power_target,
                target_mean=means[era],
            )

        return of

    return cast("IntoDataFrameT", _scored(found, sides[0], score, usable=~np.isnan(wanted)))


def mmc(
    predictions: IntoDataFrameT,
    meta_model: IntoDataFrameT,
    truth: IntoDataFrameT,
    *,
    target: str = "target",
    top_bottom: int | None = None,
    max_filtered_ratio: float = DEFAULT_MAX_FILTERED_RATIO,
) -> IntoDataFrameT:
    """MMC of each model in each era; see `crowdalpha.scoring.mmc`.

    Parameters
    ----------
    predictions : DataFrame (pandas or polars)
        `id`, perhaps `era`, and a column a model.
    meta_model : DataFrame of the same kind
        `id`, `era` as in `predictions`, and one column of values.
    truth : DataFrame of the same kind
        `id`, `era` as in `predictions`, and the target.
    target : str, default="target"
        Column of `truth`.
    top_bottom : int, optional
        As in `crowdalpha.scoring.mmc`.
    max_filtered_ratio : float in [0, 1], default=0.2
        Share of any side's rows that an era may lose.

    Returns
    -------
    DataFrame of the same kind
        `era` and a column a model.

    Raises
    ------
    IdMismatchError, DuplicateError, OverlapError, ShapeError, NonFiniteError, RangeError
        As `align` and `crowdalpha.scoring.mmc`.

    Notes
    -----
    NaN policy: omit rows without target or meta model, and a model's own gaps. Cost: one join and the scores.
    """
    sides = [Side.of("predictions", predictions), _one_column("meta_model", meta_model)]
    sides.append(Side.of("truth", truth, [target]))
    found = aligned(sides, max_filtered_ratio=max_filtered_ratio)
    wanted, _ = _target(found, sides[2], 2)
    meta = sides[1].values(found.rows[1])[:, 0]

    def score(_: int, rows: slice) -> Score:
        return lambda values, kept: scoring.mmc(values, meta[rows][kept], wanted[rows][kept], top_bottom=top_bottom)

    return cast("IntoDataFrameT", _scored(found, sides[0], score, usable=~np.isnan(wanted) & ~np.isnan(meta)))


def bmc(
    predictions: IntoDataFrameT,
    benchmark: IntoDataFrameT,
    truth: IntoDataFrameT,
    *,
    target: str = "target",
    top_bottom: int | None = None,
) -> IntoDataFrameT:
    """BMC of each model in each era: `mmc` against a benchmark.

    Parameters
    ----------
    predictions, benchmark, truth : DataFrame (pandas or polars)
        As in `mmc`, the benchmark for the meta model.
    target : str, default="target"
        Column of `truth`.
    top_bottom : int, optional
        As in `crowdalpha.scoring.bmc`.

    Returns
    -------
    DataFrame of the same kind
        As `mmc`.

    Raises
    ------
    InputError
        As `mmc`.

    Notes
    -----
    NaN policy: as `mmc`. Cost: as `mmc`.
    """
    return mmc(predictions, benchmark, truth, target=target, top_bottom=top_bottom)


def cwmm(predictions: IntoDataFrameT, meta_model: IntoDataFrameT) -> IntoDataFrameT:
    """CWMM of each model in each era; see `crowdalpha.scoring.cwmm`.

    Parameters
    ----------
    predictions : DataFrame (pandas or polars)
        `id`, perhaps `era`, and a column a model.
    meta_model : DataFrame of the same kind
        `id`, `era` as in `predictions`, and one column of values.

    Returns
    -------
    DataFrame of the same kind
        `era` and a column a model.

    Raises
    ------
    IdMismatchError, DuplicateError, OverlapError, ShapeError, NonFiniteError
        As `align` and `crowdalpha.scoring.cwmm`.

    Notes
    -----
    NaN policy: omit rows without meta model, and a model's own gaps. Cost: one join and the scores.
    """
    sides = [Side.of("predictions", predictions), _one_column("meta_model", meta_model)]
    found = aligned(sides)
    meta = sides[1].values(found.rows[1])[:, 0]

    def score(_: int, rows: slice) -> Score:
        return lambda values, kept: scoring.cwmm(values, meta[rows][kept])

    return cast("IntoDataFrameT", _scored(found, sides[0], score, usable=~np.isnan(meta)))


def fnc(
    predictions: IntoDataFrameT,
    features: IntoDataFrameT,
    truth: IntoDataFrameT,
    *,
    columns: Sequence[str] | None = None,
    target: str = "target",
    top_bottom: int | None = None,
) -> IntoDataFrameT:
    """FNC of each model in each era; see `crowdalpha.scoring.fnc`.

    Parameters
    ----------
    predictions : DataFrame (pandas or polars)
        `id`, perhaps `era`, and a column a model.
    features : DataFrame of the same kind
        `id`, `era` as in `predictions`, and features without gaps; int8 is fastest.
    truth : DataFrame of the same kind
        `id`, `era` as in `predictions`, and the target.
    columns : sequence of str, optional
        Columns of `features`; default: all but the keys.
    target : str, default="target"
        Column of `truth`.
    top_bottom : int, optional
        As in `crowdalpha.scoring.fnc`.

    Returns
    -------
    DataFrame of the same kind
        `era` and a column a model.

    Raises
    ------
    IdMismatchError, DuplicateError, OverlapError, ShapeError, NonFiniteError, DistortionError, RangeError
        As `align` and `crowdalpha.scoring.fnc`.

    Notes
    -----
    NaN policy: refuse in features; omit a model's own gaps; rows without target are neutralized and then left out.
    Cost: one join and the scores.
    """
    sides = [Side.of("predictions", predictions), Side.of("features", features, columns)]
    sides.append(Side.of("truth", truth, [target]))
    found = aligned(sides)
    wanted, means = _target(found, sides[2], 2)
    matrix = sides[1].features(found.rows[1])

    def score(era: int, rows: slice) -> Score:
        def of(values: FloatArray, kept: BoolArray) -> FloatArray:
            part = (values, matrix[rows][kept], wanted[rows][kept])
            return scoring.fnc(*part, top_bottom=top_bottom, target_mean=means[era])

        return of

    return cast("IntoDataFrameT", _scored(found, sides[0], score))


def max_feature_exposure(
    predictions: IntoDataFrameT, features: IntoDataFrameT, *, columns: Sequence[str] | None = None
) -> IntoDataFrameT:
    """Largest absolute exposure of each model in each era; see `crowdalpha.scoring.max_feature_exposure`.

    Parameters
    ----------
    predictions : DataFrame (pandas or polars)
        `id`, perhaps `era`, and a column a model.
    features : DataFrame of the same kind
        `id`, `era` as in `predictions`, and features without gaps.
    columns : sequence of str, optional
        Columns of `features`; default: all but the keys.

    Returns
    -------
    DataFrame of the same kind
        `era` and a column a model.

    Raises
    ------
    IdMismatchError, DuplicateError, OverlapError, ShapeError, NonFiniteError, ConstantError
        As `align` and `crowdalpha.scoring.max_feature_exposure`.

    Notes
    -----
    NaN policy: refuse in features; omit a model's own gaps. Cost: one join and the exposures.
    """
    sides = [Side.of("predictions", predictions), Side.of("features", features, columns)]
    found = aligned(sides)
    matrix = sides[1].features(found.rows[1])

    def score(_: int, rows: slice) -> Score:
        return lambda values, kept: scoring.max_feature_exposure(matrix[rows][kept], values)

    return cast("IntoDataFrameT", _scored(found, sides[0], score))


def feature_exposures(
    predictions: IntoDataFrameT, features: IntoDataFrameT, *, columns: Sequence[str] | None = None
) -> IntoDataFrameT:
    """Exposure of each model to each feature, as the mean over the eras; see `crowdalpha.scoring.feature_exposures`.

    Parameters
    ----------
    predictions : DataFrame (pandas or polars)
        `id`, perhaps `era`, and a column a model without gaps.
    features : DataFrame of the same kind
        `id`, `era` as in `predictions`, and features without gaps.
    columns : sequence of str, optional
        Columns of `features`; default: all but the keys.

    Returns
    -------
    DataFrame of the same kind
        `feature` and a column a model; NaN where model or feature never vary.

    Raises
    ------
    IdMismatchError, DuplicateError, OverlapError, ShapeError, NonFiniteError
        As `align` and `crowdalpha.scoring.feature_exposures`.

    Notes
    -----
    NaN policy: refuse. Cost: one join and the exposures.
    """
    sides = [Side.of("predictions", predictions), Side.of("features", features, columns)]
    found = aligned(sides)
    matrix, values = sides[1].features(found.rows[1]), sides[0].features(found.rows[0]).astype(np.float64)
    n_models = values.shape[1]
    size = matrix.shape[1] * n_models
    exposures = found.by_era(size, lambda _, rows: scoring.feature_exposures(matrix[rows], values[rows]).ravel())
    known = ~np.isnan(exposures)
    with np.errstate(invalid="ignore"):
        means = (np.where(known, exposures, 0.0).sum(axis=0) / known.sum(axis=0)).reshape(-1, n_models)
    data = {"feature": list(sides[1].columns)} | {name: means[:, at] for at, name in enumerate(sides[0].columns)}
    return cast("IntoDataFrameT", made(found.base.frame, data))


def neutralize(
    predictions: IntoDataFrameT,
    features: IntoDataFrameT,
    *,
    columns: Sequence[str] | None = None,
    proportion: float = 1.0,
) -> IntoDataFrameT:
    """Predictions less what the features explain, era by era; see `crowdalpha.scoring.neutralize`.

    Parameters
    ----------
    predictions : DataFrame (pandas or polars)
        `id`, perhaps `era`, and a column a model without gaps.
    features : DataFrame of the same kind
        `id`, `era` as in `predictions`, and features without gaps; every row of `predictions` needs its features.
    columns : sequence of str, optional
        Columns of `features`; default: all but the keys.
    proportion : float in [0, 1], default=1.0
        Share that is removed.

    Returns
    -------
    DataFrame of the same kind
        The keys and the models, in ascending order of era and id.

    Raises
    ------
    IdMismatchError, DuplicateError, OverlapError, ShapeError, NonFiniteError, RangeError
        As `align` and `crowdalpha.scoring.neutralize`.

    Notes
    -----
    NaN policy: refuse. Cost: one join and one factorisation an era.
    """
    sides = [Side.of("predictions", predictions), Side.of("features", features, columns)]
    found = aligned(sides)
    if len(found.dropped[0]):
        where = sides[0].label(int(found.dropped[0][0]))
        raise checks.OverlapError(f"features lack {len(found.dropped[0])} rows of predictions, first {where}")
    matrix, values = sides[1].features(found.rows[1]), sides[0].features(found.rows[0]).astype(np.float64)
    out = np.empty_like(values)

    def score(_: int, rows: slice) -> FloatArray:
        out[rows] = scoring.neutralize(values[rows], matrix[rows], proportion=proportion)
        return np.zeros(1)

    found.by_era(1, score)
    return cast("IntoDataFrameT", _rows(found, sides[0], out))


def gaussianize(predictions: IntoDataFrameT) -> IntoDataFrameT:
    """Predictions as signals, era by era; see `crowdalpha.scoring.gaussianize`.

    Parameters
    ----------
    predictions : DataFrame (pandas or polars)
        `id`, perhaps `era`, and a column a model.

    Returns
    -------
    DataFrame of the same kind
        The keys and the signals, in ascending order of era and id.

    Raises
    ------
    IdMismatchError, DuplicateError, ShapeError
        If a key is missing, null or given twice, or there are no rows or no numbers.

    Notes
    -----
    NaN policy: propagate; a gap stays a gap and is not counted. Cost: one sort a model and era.
    """
    side = Side.of("predictions", predictions)
    found = aligned([side])
    values = side.values(found.rows[0])
    out = np.empty_like(values)

    def score(_: int, rows: slice) -> FloatArray:
        out[rows] = scoring.gaussianize(values[rows])
        return np.zeros(1)

    found.by_era(1, score)
    return cast("IntoDataFrameT", _rows(found, side, out))


def summarize(scores: IntoDataFrameT) -> IntoDataFrameT:
    """Summary of each model's scores over the eras; see `crowdalpha.scoring.summarize`.

    Parameters
    ----------
    scores : DataFrame (pandas or polars)
        What a score gives: `era` and a column a model.

    Returns
    -------
    DataFrame of the same kind
        A row a model: `model`, `mean`, `std`, `sharpe`, `max_drawdown`, `n_eras`.

    Raises
    ------
    ShapeError
        If there are no rows.

    Notes
    -----
    NaN policy: omit. Cost: O(size).
    """
    frame = nw.from_native(scores, eager_only=True)
    models = [name for name in frame.columns if name != ERA]
    if len(frame) == 0:
        raise checks.ShapeError("scores has no rows; there is nothing to summarize")
    found = [scoring.summarize(frame[name].cast(nw.Float64).to_numpy()) for name in models]
    data: dict[str, Any] = {"model": models}
    data |= {
        name: [getattr(one, name) for one in found] for name in ("mean", "std", "sharpe", "max_drawdown", "n_eras")
    }
    return cast("IntoDataFrameT", made(frame, data))


def _one_column(name: str, frame: IntoDataFrameT) -> Side:
    side = Side.of(name, frame)
    if len(side.columns) > 1:
        raise checks.ShapeError(f"{name} has the columns {', '.join(side.columns)}; give one beside the keys")
    return side


def _target(found: Aligned, side: Side, number: int) -> tuple[FloatArray, FloatArray]:
    """Target of the aligned rows, and for each era its mean over all rows of the truth that have one."""
    values = side.values()[:, 0]
    wanted = values[found.rows[number]]
    if found.eras is None:
        return wanted, np.array([np.nanmean(values)])
    eras = side.frame[ERA].to_numpy()
    labels, codes = np.unique(eras.astype(str) if eras.dtype == object else eras, return_inverse=True)
    known = ~np.isnan(values)
    totals = np.bincount(codes[known], weights=values[known], minlength=len(labels))
    with np.errstate(invalid="ignore"):
        means = totals / np.bincount(codes[known], minlength=len(labels))
    return wanted, means[np.searchsorted(labels, found.eras.astype(labels.dtype))]


def _scored(
    found: Aligned, predictions: Side, score: Callable[[int, slice], Score], usable: BoolArray | None = None
) -> Any:  # noqa: ANN401  # the caller's kind of frame
    """Score complete models of an era together, and each model with gaps on its own rows."""
    values = predictions.values(found.rows[0])
    present = ~np.isnan(values)

    def of_era(era: int, rows: slice) -> FloatArray:
        out = np.full(values.shape[1], np.nan)
        kept = np.ones(rows.stop - rows.start, dtype=np.bool_) if usable is None else usable[rows]
        scoring_of = score(era, rows)
        mine = present[rows]
        whole = mine[kept].all(axis=0)
        if whole.any():
            out[whole] = scoring_of(values[rows][np.ix_(kept, whole)], kept)
        for model in np.flatnonzero(~whole):
            own = kept & mine[:, model]
            if own.sum() >= (1 - DEFAULT_MAX_FILTERED_RATIO) * kept.sum():
                out[model] = scoring_of(values[rows][own, model][:, None], own)[0]
        return out

    return found.framed(found.by_era(values.shape[1], of_era), predictions.columns)


def _rows(found: Aligned, side: Side, values: FloatArray) -> Any:  # noqa: ANN401  # the caller's kind of frame
    """Frame of the keys and new values, in the aligned order."""
    backend = nw.get_native_namespace(side.frame)
    keys = nw.maybe_reset_index(side.frame.select(list(side.keys))[found.rows[0]])
    columns = [
        nw.new_series(name, values[:, column], nw.Float64, backend=backend) for column, name in enumerate(side.columns)
    ]
    return keys.with_columns(*columns).to_native()
