import io
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crowdalpha.errors import InputError
from crowdalpha.release import PredictionFileError, read_predictions

LIVE = ["c", "a", "b"]
GOOD = {"id": ["a", "b", "c"], "prediction": [0.1, 0.2, 0.3]}
EMPTY = pl.DataFrame(schema={"id": pl.String, "prediction": pl.Float64})
VECTORS = Path(__file__).parents[2] / "fixtures" / "scoring-vectors.json"


def parquet(columns: dict[str, object] | pl.DataFrame) -> bytes:
    stream = io.BytesIO()
    pl.DataFrame(columns).write_parquet(stream)
    return stream.getvalue()


def refusal(content: bytes | Path, *, live_ids: list[str] | None = None, **limits: int) -> PredictionFileError:
    with pytest.raises(PredictionFileError) as caught:
        read_predictions(content, live_ids=live_ids or LIVE, name="mine", **limits)
    return caught.value


def csv(*rows: str) -> bytes:
    return "\n".join(["id,prediction", *rows]).encode()


def in_both(ids: list[str | None], values: list[float]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("content", both(ids, values), ids=["csv", "parquet"])


def both(ids: list[str | None], values: list[float]) -> list[bytes]:
    """The same rows as CSV and as Parquet."""
    rows = [f"{row_id or ''},{value}" for row_id, value in zip(ids, values, strict=True)]
    return [csv(*rows), parquet({"id": ids, "prediction": [float(value) for value in values]})]


@in_both(["a", "b", "c"], [0.1, 0.2, 0.3])
def test_values_come_in_the_order_of_the_live_ids(content: bytes) -> None:
    found = read_predictions(content, live_ids=LIVE)

    assert found.ids == ("c", "a", "b")
    assert found.values.tolist() == [0.3, 0.1, 0.2]
    assert found.dropped_unknown == 0


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfid,prediction\r\na,0.1\r\nb,0.2\r\nc,0.3\r\n",
        b'"id","prediction"\n"a","0.1"\n"b","0.2"\n"c","0.3"\n',
        b"id,prediction\na, 0.1\n\nb,2e-1\nc,+.3 \n\n",
    ],
    ids=["windows", "quoted", "blank lines and spaces"],
)
def test_csv_as_other_programs_write_it(content: bytes) -> None:
    assert read_predictions(content, live_ids=LIVE).values.tolist() == [0.3, 0.1, 0.2]


def test_ids_may_be_categories() -> None:
    frame = pl.DataFrame(GOOD).with_columns(pl.col("id").cast(pl.Categorical))

    assert read_predictions(parquet(frame), live_ids=LIVE).values.tolist() == [0.3, 0.1, 0.2]


@pytest.mark.parametrize("dtype", [pl.Int8, pl.UInt64, pl.Int64, pl.Float32])
def test_whole_numbers_and_single_precision_are_numbers(dtype: type[pl.DataType]) -> None:
    frame = pl.DataFrame({"id": LIVE, "prediction": [7, 5, 3]}).with_columns(pl.col("prediction").cast(dtype))

    assert read_predictions(parquet(frame), live_ids=LIVE).values.tolist() == [7.0, 5.0, 3.0]


def test_values_need_not_lie_between_0_and_1() -> None:
    assert read_predictions(csv("a,-5", "b,1e300", "c,17"), live_ids=LIVE).values.tolist() == [17.0, -5.0, 1e300]


def test_values_may_differ_in_the_last_bit_alone() -> None:
    content = parquet({"id": LIVE, "prediction": [0.5, np.nextafter(0.5, 1), 0.5]})

    assert np.unique(read_predictions(content, live_ids=LIVE).values).size == 2


def test_a_path_is_read_and_named(tmp_path: Path) -> None:
    (tmp_path / "week7.csv").write_bytes(csv("a,1", "b,x", "c,3"))

    with pytest.raises(PredictionFileError, match=r"^week7\.csv, column 'prediction', row 2: holds 'x'"):
        read_predictions(tmp_path / "week7.csv", live_ids=LIVE)


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in str(refusal(tmp_path / "none.csv"))


@in_both(["a", "x", "b", "c", "y"], [1, float("nan"), 2, 3, 4])
def test_unknown_ids_are_dropped_and_counted_whatever_their_value(content: bytes) -> None:
    found = read_predictions(content, live_ids=LIVE)

    assert found.dropped_unknown == 2
    assert found.values.tolist() == [3.0, 1.0, 2.0]


@in_both(["a", "x", "a", "b", "c"], [1, 2, 1, 3, 4])
def test_a_repeated_id_is_named_with_its_row(content: bytes) -> None:
    error = refusal(content)

    assert (error.reason, error.column, error.row) == ("ids", "id", 3)
    assert "'a' occurs a second time" in str(error)


@in_both(["a", "x", "x", "b", "c"], [1, 2, 2, 3, 4])
def test_a_repeated_unknown_id_is_only_dropped(content: bytes) -> None:
    assert read_predictions(content, live_ids=LIVE).dropped_unknown == 2


@in_both(["a", "x"], [1, 2])
def test_missing_ids_are_counted_and_the_first_is_named(content: bytes) -> None:
    error = refusal(content)

    assert (error.reason, error.column) == ("ids", "id")
    assert "1 of 3 live ids and needs 3; 'c' is the first missing" in str(error)


@in_both(["a", None, "b", "c"], [1, 2, 3, 4])
def test_an_empty_id_is_named_with_its_row(content: bytes) -> None:
    error = refusal(content)

    assert (error.reason, error.column, error.row) == ("ids", "id", 2)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("kind", [0, 1], ids=["csv", "parquet"])
def test_a_value_that_is_not_finite_is_named_with_its_row(bad: float, kind: int) -> None:
    error = refusal(both(["a", "x", "b", "c"], [1, 0, bad, 3])[kind])

    assert (error.reason, error.column, error.row) == ("values", "prediction", 3)
    assert "not a finite number" in str(error)


def test_a_null_in_parquet_is_no_value() -> None:
    error = refusal(parquet({"id": LIVE, "prediction": [0.1, None, 0.3]}))

    assert (error.reason, error.column, error.row) == ("values", "prediction", 2)
    assert "no value" in str(error)


@pytest.mark.parametrize("text", ["abc", "1_0", "0x10", "1;5", "٣", "True", "1e999"])
def test_text_in_csv_is_no_number(text: str) -> None:
    error = refusal(csv("a,1", "b,2", f"c,{text}"))

    assert (error.reason, error.column, error.row) == ("values", "prediction", 3)


@pytest.mark.parametrize("record", ["b,", "b, "])
def test_an_empty_cell_in_csv_is_no_value(record: str) -> None:
    error = refusal(csv("a,1", record, "c,3"))

    assert (error.reason, error.row) == ("values", 2)
    assert "no value" in str(error)


@pytest.mark.parametrize("values", [["0.1", "0.2", "0.3"], [True, False, True], [[1.0], [2.0], [3.0]], [None] * 3])
def test_a_parquet_column_that_holds_no_numbers_is_refused(values: list[object]) -> None:
    error = refusal(parquet({"id": LIVE, "prediction": values}))

    assert (error.reason, error.column, error.row) == ("values", "prediction", 1)


def test_ids_that_are_numbers_are_refused_in_parquet() -> None:
    error = refusal(parquet({"id": [1, 2, 3], "prediction": [0.1, 0.2, 0.3]}))

    assert (error.reason, error.column) == ("ids", "id")
    assert "ids are text" in str(error)


@in_both(["a", "b", "c", "x"], [0.37, 0.37, 0.37, 0.5])
def test_a_constant_is_refused(content: bytes) -> None:
    error = refusal(content)

    assert (error.reason, error.column) == ("values", "prediction")
    assert "all values are the same" in str(error)


@pytest.mark.parametrize(
    "columns",
    [
        ["prediction", "id"],
        ["id"],
        ["id", "signal"],
        ["id", "prediction", "era"],
        ["ID", "prediction"],
        ["id ", "prediction"],
        ["", "id", "prediction"],
    ],
)
def test_other_columns_are_refused_in_both_formats(columns: list[str]) -> None:
    text = ",".join(columns) + "\n" + ",".join("1" for _ in columns) + "\n"
    errors = [refusal(text.encode()), refusal(parquet({column: ["1"] for column in columns}))]

    assert [error.reason for error in errors] == ["headers", "headers"]
    assert str(errors[0]) == str(errors[1])


def test_a_repeated_column_is_refused() -> None:
    assert refusal(b"id,id\na,b\n").reason == "headers"


def test_many_columns_are_not_all_shown() -> None:
    assert "c7 and 992 more" in str(refusal(",".join(f"c{number}" for number in range(1000)).encode()))


def test_a_record_with_a_field_too_many_is_named() -> None:
    error = refusal(csv("a,1", "b,2,2", "c,3"))

    assert (error.reason, error.row) == ("file", 2)
    assert "3 fields instead of 2" in str(error)


def test_a_quote_that_is_never_closed_is_named() -> None:
    error = refusal(csv("a,1", 'b,"2', "c,3"))

    assert (error.reason, error.row) == ("file", 2)


@pytest.mark.parametrize("content", [csv(), csv(""), parquet(EMPTY)], ids=["csv", "blank line", "parquet"])
def test_a_file_without_rows_is_refused(content: bytes) -> None:
    assert "has no rows; 3 ids are needed" in str(refusal(content))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\x00\x01\xff\xfe", "neither Parquet nor UTF-8"),
        ("id,prediction\na,1\n".encode("utf-16"), "neither Parquet nor UTF-8"),
        (b"PK\x03\x04zip", "the columns must be"),
        (b'{"id": ["a"]}', "the columns must be"),
        (b"PAR1", "cut off or damaged"),
    ],
    ids=["empty", "binary", "utf-16", "zip", "json", "magic alone"],
)
def test_what_is_neither_csv_nor_parquet_is_refused(content: bytes, message: str) -> None:
    assert message in str(refusal(content))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_parquet_file_is_refused(share: float) -> None:
    content = parquet(GOOD)

    assert "cut off or damaged" in str(refusal(content[: int(share * len(content))]))


def test_a_parquet_file_with_a_damaged_page_is_refused() -> None:
    content = bytearray(parquet({"id": [f"{n:08x}" for n in range(500)], "prediction": list(range(500))}))
    content[60:200] = bytes(140)

    assert refusal(bytes(content)).reason == "file"


def test_a_gigantic_file_is_refused_after_its_limit(tmp_path: Path) -> None:
    with (tmp_path / "big.csv").open("wb") as stream:
        stream.truncate(10**12)

    assert "more than 1000 bytes" in str(refusal(tmp_path / "big.csv", max_bytes=1000))


@in_both(["a", "b", "c", "d"], [1, 2, 3, 4])
def test_too_many_rows_are_refused(content: bytes) -> None:
    assert "more than 3 rows" in str(refusal(content, max_rows=3))
    assert read_predictions(content, live_ids=LIVE, max_rows=4).dropped_unknown == 1


def test_a_small_file_that_expands_to_much_is_refused() -> None:
    content = parquet({"id": [f"{number}{'x' * 4000}" for number in range(20_000)], "prediction": [0.5] * 20_000})

    assert len(content) < 1_000_000
    assert "expands to" in str(refusal(content))


def test_long_text_is_not_shown_in_full() -> None:
    assert len(str(refusal(csv("a,1", "b," + "x" * 10_000, "c,3")))) < 200


def test_a_lower_overlap_leaves_missing_ids_open() -> None:
    found = read_predictions(csv("a,1", "b,2"), live_ids=LIVE, min_overlap=0.6)

    np.testing.assert_array_equal(found.values, [np.nan, 1.0, 2.0])


def test_exactly_the_overlap_asked_for_is_enough() -> None:
    live_ids = [str(number) for number in range(10)]
    seven = csv(*(f"{number},{number}" for number in range(7)))

    assert np.isfinite(read_predictions(seven, live_ids=live_ids, min_overlap=0.7).values).sum() == 7
    with pytest.raises(PredictionFileError, match="has 7 of 10 live ids and needs 8"):
        read_predictions(seven, live_ids=live_ids, min_overlap=0.71)


@pytest.mark.parametrize("overlap", [0.0, 1.01, float("nan")])
def test_an_overlap_out_of_range_is_refused(overlap: float) -> None:
    with pytest.raises(InputError, match="min_overlap"):
        read_predictions(csv("a,1"), live_ids=LIVE, min_overlap=overlap)


@pytest.mark.parametrize("live_ids", [[], ["a", "a"]])
def test_live_ids_must_be_there_once(live_ids: list[str]) -> None:
    with pytest.raises(InputError, match="each once"):
        read_predictions(csv("a,1"), live_ids=live_ids)


def vector(case: str) -> tuple[bytes, list[str]]:
    """A submission of the reference's vectors as a file under our column names, and the live ids it is for."""
    content = json.loads(VECTORS.read_text())
    arguments = next(found for found in content["cases"] if found["id"] == case)["args"]
    frame = arguments["submission"]
    columns = [
        [float(cell) if cell == "nan" else cell for cell in column] if name in {"signal", "prediction"} else column
        for name, column in zip(frame["cols"], frame["v"], strict=True)
    ]
    names = {"numerai_ticker": "id", "signal": "prediction"}
    table = dict(zip((names.get(name, name) for name in frame["cols"]), columns, strict=True))
    live_ids = arguments["live_ids"]["v"] if "live_ids" in arguments else table["id"]
    return parquet(table), live_ids


@pytest.mark.parametrize("case", ["ok", "zero_one_allowed", "eps_outside"])
def test_what_the_reference_accepts_is_accepted(case: str) -> None:
    content, live_ids = vector(f"validate_values/{case}")

    assert len(read_predictions(content, live_ids=live_ids).values) == 3


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("validate_ids/duplicate", "ids"),
        ("validate_ids/numerai_needs_all", "ids"),
        ("validate_values/nan", "values"),
        ("validate_values/const", "values"),
        ("validate_headers/bad", "headers"),
    ],
)
def test_what_the_reference_refuses_is_refused_for_the_same_reason(case: str, reason: str) -> None:
    content, live_ids = vector(case)

    assert refusal(content, live_ids=live_ids).reason == reason


@pytest.mark.parametrize("case", ["outside", "near_const"])
def test_values_that_rank_are_accepted_where_the_reference_looks_at_their_size(case: str) -> None:
    content, live_ids = vector(f"validate_values/{case}")

    assert len(read_predictions(content, live_ids=live_ids).values) == 3


def test_the_hundred_ids_of_signals_are_an_overlap_here() -> None:
    content, live_ids = vector("validate_ids/too_few")
    with pytest.raises(PredictionFileError, match="live ids and needs 100"):
        read_predictions(content, live_ids=live_ids, min_overlap=100 / len(live_ids))
