import io

import polars as pl
import pytest

from crowdalpha.release.thrift import (
    BINARY,
    BYTE,
    DOUBLE,
    I32,
    LIST,
    MAP,
    TRUE,
    Field,
    Items,
    Struct,
    ThriftError,
    read_struct,
    write_struct,
)


def footer() -> bytes:
    """The footer that polars writes of a small frame."""
    stream = io.BytesIO()
    pl.DataFrame({"a": [1, 2], "b": ["x", None], "c": [0.5, 1.5]}).write_parquet(stream)
    content = stream.getvalue()
    return content[-8 - int.from_bytes(content[-8:-4], "little") : -8]


def test_a_footer_of_another_writer_is_written_back_byte_for_byte() -> None:
    assert write_struct(read_struct(footer())) == footer()


def test_numbers_are_zigzag_varints() -> None:
    # field 1 of type i32: head 0x15; -1 is 1, 64 is 0x80 0x01
    assert write_struct(Struct({1: Field(I32, -1)})) == b"\x15\x01\x00"
    assert write_struct(Struct({1: Field(I32, 64)})) == b"\x15\x80\x01\x00"


def test_a_field_far_from_the_one_before_has_a_long_head() -> None:
    # type 5, then field 20 as the zigzag varint 40
    assert write_struct(Struct({20: Field(I32, 0)})) == b"\x05\x28\x00\x00"


def test_every_type_survives_the_way() -> None:
    struct = Struct(
        {
            1: Field(TRUE, 1),
            2: Field(TRUE, 0),
            3: Field(BYTE, 200),
            4: Field(DOUBLE, b"12345678"),
            5: Field(BINARY, b"x" * 300),
            6: Field(LIST, Items(I32, tuple(range(40)))),
        }
    )
    back = read_struct(write_struct(struct))

    assert {number: each.value for number, each in back.fields.items()} == {
        number: each.value for number, each in struct.fields.items()
    }


@pytest.mark.parametrize("content", [b"", b"\x15", b"\x18\x05abc\x00", bytes([0x10 | MAP, 0])])
def test_what_is_cut_off_or_no_footer_is_refused(content: bytes) -> None:
    with pytest.raises(ThriftError):
        read_struct(content)


def test_a_value_of_another_type_is_refused() -> None:
    with pytest.raises(ThriftError, match="is no value of type 8"):
        write_struct(Struct({1: Field(BINARY, 5)}))
    with pytest.raises(ThriftError, match="field 1 is no number"):
        Struct({1: Field(BINARY, b"")}).integer(1)
    with pytest.raises(ThriftError, match="field 1 is no structure"):
        Struct({1: Field(I32, 1)}).struct(1)
    with pytest.raises(ThriftError, match="field 1 is no list"):
        Struct({1: Field(I32, 1)}).structs(1)
