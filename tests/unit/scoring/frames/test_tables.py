"""Keys of any usual type: eras in their order, of their own type, ids matched whatever text they are."""

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from crowdalpha.scoring import frames

ROWS: dict[str, list[Any]] = {"id": list("abc") * 3, "a": [1, 2, 3, 3, 2, 1, 2, 1, 3], "target": [0.0, 0.5, 1.0] * 3}
MIDDLE = 0.5  # of 2, 1, 3 and 0, 1/2, 1, by hand: gaussianized and powered ranks are symmetric

EARLY, LATE = pd.Timestamp("2020-01-03"), pd.Timestamp("2020-01-10")


@pytest.mark.parametrize(
    ("eras", "ordered"),
    [
        (["10", "9", "100"], ["9", "10", "100"]),
        (["0010", "9", "100"], ["9", "0010", "100"]),
        (["era10", "era9", "era100"], ["era9", "era10", "era100"]),
        (["b", "a", "10"], ["10", "a", "b"]),
        (["2020-01-10", "2020-01-03", "2019-12-27"], ["2019-12-27", "2020-01-03", "2020-01-10"]),
        ([10, 9, 100], [9, 10, 100]),
        ([-2, -10, 3], [-10, -2, 3]),
        (
            [LATE.date(), EARLY.date(), pd.Timestamp("2019-12-27").date()],
            [pd.Timestamp("2019-12-27").date(), EARLY.date(), LATE.date()],
        ),
    ],
    ids=["numbers as text", "padded", "named numbers", "text", "days as text", "numbers", "negative", "days"],
)
def test_eras_ascend(eras: list[Any], ordered: list[Any]) -> None:
    frame = pl.DataFrame(ROWS | {"era": np.repeat(np.array(eras, dtype=object), 3).tolist()})

    scores = frames.corr(frame)

    assert scores["era"].to_list() == ordered
    signs = dict(zip(eras, (1.0, -1.0, MIDDLE), strict=True))
    assert scores["a"].to_list() == pytest.approx([signs[era] for era in ordered])


@pytest.mark.parametrize("kind", ["int16", "int64", "string", "object", "category", "datetime64[ns]"])
def test_pandas_keeps_the_type_of_eras(kind: str) -> None:
    eras = [EARLY, LATE] if kind.startswith("datetime") else [9, 10] if kind.startswith("int") else ["9", "10"]
    frame = pd.DataFrame({name: values[:6] for name, values in ROWS.items()})
    frame["era"] = np.repeat(np.array(eras, dtype=object), 3)
    frame = frame.astype({"era": kind})

    scores = frames.corr(frame)

    assert scores["era"].dtype == frame["era"].dtype
    assert scores["era"].to_list() == eras
    assert scores["a"].to_list() == pytest.approx([1.0, -1.0])
    assert isinstance(scores.index, pd.RangeIndex)


@pytest.mark.parametrize("kind", [pl.Int8, pl.UInt32, pl.String, pl.Categorical, pl.Enum(["10", "9"])])
def test_polars_keeps_the_type_of_eras(kind: pl.DataType) -> None:
    eras = [9, 10] if kind in (pl.Int8, pl.UInt32) else ["9", "10"]
    frame = pl.DataFrame({name: values[:6] for name, values in ROWS.items()}).with_columns(
        pl.Series("era", np.repeat(eras, 3).tolist()).cast(kind)
    )

    scores = frames.corr(frame)

    assert scores.schema["era"] == kind
    assert scores["era"].to_list() == eras
    assert scores["a"].to_list() == pytest.approx([1.0, -1.0])


def test_ids_of_different_types_of_the_same_kind_are_matched() -> None:
    frame = pl.DataFrame({"id": ["x", "y", "z"], "a": [1, 2, 3], "target": [0.0, 0.5, 1.0]})
    truth = frame.reverse().with_columns(pl.col("id").cast(pl.Categorical))
    numbered = frame.with_columns(id=pl.Series([1, 2, 3], dtype=pl.Int16))
    other = numbered.reverse().with_columns(pl.col("id").cast(pl.UInt64))

    assert frames.corr(frame.drop("target"), truth)["a"].to_list() == pytest.approx([1.0])
    assert frames.corr(numbered.drop("target"), other)["a"].to_list() == pytest.approx([1.0])


@pytest.mark.parametrize("kind", ["Int64", "Float64", "float32", "bool"])
def test_numbers_of_any_type_are_read(kind: str) -> None:
    frame = pd.DataFrame({"id": range(4), "a": [0, 1, 0, 1], "target": [0.0, 1.0, 0.25, 0.75]})

    scores = frames.corr(frame.astype({"a": kind}))

    assert scores["a"].to_list() == pytest.approx(frames.corr(frame)["a"].to_list())


def test_missing_values_of_nullable_columns_are_gaps() -> None:
    frame = pd.DataFrame({"id": range(5), "a": pd.array([1, 2, 3, 4, None], dtype="Int64"), "target": [0, 1, 2, 3, 9]})

    scores = frames.pearson(frame)

    assert scores["a"].to_list() == pytest.approx([1.0])
