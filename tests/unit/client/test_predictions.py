import io

import numpy as np
import pandas as pd
import polars as pl
import pytest
from narwhals.typing import IntoSeries

from crowdalpha.client import check_predictions, write_predictions
from crowdalpha.release import PredictionFileError, read_predictions

IDS = ["b", "a", "c"]
VALUES = [0.2, 0.1, 0.3]


@pytest.mark.parametrize("ids", [IDS, tuple(IDS), pd.Series(IDS), pl.Series(IDS), np.array(IDS)], ids=str)
@pytest.mark.parametrize("values", [VALUES, np.array(VALUES), pd.Series(VALUES), pl.Series(VALUES)], ids=str)
def test_all_kinds_of_columns_give_the_same_bytes(ids: IntoSeries, values: IntoSeries) -> None:
    assert write_predictions(ids, values) == write_predictions(IDS, VALUES)


def test_what_is_written_is_read_back() -> None:
    found = read_predictions(write_predictions(IDS, VALUES), live_ids=["c", "b", "a"])

    assert found.values.tolist() == [0.3, 0.2, 0.1]  # noqa: PD011  # Predictions, not pandas


def test_the_order_of_the_rows_does_not_change_the_bytes() -> None:
    assert write_predictions(IDS[::-1], VALUES[::-1]) == write_predictions(IDS, VALUES)


def test_columns_and_types_are_those_of_the_contract() -> None:
    frame = pl.read_parquet(io.BytesIO(write_predictions(IDS, np.array([3, 1, 2], dtype=np.int8))))

    assert frame.schema == {"id": pl.String, "prediction": pl.Float64}


def test_a_single_precision_prediction_keeps_its_value() -> None:
    values = np.array([0.1, 0.2, 0.3], dtype=np.float32)
    found = check_predictions(write_predictions(IDS, values), live_ids=IDS)

    assert found.values.tolist() == values.tolist()  # noqa: PD011  # Predictions, not pandas


@pytest.mark.parametrize(
    ("ids", "values", "message"),
    [
        (["a"], [1.0, 2.0], "2 values for 1 ids"),
        (["a", "b", "a"], VALUES, "column 'id', row 3: repeats an id"),
        (["a", "", "c"], VALUES, "column 'id', row 2: has no id"),
        (["a", None, "c"], VALUES, "column 'id', row 2: has no id"),
        (IDS, [0.1, float("nan"), 0.3], "column 'prediction', row 2: is not a finite number"),
        (IDS, [0.1, 0.2, float("inf")], "column 'prediction', row 3: is not a finite number"),
        (IDS, ["x", "y", "z"], "column 'prediction': not numbers"),
        (IDS, [[0.1], [0.2], [0.3]], r"shape \(3, 1\)"),
    ],
)
def test_what_the_server_would_refuse_is_not_written(ids: list[str], values: list[float], message: str) -> None:
    with pytest.raises(PredictionFileError, match=message):
        write_predictions(ids, values)


def test_the_check_is_the_server_s_own() -> None:
    with pytest.raises(PredictionFileError, match="needs 4; 'z' is the first missing"):
        check_predictions(write_predictions(IDS, VALUES), live_ids=[*IDS, "z"])
