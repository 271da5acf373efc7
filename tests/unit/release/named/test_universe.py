from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crowdalpha.release.named import NamedUniverse, NamedUniverseError, read_universe
from tests.fixtures.named import coins, shares, wide_universe


def test_a_universe_reads_back_as_it_was_written(tmp_path: Path) -> None:
    universe = wide_universe(40)
    (tmp_path / "universe.parquet").write_bytes(universe.to_bytes())
    again = read_universe(tmp_path / "universe.parquet")

    assert again.live_ids == universe.live_ids
    np.testing.assert_array_equal(again.neutralizers, universe.neutralizers)
    assert again.to_bytes() == universe.to_bytes()


def test_rows_are_put_in_the_order_of_the_ids() -> None:
    frame = wide_universe(40).to_frame()

    assert NamedUniverse.of(frame.reverse()).to_bytes() == NamedUniverse.of(frame).to_bytes()


def test_assets_that_are_not_live_are_known_and_have_no_part() -> None:
    universe = shares()

    assert len(universe.live_ids) == len(universe.sample_weights) == 8
    assert universe.assets.height == 11
    assert universe.countries()[:2] == ("KR", "US")
    assert coins("BTC").countries() == ("",)


@pytest.mark.parametrize(
    ("change", "column", "row"),
    [
        (pl.lit("A US").alias("numerai_ticker"), "numerai_ticker", 2),
        (pl.lit("").alias("numerai_ticker"), "numerai_ticker", 1),
        (pl.lit("there").alias("status"), "status", 1),
        (pl.lit("outside").alias("status"), "status", None),
        (pl.lit(0.0).alias("sample_weight"), "sample_weight", None),
        (pl.lit(float("nan")).alias("sample_weight"), "sample_weight", None),
        (pl.lit("1").alias("sample_weight"), "sample_weight", None),
        (pl.lit(1.0).alias("neutralizer_0"), None, None),
        (pl.lit(None, dtype=pl.Float64).alias("neutralizer_0"), "neutralizer_0", None),
        (pl.lit(5).alias("ticker"), "ticker", None),
        (pl.lit("old").alias("former_tickers"), "former_tickers", None),
        (pl.lit("BTC").alias("symbol"), None, None),
    ],
)
def test_a_universe_that_breaks_a_rule_is_refused(change: pl.Expr, column: str | None, row: int | None) -> None:
    with pytest.raises(NamedUniverseError) as caught:
        NamedUniverse.of(wide_universe(10).to_frame().with_columns(change))

    assert (caught.value.column, caught.value.row) == (column, row)


@pytest.mark.parametrize("column", ["status", "country", "sample_weight"])
def test_a_missing_column_is_named(column: str) -> None:
    with pytest.raises(NamedUniverseError, match=f"'{column}': is missing"):
        NamedUniverse.of(wide_universe(10).to_frame().drop(column))


@pytest.mark.parametrize("content", [b"numerai_ticker\n", b"PAR1cut off", wide_universe(5).to_bytes()[:-9]])
def test_a_file_that_is_no_universe_is_refused(content: bytes) -> None:
    with pytest.raises(NamedUniverseError):
        read_universe(content)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NamedUniverseError, match="cannot be read"):
        read_universe(tmp_path / "none.parquet")
