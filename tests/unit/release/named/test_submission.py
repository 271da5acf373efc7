import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crowdalpha.errors import InputError
from crowdalpha.release.errors import PredictionFileError
from crowdalpha.release.named import examine_named, read_named_predictions
from tests.fixtures.named import coins, csv_file, parquet_file, shares, wide_universe

UNIVERSE = shares()
GOOD = {"AAPL US": 0.9, "VOD GB": 0.1, "BRK.B US": 0.5}


def refusal(content: bytes, *, min_assets: int = 2, min_overlap: float = 0.0) -> PredictionFileError:
    with pytest.raises(PredictionFileError) as caught:
        read_named_predictions(content, universe=UNIVERSE, min_assets=min_assets, min_overlap=min_overlap)
    return caught.value


def test_values_come_back_in_the_order_of_the_live_ids() -> None:
    read = read_named_predictions(csv_file(GOOD), universe=UNIVERSE, min_assets=3)

    assert read.ids == UNIVERSE.live_ids == tuple(sorted(UNIVERSE.live_ids))
    assert {name: value for name, value in zip(read.ids, read.values, strict=True) if not np.isnan(value)} == GOOD


def test_the_report_counts_every_row_by_its_reason_and_country() -> None:
    rows = GOOD | {"TWTR US": 0.3, "TINY US": 0.2, "XYZ": 0.1, "ABC": 0.4, "TWTR": 0.5}
    coverage = examine_named(csv_file(rows), universe=UNIVERSE, min_assets=3).coverage

    assert dict(coverage.dropped) == {"unknown": 1, "ambiguous": 1, "delisted": 2, "outside": 1}
    assert (coverage.rows, coverage.matched, coverage.live, coverage.needed) == (8, 3, 8, 3)
    assert [(each.row, each.name, each.reason) for each in coverage.examples[:2]] == [
        (4, "TWTR US", "delisted"),
        (5, "TINY US", "outside"),
    ]
    assert [(each.country, each.live, each.matched) for each in coverage.countries] == [
        ("AU", 2, 0),
        ("GB", 1, 1),
        ("KR", 1, 0),
        ("US", 4, 2),
    ]


def test_a_report_can_be_stored_and_read() -> None:
    coverage = examine_named(csv_file(GOOD | {"XYZ": 0.2}), universe=UNIVERSE, min_assets=3).coverage

    assert coverage.to_json()["examples"] == [{"row": 4, "name": "XYZ", "reason": "unknown", "ids": []}]
    assert coverage.lines()[0] == "3 of 8 live assets have a value; 3 are needed"


@pytest.mark.parametrize("header", ["numerai_ticker,signal", "ticker,prediction", "bloomberg_ticker,signal"])
def test_each_kind_of_id_and_both_names_of_the_value_are_taken(header: str) -> None:
    content = f"{header}\nVOD GB,0.4\nAAPL US,0.5\n".encode()

    assert read_named_predictions(content, universe=UNIVERSE, min_assets=2).coverage.matched == 2


def test_a_date_and_a_part_are_dropped_and_rows_that_are_not_live_with_them() -> None:
    content = (
        b"numerai_ticker,friday_date,data_type,signal\n"
        b"AAPL US,20240105,validation,0.1\nAAPL US,20240112,live,0.9\nVOD GB,20240112,live,0.2\n"
    )
    read = read_named_predictions(content, universe=UNIVERSE, min_assets=2)

    assert dict(read.coverage.dropped) == {"not_live": 1}
    assert read.values[UNIVERSE.live_ids.index("AAPL US")] == 0.9


def test_parquet_is_read_like_text(tmp_path: Path) -> None:
    names, values = list(GOOD), np.array(list(GOOD.values()))
    (tmp_path / "mine.parquet").write_bytes(parquet_file(names, values))
    text = read_named_predictions(csv_file(GOOD), universe=UNIVERSE, min_assets=3)

    np.testing.assert_array_equal(
        read_named_predictions(tmp_path / "mine.parquet", universe=UNIVERSE, min_assets=3).values, text.values
    )


def test_byte_order_mark_and_windows_line_ends_change_nothing() -> None:
    content = b"\xef\xbb\xbf" + csv_file(GOOD).replace(b"\n", b"\r\n")

    assert read_named_predictions(content, universe=UNIVERSE, min_assets=3).coverage.matched == 3


@pytest.mark.parametrize(
    ("content", "reason", "column", "row"),
    [
        (b"", "file", None, None),
        (b"\xff\xfe\x00", "file", None, None),
        (b"PAR1 nonsense", "file", None, None),
        (b"signal\n0.4\n", "headers", None, None),
        (b",numerai_ticker,signal\n0,AAPL US,0.4\n", "headers", None, None),
        (b"signal,numerai_ticker\n0.4,AAPL US\n", "headers", None, None),
        (b"numerai_ticker,signal,date,friday_date\nAAPL US,0.4,x,y\n", "headers", None, None),
        (b"numerai_ticker,signal\nAAPL US\n", "file", None, 1),
        (b"numerai_ticker,signal\nAAPL US,0.4\n,0.5\n", "ids", "numerai_ticker", 2),
        (b"numerai_ticker,signal\nAAPL US,0.4\nVOD GB,0.5\naapl us,0.4\n", "ids", "numerai_ticker", 3),
        (b"numerai_ticker,signal\nAAPL US,0.4\nXYZ,0.5\n", "ids", "numerai_ticker", None),
        (b"numerai_ticker,signal\nAAPL US,0.4\nVOD GB,nan\n", "values", "signal", 2),
        (b"numerai_ticker,signal\nAAPL US,0.4\nVOD GB,inf\n", "values", "signal", 2),
        (b"numerai_ticker,signal\nAAPL US,0.4\nVOD GB,\n", "values", "signal", 2),
        (b"numerai_ticker,signal\nAAPL US,0.4\nVOD GB,much\n", "values", "signal", 2),
        (b"numerai_ticker,signal\nAAPL US,0.4\nVOD GB,1e308\n", "values", "signal", 2),
        (b"numerai_ticker,signal\nAAPL US,-0.1\nVOD GB,1\n", "values", "signal", 1),
        (b"numerai_ticker,signal\nAAPL US,0.4\nVOD GB,0.4\n", "values", "signal", None),
    ],
)
def test_a_file_that_breaks_a_rule_is_refused_with_its_place(
    content: bytes, reason: str, column: str | None, row: int | None
) -> None:
    error = refusal(content)

    assert (error.reason, error.column, error.row) == (reason, column, row)


def test_two_spellings_of_one_asset_are_one_asset_twice() -> None:
    error = refusal(b"ticker,signal\nBRK.B,0.4\nVOD,0.2\nBRK-B,0.5\n")

    assert "BRK.B US" in str(error)
    assert error.row == 3


def test_too_few_assets_say_how_many_rows_did_not_count() -> None:
    assert "2 of 8 live assets and needs 4; rows that did not count: 1 unknown" in str(
        refusal(csv_file({"AAPL US": 0.1, "VOD GB": 0.2, "XYZ": 0.3}), min_overlap=0.5)
    )


def test_a_refused_file_still_has_its_report() -> None:
    examined = examine_named(csv_file({"AAPL US": 0.1, "XYZ": 0.3}), universe=UNIVERSE, min_assets=2)

    assert examined.problem is not None
    assert examined.coverage.matched == 1
    assert not examined.coverage.enough


@pytest.mark.parametrize("value", ["0", "1", "-0.000000005", "1.00001"])
def test_the_ends_of_the_range_are_inside(value: str) -> None:
    content = csv_file({"AAPL US": value, "VOD GB": 0.5})

    assert read_named_predictions(content, universe=UNIVERSE, min_assets=2).coverage.matched == 2


def test_ids_of_parquet_must_be_text() -> None:
    buffer = io.BytesIO()
    pl.DataFrame({"sedol": [263494, 5], "signal": [0.1, 0.2]}).write_parquet(buffer)

    assert refusal(buffer.getvalue()).column == "sedol"


def test_more_rows_than_allowed_are_refused() -> None:
    names = [f"X{number}" for number in range(100_001)]

    assert "100000 rows" in str(refusal(parquet_file(names, np.zeros(len(names)))))
    assert "100000 rows" in str(refusal(csv_file(dict.fromkeys(names, 0))))


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # the reference on a newer pandas
def test_the_reference_takes_the_same_files() -> None:
    submissions, pandas = pytest.importorskip("numerai_tools.submissions"), pytest.importorskip("pandas")
    universe = wide_universe(150)
    values = np.random.default_rng(3).uniform(size=120)
    names = universe.live_ids[:120]
    frame = pandas.DataFrame({"numerai_ticker": names, "signal": values})
    index = pandas.DataFrame({"numerai_ticker": universe.live_ids})
    *_, kept, unknown = submissions.validate_submission_signals(index, frame)
    ours = read_named_predictions(parquet_file(names, values), universe=universe)

    assert unknown == []
    np.testing.assert_array_equal(ours.values[~np.isnan(ours.values)], kept["signal"].to_numpy())


def test_limits_outside_their_range_are_refused() -> None:
    with pytest.raises(InputError, match="min_assets 0"):
        examine_named(csv_file(GOOD), universe=UNIVERSE, min_assets=0)


def test_coins_go_by_their_symbol() -> None:
    read = read_named_predictions(b"symbol,prediction\nETH,0.2\nbtc,0.9\n", universe=coins("BTC", "ETH"), min_assets=2)

    assert read.values.tolist() == [0.9, 0.2]
    assert [(each.country, each.matched) for each in read.coverage.countries] == [("", 2)]
