import numpy as np
import polars as pl
import pytest

from crowdalpha.client import DataRequestError
from crowdalpha.client.diagnostics.rows import SplitRows, ValueTable, place
from crowdalpha.release import PredictionFileError

FRAME = pl.DataFrame(
    {
        "id": ["c", "a", "b", "d", "e", "f"],
        "era": ["0002", "0002", "0001", "0001", "0003", "0003"],
        "target": [0.0, 1.0, None, 0.5, None, None],
        "feature_a": pl.Series([0, None, 1, 4, 2, 3], dtype=pl.Int8),
        "feature_b": [0.5, None, 1.0, 4.0, float("nan"), 3.0],
    }
)


def split(*, features: tuple[str, ...] = ("feature_a",)) -> SplitRows:
    return SplitRows.of(FRAME, target="target", features=features)


def table(ids: list[str], values: list[float], eras: list[str] | None = None) -> ValueTable:
    columns: dict[str, list[str] | list[float]] = {"id": ids} | ({"era": eras} if eras else {}) | {"prediction": values}
    return ValueTable.of(pl.DataFrame(columns), name="mine.csv", column="prediction")


def placed(given: ValueTable, *, others: bool = False) -> list[float]:
    values: list[float] = place(given, split(), source="the split", others=others).tolist()
    return values


def test_eras_are_numbered_in_ascending_order() -> None:
    rows = split()

    assert rows.eras == ("0001", "0002", "0003")
    assert rows.codes.tolist() == [1, 1, 0, 0, 2, 2]


def test_bytes_stay_bytes_and_missing_features_are_in_the_middle() -> None:
    small, mixed = split().features, split(features=("feature_a", "feature_b")).features
    assert small is not None
    assert mixed is not None

    assert small.dtype == np.int8
    assert small.ravel().tolist() == [0, 2, 1, 4, 2, 3]
    assert mixed.dtype == np.float64
    assert mixed[:, 1].tolist() == [0.5, 2, 1, 4, 2, 3]


def test_rows_in_the_same_order_are_taken_as_they_are() -> None:
    assert placed(table(list("cabdef"), [1, 2, 3, 4, 5, 6])) == [1, 2, 3, 4, 5, 6]


def test_other_orders_are_put_in_order_and_rows_left_out_have_no_value() -> None:
    assert placed(table(["b", "c", "d"], [3, 1, 4])) == pytest.approx([1, np.nan, 3, 4, np.nan, np.nan], nan_ok=True)


def test_an_era_column_must_agree() -> None:
    assert placed(table(["b"], [3], ["0001"]))[2] == 3
    with pytest.raises(PredictionFileError, match=r"column 'id', row 1: id 'b' is not in the split.*column era"):
        placed(table(["b"], [3], ["0002"]))


def test_an_id_in_two_eras_needs_the_era() -> None:
    rows = SplitRows.of(FRAME.with_columns(id=pl.lit("x")).unique("era"), target="target", features=())
    with pytest.raises(PredictionFileError, match="id 'x' is in more than one era of the split; add a column era"):
        place(table(["x"], [1]), rows, source="the split")

    eras = ["0003", "0001", "0002"]
    values = place(table(["x"] * 3, [3, 1, 2], eras), rows, source="the split")
    assert [values[rows.codes.tolist().index(code)] for code in range(3)] == [1, 2, 3]


def test_unknown_ids_are_refused_by_row_or_left_out() -> None:
    given = table(["a", "stranger"], [1, 2])

    assert placed(given, others=True)[1] == 1
    with pytest.raises(PredictionFileError, match=r"mine\.csv, column 'id', row 2: id 'stranger' is not in the split"):
        placed(given)


def test_an_id_given_twice_is_refused_by_row() -> None:
    with pytest.raises(PredictionFileError, match=r"mine\.csv, column 'id', row 3: id 'a' occurs a second time"):
        placed(table(["a", "b", "a"], [1, 2, 1]))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"id": ["a", None], "prediction": [1.0, 2.0]}, "column 'id', row 2: has no id"),
        ({"id": ["a", ""], "prediction": [1.0, 2.0]}, "column 'id', row 2: has no id"),
        ({"id": [1, 2], "prediction": [1.0, 2.0]}, "column 'id', row 1: holds Int64; ids are text"),
        ({"id": ["a", "b"], "prediction": [1.0, None]}, "column 'prediction', row 2: id 'b' has no value"),
        ({"id": ["a", "b"], "prediction": [1.0, float("inf")]}, "row 2: id 'b' has 'inf', which is no finite number"),
        ({"id": ["a", "b"], "prediction": ["1", "x"]}, "row 2: id 'b' has 'x', which is no finite number"),
        ({"id": ["a"], "prediction": [True]}, "column 'prediction', row 1: holds Boolean"),
        ({"id": pl.Series([], dtype=pl.String), "prediction": []}, "mine.csv: has no rows"),
    ],
)
def test_unusable_rows_are_named(columns: dict[str, list[object]], message: str) -> None:
    with pytest.raises(PredictionFileError, match=message):
        ValueTable.of(pl.DataFrame(columns, strict=False), name="mine.csv", column="prediction")


def test_eras_without_value_or_without_enough_targets_cannot_be_scored() -> None:
    rows = split()

    assert rows.scorable(np.ones(6)).tolist() == [False, True, False]  # of era 0001 half of the targets are known
    assert rows.scorable(np.full(6, np.nan)).tolist() == [False, False, False]


def test_eras_that_are_kept_are_numbered_anew() -> None:
    rows, (values,) = split().keep(np.array([True, False, True]), np.arange(6.0))

    assert (rows.eras, rows.codes.tolist(), rows.ids.to_list()) == (("0001", "0003"), [0, 0, 1, 1], list("bdef"))
    assert values.tolist() == [2, 3, 4, 5]
    assert rows.features is not None
    assert rows.features.ravel().tolist() == [1, 4, 2, 3]


def test_a_gap_is_named_with_its_era() -> None:
    message = "mine.csv: era 0001, id 'd' has no value, as 1 of its 2 rows; predict every row of an era, or none"
    with pytest.raises(PredictionFileError, match=message):
        split().refuse_gaps(np.array([1, 2, 3, np.nan, 5, np.nan]), name="mine.csv")


def test_a_split_without_rows_is_refused() -> None:
    with pytest.raises(DataRequestError, match="no rows"):
        SplitRows.of(FRAME.clear(), target="target", features=())
