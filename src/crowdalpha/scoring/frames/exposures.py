"""Exposure to features era by era, from frames. None of these is a score."""

from collections.abc import Sequence

import narwhals as nw
from narwhals.typing import IntoDataFrameT

from crowdalpha.scoring import checks, exposure
from crowdalpha.scoring.align import DEFAULT_MAX_FILTERED_RATIO
from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.exposure import CorrelationMethod
from crowdalpha.scoring.frames._eras import Arrays, by_era
from crowdalpha.scoring.frames._panel import Panel, labelled, same_kind
from crowdalpha.scoring.frames._sides import ColumnsOrFrame, Matrix

__all__ = ["feature_exposures", "max_feature_exposure"]

FEATURE = "feature"


def feature_exposures(
    predictions: IntoDataFrameT,
    features: ColumnsOrFrame,
    *,
    columns: Sequence[str] | None = None,
    models: str | Sequence[str] | None = None,
    method: CorrelationMethod = "pearson",
    top_bottom: int | None = None,
    max_filtered_ratio: float = DEFAULT_MAX_FILTERED_RATIO,
) -> IntoDataFrameT:
    """Correlation of each model with each feature, in each era.

    Parameters
    ----------
    predictions : DataFrame
        `id`, perhaps `era`, and one column a model; the raw values, not their ranks.
    features : sequence of str or DataFrame
        Columns of `predictions`, or a frame with the same keys.
    columns : sequence of str, optional
        Columns of the frame of features. Default: all that are no keys.
    models : str or sequence of str, optional
        Columns to look at. Default: all that are no keys and not named as features.
    method, top_bottom
        As in `crowdalpha.scoring.feature_exposures`.
    max_filtered_ratio : float in [0, 1], default=0.2
        Share of the ids of an era that a side may lose when they are matched.

    Returns
    -------
    DataFrame of the kind that came in
        `era` in ascending order, `feature`, and one column a model, in [-1, 1]; NaN where a side is constant and
        where a model alone has too few rows.

    Raises
    ------
    IdMismatchError, ShapeError
        If a column is missing or does not hold what it must, a model is called "feature", or frames differ in kind
        or keys.
    DuplicateError
        If an id is there twice in an era.
    OverlapError
        If a side, or every model, loses too many ids of an era.
    NonFiniteError
        If a prediction is infinite, or a feature is missing or not finite.
    RangeError
        If `top_bottom` does not fit.

    Notes
    -----
    NaN policy: omit in predictions, each model on its own rows; refuse in features. Cost: as
    `crowdalpha.scoring.feature_exposures`, and a join an era where ids differ in order.

    References
    ----------
    .. [1] Numerai forum, "Model Diagnostics: Feature Exposure".

    Examples
    --------
    >>> import polars as pl
    >>> feature_exposures(pl.DataFrame({"id": [1, 2, 3], "mine": [1, 2, 3], "a": [0, 1, 2]}), ["a"]).columns
    ['feature', 'mine']
    """
    panel = Panel.of(predictions, models, features, sort=bool(top_bottom)).refuse_infinite()
    if FEATURE in panel.models:
        raise checks.ShapeError(f"predictions: a model cannot be called {FEATURE!r} here; rename it")
    matrix = Matrix.read(panel.table, features, "features", columns)

    def kernel(_era: int, values: FloatArray, arrays: Arrays) -> FloatArray:
        return exposure.feature_exposures(arrays[0], values, method=method, top_bottom=top_bottom)

    n_features = len(matrix.columns)
    found = by_era(panel, [matrix], kernel, max_filtered_ratio=max_filtered_ratio, shape=(n_features,))
    frame = panel.columns(found.reshape(-1, len(panel.models)))
    names = nw.new_series(FEATURE, matrix.columns * panel.n_eras, nw.String, backend=frame.implementation)
    frame = frame.with_columns(names).select(FEATURE, *panel.models)
    return same_kind(labelled(panel.table, frame, n_features), predictions)


def max_feature_exposure(
    predictions: IntoDataFrameT,
    features: ColumnsOrFrame,
    *,
    columns: Sequence[str] | None = None,
    models: str | Sequence[str] | None = None,
    top_bottom: int | None = None,
    max_filtered_ratio: float = DEFAULT_MAX_FILTERED_RATIO,
) -> IntoDataFrameT:
    """Largest absolute exposure of each model to any feature, in each era.

    Parameters
    ----------
    predictions, features, columns, models, top_bottom, max_filtered_ratio
        As in `feature_exposures`.

    Returns
    -------
    DataFrame of the kind that came in
        `era` in ascending order and one column a model, in [0, 1]; NaN for a constant model and where a model alone
        has too few rows.

    Raises
    ------
    IdMismatchError, ShapeError, DuplicateError, OverlapError, NonFiniteError, RangeError
        As `feature_exposures`.
    ConstantError
        If no feature varies in an era.

    Notes
    -----
    NaN policy: as `feature_exposures`. Cost: as `crowdalpha.scoring.max_feature_exposure`.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.max_feature_correlation`.

    Examples
    --------
    >>> import polars as pl
    >>> frame = pl.DataFrame({"id": [1, 2, 3], "mine": [1, 2, 3], "a": [2, 1, 0]})
    >>> max_feature_exposure(frame, ["a"])["mine"].round(9).to_list()
    [1.0]
    """
    panel = Panel.of(predictions, models, features, sort=bool(top_bottom)).refuse_infinite()
    matrix = Matrix.read(panel.table, features, "features", columns)

    def kernel(_era: int, values: FloatArray, arrays: Arrays) -> FloatArray:
        return exposure.max_feature_exposure(arrays[0], values, top_bottom=top_bottom)

    scores = by_era(panel, [matrix], kernel, max_filtered_ratio=max_filtered_ratio)
    return panel.frame(scores, like=predictions)
