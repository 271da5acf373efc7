"""How much predictions change from one era to the next, from frames whose ids persist."""

from collections.abc import Callable, Sequence

import numpy as np
from narwhals.typing import IntoDataFrameT

from crowdalpha.scoring import _rows, checks
from crowdalpha.scoring.align import DEFAULT_MAX_FILTERED_RATIO
from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.frames._eras import each_era, groups
from crowdalpha.scoring.frames._panel import Panel
from crowdalpha.scoring.frames._sides import matched, too_few
from crowdalpha.scoring.frames._tables import positions

__all__ = ["churn", "turnover"]


def churn(
    predictions: IntoDataFrameT,
    *,
    models: str | Sequence[str] | None = None,
    max_filtered_ratio: float = DEFAULT_MAX_FILTERED_RATIO,
) -> IntoDataFrameT:
    """Churn of each model from the era before: one minus the rank correlation over the ids of both.

    Parameters
    ----------
    predictions : DataFrame
        `era`, `id` of assets that persist over eras, and one column a model.
    models : str or sequence of str, optional
        Columns to look at. Default: all that are no keys.
    max_filtered_ratio : float in [0, 1], default=0.2
        Share of the ids of either era that may be missing in the other.

    Returns
    -------
    DataFrame of the kind that came in
        `era` in ascending order and one column a model, in [0, 2]. NaN in the first era, where a model is constant,
        and where a model alone has too few ids in common.

    Raises
    ------
    IdMismatchError, ShapeError
        If a column is missing or does not hold what it must.
    DuplicateError
        If an id is there twice in an era.
    OverlapError
        If two consecutive eras have too few ids in common.
    NonFiniteError
        If a prediction is infinite.

    Notes
    -----
    NaN policy: omit, each model on its own rows. Eras count as consecutive when no era of the frame lies between them.
    Cost: two sorts a model and era, and a join an era where ids differ in order.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `signals.churn`.

    Examples
    --------
    >>> import polars as pl
    >>> frame = pl.DataFrame({"era": [1] * 3 + [2] * 3, "id": list("abcabc"), "mine": [1, 2, 3, 3, 2, 1]})
    >>> churn(frame)["mine"].to_list()
    [nan, 2.0]
    """

    def kernel(before: FloatArray, now: FloatArray) -> FloatArray:
        return 1.0 - _rows.pearson(_rows.rank(now.T, "average"), _rows.rank(before.T, "average"))

    return _changes(predictions, models, kernel, max_filtered_ratio)


def turnover(
    predictions: IntoDataFrameT,
    *,
    models: str | Sequence[str] | None = None,
    max_filtered_ratio: float = DEFAULT_MAX_FILTERED_RATIO,
) -> IntoDataFrameT:
    """Turnover of each model from the era before: half the sum of the absolute changes over the ids of both.

    Parameters
    ----------
    predictions : DataFrame
        `era`, `id` of assets that persist over eras, and one column of portfolio weights a model.
    models, max_filtered_ratio
        As in `churn`.

    Returns
    -------
    DataFrame of the kind that came in
        `era` in ascending order and one column a model, in the unit of the weights. NaN in the first era and where a
        model alone has too few ids in common.

    Raises
    ------
    IdMismatchError, ShapeError, DuplicateError, OverlapError, NonFiniteError
        As `churn`.

    Notes
    -----
    NaN policy: omit, each model on its own rows. Cost: O(n_rows * n_models), and a join an era where ids differ in
    order.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `signals.turnover`.

    Examples
    --------
    >>> import polars as pl
    >>> frame = pl.DataFrame({"era": [1, 1, 2, 2], "id": list("abab"), "mine": [0.5, -0.5, 0.25, -0.75]})
    >>> turnover(frame)["mine"].to_list()
    [nan, 0.25]
    """

    def kernel(before: FloatArray, now: FloatArray) -> FloatArray:
        moved: FloatArray = np.abs(now - before).sum(axis=0) / 2.0
        return moved

    return _changes(predictions, models, kernel, max_filtered_ratio)


def _changes(
    predictions: IntoDataFrameT,
    models: str | Sequence[str] | None,
    kernel: Callable[[FloatArray, FloatArray], FloatArray],
    max_filtered_ratio: float,
) -> IntoDataFrameT:
    checks.in_range(max_filtered_ratio, 0.0, 1.0, "max_filtered_ratio")
    panel = Panel.of(predictions, models).refuse_infinite()
    table = panel.table
    if table.era is None:
        raise checks.ShapeError("predictions: there is no column 'era'; a change needs two of them")
    out = np.full((panel.n_eras, len(panel.models)), np.nan)

    def work(era: int) -> None:
        if era == 0:
            return
        rows, earlier = table.rows[era], table.rows[era - 1]
        found = positions(matched(table.ids[rows], table.ids[earlier], earlier))
        common, least = found >= 0, 1.0 - max_filtered_ratio
        kept, gone = int(common.sum()), positions(earlier)[~np.isin(positions(earlier), found)]
        for lost, other in (
            (gone, f"era '{table.labels[era]}'"),
            (positions(rows)[~common], f"era '{table.labels[era - 1]}'"),
        ):
            if kept == 0 or kept / (kept + len(lost)) < least:
                first, total = table.place(int(lost[0])), kept + len(lost)
                raise too_few("predictions", f"their id in {other}", kept, total, first, least)
        now, before = panel.values[rows][common], panel.values[found[common]]
        larger = max(len(common), len(positions(earlier)))
        for group, known in groups(~np.isnan(now) & ~np.isnan(before)):
            if known.any() and known.sum() / larger >= least:
                out[era, group] = kernel(before[known][:, group], now[known][:, group])

    each_era(panel, work)
    return panel.frame(out, like=predictions)
