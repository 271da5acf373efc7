"""Scores era by era, from frames: correlation, contribution, feature-neutral correlation. Higher is better for all."""

from collections.abc import Sequence

import numpy as np
from narwhals.typing import IntoDataFrame, IntoDataFrameT

from crowdalpha.scoring import contribution, correlation, neutralization, weights
from crowdalpha.scoring.align import DEFAULT_MAX_FILTERED_RATIO
from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.frames._eras import Arrays, by_era
from crowdalpha.scoring.frames._panel import Panel
from crowdalpha.scoring.frames._sides import ColumnOrFrame, ColumnsOrFrame, Matrix, Values

__all__ = ["alpha", "bmc", "corr", "cwmm", "fnc", "mmc", "pearson", "spearman"]


def corr(
    predictions: IntoDataFrameT,
    truth: IntoDataFrame | None = None,
    *,
    target: str = "target",
    models: str | Sequence[str] | None = None,
    top_bottom: int | None = None,
    power_target: bool = True,
    max_filtered_ratio: float = DEFAULT_MAX_FILTERED_RATIO,
) -> IntoDataFrameT:
    """CORR of each model in each era.

    Parameters
    ----------
    predictions : DataFrame
        `id`, perhaps `era`, and one column a model.
    truth : DataFrame, optional
        `id`, `era` as in `predictions`, and the target. Default: `predictions`, as one long frame.
    target : str, default="target"
        Column of the target.
    models : str or sequence of str, optional
        Columns to score. Default: all that are no keys and not named as a side.
    top_bottom, power_target
        As in `crowdalpha.scoring.corr`.
    max_filtered_ratio : float in [0, 1], default=0.2
        Share of the ids of an era that a side may lose when they are matched.

    Returns
    -------
    DataFrame of the kind that came in
        `era` in ascending order and one column a model, in [-1, 1]. NaN where the target has no value for the era,
        where a model is constant, and where a model alone has too few rows.

    Raises
    ------
    IdMismatchError, ShapeError
        If a column is missing or does not hold what it must, or frames differ in kind or keys.
    DuplicateError
        If an id is there twice in an era.
    OverlapError
        If a side, or every model, loses too many ids of an era.
    NonFiniteError
        If a target is infinite.
    DistortionError, RangeError
        As `crowdalpha.scoring.corr`.

    Notes
    -----
    NaN policy: omit; each model is scored on its own rows, so its gaps do not touch the others. The target is centred
    on the mean over all ids that have one, predicted or not. Cost: as `crowdalpha.scoring.corr`, and a join an era
    where ids differ in order.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.numerai_corr` and `scoring.filter_sort_index`.

    Examples
    --------
    >>> import polars as pl
    >>> rows = {"era": ["9"] * 3 + ["10"] * 3, "id": list("abcabc"), "target": [0.0, 0.5, 1.0] * 2}
    >>> corr(pl.DataFrame(rows | {"mine": [1, 2, 3, 3, 2, 1]})).rows()
    [('9', 1.0), ('10', -1.0)]
    """
    panel = Panel.of(predictions, models, target, sort=bool(top_bottom))
    wanted = Values.target(panel.table, truth, target)

    def kernel(era: int, columns: FloatArray, arrays: Arrays) -> FloatArray:
        return correlation.corr(
            columns, arrays[0], top_bottom=top_bottom, power_target=power_target, target_mean=wanted.mean(era)
        )

    scores = by_era(panel, [wanted], kernel, max_filtered_ratio=max_filtered_ratio)
    return panel.frame(scores, like=predictions)


def mmc(
    predictions: IntoDataFrameT,
    meta_model: ColumnOrFrame = "meta_model",
    truth: IntoDataFrame | None = None,
    *,
    target: str = "target",
    models: str | Sequence[str] | None = None,
    top_bottom: int | None = None,
    max_filtered_ratio: float = DEFAULT_MAX_FILTERED_RATIO,
) -> IntoDataFrameT:
    """MMC of each model in each era.

    Parameters
    ----------
    predictions : DataFrame
        `id`, perhaps `era`, and one column a model.
    meta_model : str or DataFrame, default="meta_model"
        Column of `predictions`, or a frame with the same keys and one other column (or one called "meta_model").
    truth, target
        As in `corr`.
    models : str or sequence of str, optional
        Columns to score. Default: all that are no keys and not named as a side.
    top_bottom : int, optional
        As in `crowdalpha.scoring.mmc`.
    max_filtered_ratio : float in [0, 1], default=0.2
        As in `corr`.

    Returns
    -------
    DataFrame of the kind that came in
        `era` in ascending order and one column a model; NaN as in `corr`, but 0 for a constant model.

    Raises
    ------
    IdMismatchError, ShapeError, DuplicateError, OverlapError, NonFiniteError, RangeError
        As `corr`.

    Notes
    -----
    NaN policy: omit, as `corr`. Predictions are matched with the meta model, then with the target, and each match may
    lose its share. Cost: as `crowdalpha.scoring.mmc`, and a join an era where ids differ in order.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.correlation_contribution`.

    Examples
    --------
    >>> import polars as pl
    >>> columns = {"mine": [1, 2, 3], "meta_model": [1, 3, 2], "target": [0.0, 0.5, 1.0]}
    >>> frame = pl.DataFrame({"id": [1, 2, 3], **columns})
    >>> mmc(frame)["mine"].round(6).to_list()
    [0.967422]
    """
    base = ("meta_model", meta_model)
    return _contribution(predictions, base, truth, target, models, top_bottom, max_filtered_ratio)


def bmc(
    predictions: IntoDataFrameT,
    benchmark: ColumnOrFrame = "benchmark",
    truth: IntoDataFrame | None = None,
    *,
    target: str = "target",
    models: str | Sequence[str] | None = None,
    top_bottom: int | None = None,
    max_filtered_ratio: float = DEFAULT_MAX_FILTERED_RATIO,
) -> IntoDataFrameT:
    """BMC of each model in each era: as `mmc`, against a benchmark.

    Parameters
    ----------
    predictions : DataFrame
        `id`, perhaps `era`, and one column a model.
    benchmark : str or DataFrame, default="benchmark"
        Column of `predictions`, or a frame with the same keys and one other column (or one called "benchmark").
    truth, target
        As in `corr`.
    models, top_bottom, max_filtered_ratio
        As in `mmc`.

    Returns
    -------
    DataFrame of the kind that came in
        As `mmc`.

    Raises
    ------
    IdMismatchError, ShapeError, DuplicateError, OverlapError, NonFiniteError, RangeError
        As `corr`.

    Notes
    -----
    NaN policy: omit, as `corr`. Cost: as `mmc`.

    References
    ----------
    .. [1] Numerai, "Benchmark Model Contribution (BMC)", scoring documentation.
    """
    base = ("benchmark", benchmark)
    return _contribution(predictions, base, truth, target, models, top_bottom, max_filtered_ratio)


def fnc(
    predictions: IntoDataFrameT,
    features: ColumnsOrFrame,
    truth: IntoDataFrame | None = None,
    *,
    columns: Sequence[str] | None = None,
    target: str = "target",
    models: str | Sequence[str] | None = None,
    top_bottom: int | None = None,
) -> IntoDataFrameT:
    """FNC of each model in each era.

    Parameters
    ----------
    predictions : DataFrame
        `id`, perhaps `era`, and one column a model.
    features : sequence of str or DataFrame
        Columns of `predictions`, or a frame with the same keys.
    columns : sequence of str, optional
        Columns of the frame of features. Default: all that are no keys.
    truth, target
        As in `corr`. Assets without target are neutralized with the rest, then left out.
    models : str or sequence of str, optional
        Columns to score. Default: all that are no keys and not named as a side.
    top_bottom : int, optional
        As in `crowdalpha.scoring.fnc`.

    Returns
    -------
    DataFrame of the kind that came in
        As `corr`; NaN too where the features explain a model whole.

    Raises
    ------
    IdMismatchError, ShapeError, DuplicateError, OverlapError, DistortionError, RangeError
        As `corr`; 80 % of the ids must match.
    NonFiniteError
        If a feature is missing or not finite, or a target infinite.

    Notes
    -----
    NaN policy: omit in predictions and target, as `corr`; refuse in features. Cost: as `crowdalpha.scoring.fnc`;
    features are read one era at a time, whole-number ones fastest as signed bytes.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.feature_neutral_corr`.

    Examples
    --------
    >>> import polars as pl
    >>> frame = pl.DataFrame({"id": [1, 2, 3, 4], "mine": [1, 3, 2, 4], "a": [0, 0, 1, 1], "target": [0, 1, 0, 1]})
    >>> fnc(frame, ["a"])["mine"].round(6).to_list()
    [1.0]
    """
    panel = Panel.of(predictions, models, features, target, sort=bool(top_bottom))
    matrix = Matrix.read(panel.table, features, "features", columns)
    wanted = Values.target(panel.table, truth, target)

    def kernel(era: int, values: FloatArray, arrays: Arrays) -> FloatArray:
        if not wanted.has(era):
            return np.full(values.shape[1], np.nan)
        return neutralization.fnc(values, *arrays, top_bottom=top_bottom, target_mean=wanted.mean(era))

    scores = by_era(panel, [matrix], kernel, partial=[wanted])
    return panel.frame(scores, like=predictions)


def cwmm(
    predictions: IntoDataFrameT,
    meta_model: ColumnOrFrame = "meta_model",
    *,
    models: str | Sequence[str] | None = None,
    max_filtered_ratio: float = DEFAULT_MAX_FILTERED_RATIO,
) -> IntoDataFrameT:
    """CWMM of each model in each era.

    Parameters
    ----------
    predictions : DataFrame
        `id`, perhaps `era`, and one column a model.
    meta_model : str or DataFrame, default="meta_model"
        Column of `predictions`, or a frame with the same keys and one other column; raw, as stored.
    models, max_filtered_ratio
        As in `corr`.

    Returns
    -------
    DataFrame of the kind that came in
        As `corr`.

    Raises
    ------
    IdMismatchError, ShapeError, DuplicateError, OverlapError, NonFiniteError
        As `corr`, for the meta model.

    Notes
    -----
    NaN policy: omit, as `corr`. Cost: as `crowdalpha.scoring.cwmm`.

    References
    ----------
    .. [1] Numerai, "Definitions: correlation with the meta model", scoring documentation.

    Examples
    --------
    >>> import polars as pl
    >>> cwmm(pl.DataFrame({"id": [1, 2, 3], "mine": [1, 2, 3], "meta_model": [-0.5, 0.0, 0.5]})).rows()
    [(1.0,)]
    """
    panel = Panel.of(predictions, models, meta_model)
    meta = Values.read(panel.table, meta_model, "meta_model")

    def kernel(_era: int, columns: FloatArray, arrays: Arrays) -> FloatArray:
        return correlation.cwmm(columns, arrays[0])

    return panel.frame(by_era(panel, [meta], kernel, max_filtered_ratio=max_filtered_ratio), like=predictions)


def pearson(
    predictions: IntoDataFrameT,
    truth: IntoDataFrame | None = None,
    *,
    target: str = "target",
    models: str | Sequence[str] | None = None,
    top_bottom: int | None = None,
    max_filtered_ratio: float = DEFAULT_MAX_FILTERED_RATIO,
) -> IntoDataFrameT:
    """Pearson correlation of the values of each model with the target, in each era.

    Parameters
    ----------
    predictions : DataFrame
        `id`, perhaps `era`, and one column a model.
    truth, target, models, top_bottom, max_filtered_ratio
        As in `corr`.

    Returns
    -------
    DataFrame of the kind that came in
        As `corr`.

    Raises
    ------
    IdMismatchError, ShapeError, DuplicateError, OverlapError, RangeError
        As `corr`.
    NonFiniteError
        If a prediction or a target is infinite.

    Notes
    -----
    NaN policy: omit, as `corr`. Cost: as `crowdalpha.scoring.pearson`.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.pearson_correlation`.

    Examples
    --------
    >>> import polars as pl
    >>> pearson(pl.DataFrame({"id": [1, 2, 3], "mine": [3, 2, 1], "target": [1, 2, 3]})).rows()
    [(-1.0,)]
    """
    panel = Panel.of(predictions, models, target, sort=bool(top_bottom)).refuse_infinite()
    wanted = Values.target(panel.table, truth, target)

    def kernel(_era: int, columns: FloatArray, arrays: Arrays) -> FloatArray:
        return correlation.pearson(columns, arrays[0], top_bottom=top_bottom)

    return panel.frame(by_era(panel, [wanted], kernel, max_filtered_ratio=max_filtered_ratio), like=predictions)


def spearman(
    predictions: IntoDataFrameT,
    truth: IntoDataFrame | None = None,
    *,
    target: str = "target",
    models: str | Sequence[str] | None = None,
    max_filtered_ratio: float = DEFAULT_MAX_FILTERED_RATIO,
) -> IntoDataFrameT:
    """Pearson correlation of the tie-kept ranks of each model with those of the target, in each era.

    Parameters
    ----------
    predictions : DataFrame
        `id`, perhaps `era`, and one column a model.
    truth, target, models, max_filtered_ratio
        As in `corr`.

    Returns
    -------
    DataFrame of the kind that came in
        As `corr`.

    Raises
    ------
    IdMismatchError, ShapeError, DuplicateError, OverlapError, NonFiniteError
        As `corr`.

    Notes
    -----
    NaN policy: omit, as `corr`. Cost: as `crowdalpha.scoring.spearman`.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.spearman_correlation`.

    Examples
    --------
    >>> import polars as pl
    >>> spearman(pl.DataFrame({"id": [1, 2, 3], "mine": [1, 2, 30], "target": [0.1, 0.5, 0.6]})).rows()
    [(1.0,)]
    """
    panel = Panel.of(predictions, models, target)
    wanted = Values.target(panel.table, truth, target)

    def kernel(_era: int, columns: FloatArray, arrays: Arrays) -> FloatArray:
        return correlation.spearman(columns, arrays[0])

    return panel.frame(by_era(panel, [wanted], kernel, max_filtered_ratio=max_filtered_ratio), like=predictions)


def alpha(
    predictions: IntoDataFrameT,
    neutralizers: ColumnsOrFrame,
    sample_weights: ColumnOrFrame = "sample_weights",
    truth: IntoDataFrame | None = None,
    *,
    columns: Sequence[str] | None = None,
    target: str = "target",
    models: str | Sequence[str] | None = None,
    max_filtered_ratio: float = DEFAULT_MAX_FILTERED_RATIO,
) -> IntoDataFrameT:
    """ALPHA of each model in each era.

    Parameters
    ----------
    predictions : DataFrame
        `id`, perhaps `era`, and one column a model.
    neutralizers : sequence of str or DataFrame
        Columns of `predictions`, or a frame with the same keys.
    sample_weights : str or DataFrame, default="sample_weights"
        Column of `predictions`, or a frame with the same keys and one other column (or one of that name).
    columns : sequence of str, optional
        Columns of the frame of neutralizers. Default: all that are no keys.
    truth, target, models, max_filtered_ratio
        As in `corr`.

    Returns
    -------
    DataFrame of the kind that came in
        `era` in ascending order and one column a model, in the unit of the target; 0 for a constant model.

    Raises
    ------
    IdMismatchError, ShapeError, DuplicateError, OverlapError
        As `corr`.
    NonFiniteError
        If a neutralizer is missing or not finite, or a weight or target infinite.

    Notes
    -----
    NaN policy: omit, as `corr`; refuse in neutralizers. Ids without a target are left out before the weights are
    computed. Cost: as `crowdalpha.scoring.alpha`.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.alpha`.

    Examples
    --------
    >>> import polars as pl
    >>> frame = pl.DataFrame({"id": [1, 2, 3], "mine": [1, 2, 3], "a": [0, 1, 0], "target": [0.0, 0.5, 1.0]})
    >>> alpha(frame.with_columns(sample_weights=1.0), ["a"])["mine"].round(6).to_list()
    [0.317178]
    """
    panel = Panel.of(predictions, models, neutralizers, sample_weights, target)
    matrix = Matrix.read(panel.table, neutralizers, "neutralizers", columns)
    held = Values.read(panel.table, sample_weights, "sample_weights")
    wanted = Values.target(panel.table, truth, target)

    def kernel(era: int, values: FloatArray, arrays: Arrays) -> FloatArray:
        known, exposures, shares = arrays
        return weights.alpha(values, exposures, shares, known, target_mean=wanted.mean(era))

    scores = by_era(panel, [wanted, matrix, held], kernel, max_filtered_ratio=max_filtered_ratio)
    return panel.frame(scores, like=predictions)


def _contribution(
    predictions: IntoDataFrameT,
    base: tuple[str, ColumnOrFrame],
    truth: IntoDataFrame | None,
    target: str,
    models: str | Sequence[str] | None,
    top_bottom: int | None,
    max_filtered_ratio: float,
) -> IntoDataFrameT:
    argument, side = base
    panel = Panel.of(predictions, models, side, target, sort=bool(top_bottom))
    meta = Values.read(panel.table, side, argument, finite=False)
    wanted = Values.target(panel.table, truth, target)

    def kernel(_era: int, columns: FloatArray, arrays: Arrays) -> FloatArray:
        return contribution.mmc(columns, *arrays, top_bottom=top_bottom)

    return panel.frame(by_era(panel, [meta, wanted], kernel, max_filtered_ratio=max_filtered_ratio), like=predictions)
