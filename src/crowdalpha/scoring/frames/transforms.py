"""Predictions made into others, era by era: ranks, signals, neutralized values. Rows stay where they are."""

from collections.abc import Callable, Sequence

import numpy as np
from narwhals.typing import IntoDataFrameT

from crowdalpha.scoring import checks, neutralization, ranking
from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.frames._eras import each_era, groups, told_with_era
from crowdalpha.scoring.frames._panel import Panel
from crowdalpha.scoring.frames._sides import ColumnsOrFrame, Matrix
from crowdalpha.scoring.frames._tables import positions

__all__ = ["gaussianize", "neutralize", "tie_kept_rank"]


def tie_kept_rank(predictions: IntoDataFrameT, *, models: str | Sequence[str] | None = None) -> IntoDataFrameT:
    """Percentile rank of each prediction among those of its model and era; ties share the mean rank.

    Parameters
    ----------
    predictions : DataFrame
        `id`, perhaps `era`, and one column a model.
    models : str or sequence of str, optional
        Columns to rank. Default: all that are no keys.

    Returns
    -------
    DataFrame of the kind that came in
        The same frame with the columns of the models replaced: ranks in (0, 1), NaN where there was none.

    Raises
    ------
    IdMismatchError, ShapeError
        If a column is missing or does not hold what it must.
    DuplicateError
        If an id is there twice in an era.

    Notes
    -----
    NaN policy: propagate. Cost: one sort a model and era.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.tie_kept_rank`.

    Examples
    --------
    >>> import polars as pl
    >>> tie_kept_rank(pl.DataFrame({"era": [1, 1, 2], "id": [1, 2, 1], "mine": [0.3, 0.1, 0.2]}))["mine"].to_list()
    [0.75, 0.25, 0.5]
    """
    return _transformed(predictions, models, ranking.tie_kept_rank)


def gaussianize(predictions: IntoDataFrameT, *, models: str | Sequence[str] | None = None) -> IntoDataFrameT:
    """Find the normal quantile of the tie-kept rank of each prediction in its era.

    Parameters
    ----------
    predictions, models
        As in `tie_kept_rank`.

    Returns
    -------
    DataFrame of the kind that came in
        The same frame with the columns of the models replaced; NaN where there was none.

    Raises
    ------
    IdMismatchError, DuplicateError, ShapeError
        As `tie_kept_rank`.

    Notes
    -----
    NaN policy: propagate. Cost: one sort a model and era.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.tie_kept_rank__gaussianize`.

    Examples
    --------
    >>> import polars as pl
    >>> gaussianize(pl.DataFrame({"id": [1, 2, 3], "mine": [0.3, 0.1, 0.2]}))["mine"].round(4).to_list()
    [0.9674, -0.9674, 0.0]
    """
    return _transformed(predictions, models, ranking.gaussianize)


def neutralize(
    predictions: IntoDataFrameT,
    features: ColumnsOrFrame,
    *,
    columns: Sequence[str] | None = None,
    models: str | Sequence[str] | None = None,
    proportion: float = 1.0,
) -> IntoDataFrameT:
    """Remove from each model what the features of the era explain linearly.

    Parameters
    ----------
    predictions : DataFrame
        `id`, perhaps `era`, and one column a model; the values themselves are neutralized, so rank them first
        if that is what you want.
    features : sequence of str or DataFrame
        Columns of `predictions`, or a frame with the same keys.
    columns : sequence of str, optional
        Columns of the frame of features. Default: all that are no keys.
    models : str or sequence of str, optional
        Columns to neutralize. Default: all that are no keys and not named as features.
    proportion : float in [0, 1], default=1.0
        Share of the explained part, the mean included, that is removed.

    Returns
    -------
    DataFrame of the kind that came in
        The same frame with the columns of the models replaced. NaN where there was none, and for a model that is
        constant in an era.

    Raises
    ------
    IdMismatchError, DuplicateError, ShapeError
        As `tie_kept_rank`, for the features too.
    OverlapError
        If a prediction has no row of features.
    NonFiniteError
        If a prediction is infinite, or a feature is missing or not finite.
    RangeError
        If `proportion` lies outside [0, 1].

    Notes
    -----
    NaN policy: propagate in predictions, each model on its own rows; refuse in features. Cost: as
    `crowdalpha.scoring.neutralize` for each era.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.neutralize`.

    Examples
    --------
    >>> import polars as pl
    >>> frame = pl.DataFrame({"id": [1, 2, 3, 4], "mine": [1, 2, 3, 6], "a": [0, 1, 2, 3]})
    >>> neutralize(frame, ["a"])["mine"].round(2).to_list()
    [0.4, -0.2, -0.8, 0.6]
    """
    panel = Panel.of(predictions, models, features).refuse_infinite()
    matrix = Matrix.read(panel.table, features, "features", columns)
    values = np.empty_like(panel.values)

    def work(era: int) -> None:
        rows, absent = panel.table.rows[era], ~matrix.present(era)
        if absent.any():
            first = panel.table.place(int(positions(rows)[np.argmax(absent)]))
            raise checks.OverlapError(f"features lack rows of predictions, first {first}; every prediction needs one")
        before, exposures = panel.values[rows], matrix.of(era)
        out = np.full_like(before, np.nan)
        for group, known in groups(~np.isnan(before)):
            if known.any():
                part, sides = out[known], (before[known][:, group], exposures[known])
                with told_with_era(panel, era):
                    part[:, group] = neutralization.neutralize(*sides, proportion=proportion)
                out[known] = part
        values[rows] = out

    each_era(panel, work)
    return panel.replaced(values, like=predictions)


def _transformed(
    predictions: IntoDataFrameT, models: str | Sequence[str] | None, kernel: Callable[[FloatArray], FloatArray]
) -> IntoDataFrameT:
    panel = Panel.of(predictions, models)
    values = np.empty_like(panel.values)

    def work(era: int) -> None:
        rows = panel.table.rows[era]
        values[rows] = kernel(panel.values[rows])

    each_era(panel, work)
    return panel.replaced(values, like=predictions)
