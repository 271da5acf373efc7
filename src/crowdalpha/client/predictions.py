"""Prediction files from the participant's side: write one, and check it as the server will."""

import io
from collections.abc import Sequence

import narwhals as nw
import numpy as np
import polars as pl
from narwhals.typing import IntoSeries
from numpy.typing import NDArray

from crowdalpha.release.errors import PredictionFileError
from crowdalpha.release.predictions import ID_COLUMN, PREDICTION_COLUMN, read_predictions

__all__ = ["check_predictions", "write_predictions"]

check_predictions = read_predictions


def write_predictions(
    ids: Sequence[str] | IntoSeries, values: Sequence[float] | NDArray[np.number] | IntoSeries
) -> bytes:
    """Write a prediction file.

    Parameters
    ----------
    ids : sequence of str, or a pandas or polars Series
        Ids of the round, each once.
    values : sequence of float, ndarray, or a pandas or polars Series
        One finite prediction an id, in the same order; any unit, since only ranks matter.

    Returns
    -------
    bytes
        Parquet with the columns `id` and `prediction` (float64), rows in the order of the ids, so that the same
        predictions give the same bytes whatever their order.

    Raises
    ------
    PredictionFileError
        If the lengths differ, an id is repeated or empty, or a value is no finite number.

    Notes
    -----
    NaN policy: refuse. Cost: O(n log n). Whether the ids are those of the round is for `check_predictions`.

    Examples
    --------
    >>> content = write_predictions(["b", "a"], [0.2, 0.1])
    >>> check_predictions(content, live_ids=["a", "b"]).values
    array([0.1, 0.2])
    """
    id_column = pl.Series(ID_COLUMN, _listed(ids), dtype=pl.String, strict=False)
    value_column = _floats(values)
    if len(id_column) != len(value_column):
        raise PredictionFileError(
            "predictions", f"{len(value_column)} values for {len(id_column)} ids; give one each", reason="file"
        )
    _refuse(id_column.is_null() | (id_column == "").fill_null(value=False), "has no id", "ids", ID_COLUMN)
    _refuse(~id_column.is_first_distinct(), "repeats an id; give each once", "ids", ID_COLUMN)
    _refuse(~value_column.is_finite().fill_null(value=False), "is not a finite number", "values", PREDICTION_COLUMN)
    stream = io.BytesIO()
    pl.DataFrame([id_column, value_column]).sort(ID_COLUMN).write_parquet(stream, compression="zstd")
    return stream.getvalue()


def _listed(values: Sequence[str] | IntoSeries) -> list[str]:
    native = nw.from_native(values, series_only=True, pass_through=True)
    return native.to_list() if isinstance(native, nw.Series) else list(native)


def _floats(values: Sequence[float] | NDArray[np.number] | IntoSeries) -> pl.Series:
    native = nw.from_native(values, series_only=True, pass_through=True)
    try:
        array = np.asarray(native.to_numpy() if isinstance(native, nw.Series) else native).astype(np.float64)
    except (TypeError, ValueError) as error:
        raise PredictionFileError(
            "predictions", f"not numbers: {error}", reason="values", column=PREDICTION_COLUMN
        ) from error
    if array.ndim != 1:
        raise PredictionFileError(
            "predictions", f"shape {array.shape}; give one value an id", reason="values", column=PREDICTION_COLUMN
        )
    return pl.Series(PREDICTION_COLUMN, array)


def _refuse(bad: pl.Series, problem: str, reason: str, column: str) -> None:
    if bad.any():
        row = int(bad.arg_true()[0]) + 1
        raise PredictionFileError("predictions", problem, reason=reason, column=column, row=row)
