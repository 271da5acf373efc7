import io
import struct
from typing import Literal

import polars as pl
import pytest

from crowdalpha.release.parquet_bounds import UnboundedParquetError, parquet_bounds

N_ROWS = 3000
FRAME = pl.DataFrame({"id": [f"{number:016d}" for number in range(N_ROWS)], "prediction": [0.25] * N_ROWS})


def written(
    frame: pl.DataFrame = FRAME,
    *,
    compression: Literal["zstd", "snappy", "uncompressed"] = "zstd",
    row_group_size: int | None = None,
    data_page_size: int | None = None,
) -> bytes:
    stream = io.BytesIO()
    frame.write_parquet(stream, compression=compression, row_group_size=row_group_size, data_page_size=data_page_size)
    return stream.getvalue()


def with_footer(footer: bytes, body: bytes = b"") -> bytes:
    return b"PAR1" + body + footer + struct.pack("<I", len(footer)) + b"PAR1"


@pytest.mark.parametrize(
    "content", [written(), written(row_group_size=700), written(data_page_size=2000)], ids=["one", "groups", "pages"]
)
def test_rows_and_columns_are_those_of_the_frame(content: bytes) -> None:
    bounds = parquet_bounds(content)

    assert bounds.columns == ("id", "prediction")
    assert bounds.rows == N_ROWS


def test_an_uncompressed_file_expands_to_about_itself() -> None:
    content = written(compression="uncompressed")

    assert 0.9 * len(content) < parquet_bounds(content).expanded_bytes < len(content)


def test_compression_does_not_change_what_a_file_expands_to() -> None:
    files = [written(compression="zstd"), written(compression="snappy"), written(compression="uncompressed")]

    # the pages are the same; their headers are not counted
    assert len({parquet_bounds(content).expanded_bytes for content in files}) == 1


def test_nested_columns_count_once() -> None:
    frame = pl.DataFrame({"a": [{"x": 1, "y": [1, 2]}], "b": [1]})

    assert parquet_bounds(written(frame)).columns == ("a", "b")


def test_a_frame_without_rows_has_none() -> None:
    assert parquet_bounds(written(FRAME.clear())).rows == 0


@pytest.mark.parametrize("cut", [1, 8, 100, 5000])
def test_a_file_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(UnboundedParquetError, match="cut off or damaged"):
        parquet_bounds(written()[:-cut])


def test_a_footer_longer_than_the_file_is_refused() -> None:
    with pytest.raises(UnboundedParquetError, match="cut off"):
        parquet_bounds(b"PAR1" + struct.pack("<I", 1000) + b"PAR1")


def test_a_gigantic_footer_is_refused_unread() -> None:
    with pytest.raises(UnboundedParquetError, match="footer has 300000 bytes"):
        parquet_bounds(with_footer(b"\x00" * 300_000))


def test_deep_nesting_is_refused() -> None:
    # 0x1c opens field 1 as a structure, again and again
    with pytest.raises(UnboundedParquetError, match="cut off or damaged"):
        parquet_bounds(with_footer(b"\x1c" * 10_000))


def test_a_list_that_claims_more_than_the_file_is_refused() -> None:
    # field 1, a list of 2**31 structures
    with pytest.raises(UnboundedParquetError, match="cut off or damaged"):
        parquet_bounds(with_footer(b"\x19\xfc\x80\x80\x80\x80\x08"))


def test_a_number_longer_than_64_bits_is_refused() -> None:
    with pytest.raises(UnboundedParquetError, match="cut off or damaged"):
        parquet_bounds(with_footer(b"\x16" + b"\xff" * 12))


def footer_with_chunk(*fields: bytes) -> bytes:
    """A footer with one row group of one column whose metadata are these Thrift fields."""
    metadata = b"".join(fields) + b"\x00"
    chunk = b"\x3c" + metadata + b"\x00"
    return b"\x49\x1c" + b"\x19\x1c" + chunk + b"\x00" + b"\x00"


def zigzag(value: int) -> bytes:
    value, out = 2 * value, b""
    while value >= 0x80:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def chunk_at(start: int, size: int) -> bytes:
    # field 7 (compressed size), then field 9 (first data page)
    return footer_with_chunk(b"\x76" + zigzag(size), b"\x26" + zigzag(start))


def page(*, expanded: int, values: int, encoding: int) -> bytes:
    # type 0, uncompressed size, compressed size 0, then field 5: the data page with its values and encoding
    inner = b"\x15" + zigzag(values) + b"\x15" + zigzag(encoding) + b"\x00"
    return b"\x15\x00" + b"\x15" + zigzag(expanded) + b"\x15\x00" + b"\x2c" + inner + b"\x00"


def test_what_the_pages_claim_counts_and_not_what_the_footer_says() -> None:
    body = page(expanded=2_000_000_000, values=70_000, encoding=0)
    bounds = parquet_bounds(with_footer(chunk_at(4, len(body)), body))

    assert (bounds.expanded_bytes, bounds.rows) == (2_000_000_000, 70_000)


def test_an_encoding_whose_expansion_cannot_be_told_is_refused() -> None:
    body = page(expanded=10, values=1, encoding=7)

    with pytest.raises(UnboundedParquetError, match="DELTA_BYTE_ARRAY"):
        parquet_bounds(with_footer(chunk_at(4, len(body)), body))


def test_too_many_pages_are_refused() -> None:
    body = page(expanded=1, values=1, encoding=0) * 5000

    with pytest.raises(UnboundedParquetError, match="more than 4096 pages"):
        parquet_bounds(with_footer(chunk_at(4, len(body)), body))


@pytest.mark.parametrize(("start", "size"), [(0, 10), (4, 10_000), (4, 10)])
def test_a_column_that_is_not_where_the_footer_says_is_refused(start: int, size: int) -> None:
    body = page(expanded=1, values=1, encoding=0)

    with pytest.raises(UnboundedParquetError, match="cut off or damaged"):
        parquet_bounds(with_footer(chunk_at(start, size), body))
