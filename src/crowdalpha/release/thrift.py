"""The Thrift compact protocol, both ways, as far as a Parquet footer needs it.

A value keeps its type on the way through, so that writing what was read gives the same bytes.

References
----------
.. [1] Apache Thrift, compact protocol specification.
"""

from dataclasses import dataclass, field

__all__ = ["Field", "Items", "Struct", "ThriftError", "read_struct", "write_struct"]

_STOP, TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(13)
_LONG_LIST = 15
_DOUBLE_BYTES = 8
_LOW_BITS = 0x7F
_MAX_DELTA = 15


class ThriftError(ValueError):
    """Bytes are not of the compact protocol, or hold a type that no Parquet footer has."""


@dataclass(frozen=True, slots=True)
class Items:
    """A list: the type of its items, and the items."""

    kind: int
    values: tuple["Value", ...]


@dataclass(slots=True)
class Struct:
    """Fields by number."""

    fields: dict[int, "Field"] = field(default_factory=dict)

    def integer(self, number: int) -> int:
        """Give a number, 0 where the field is absent."""
        value = self.fields[number].value if number in self.fields else 0
        if not isinstance(value, int):
            raise ThriftError(f"field {number} is no number")
        return value

    def struct(self, number: int) -> "Struct":
        """Give a structure."""
        value = self.fields[number].value
        if not isinstance(value, Struct):
            raise ThriftError(f"field {number} is no structure")
        return value

    def structs(self, number: int) -> list["Struct"]:
        """Give a list of structures."""
        value = self.fields[number].value
        if not isinstance(value, Items):
            raise ThriftError(f"field {number} is no list")
        return [item for item in value.values if isinstance(item, Struct)]


Value = int | bytes | Items | Struct


@dataclass(frozen=True, slots=True)
class Field:
    """A value and its type in the protocol."""

    kind: int
    value: Value


def read_struct(content: bytes) -> Struct:
    """Read one structure from the start of `content`.

    Raises
    ------
    ThriftError
        If it is cut off or holds a type that no Parquet footer has.

    Examples
    --------
    >>> struct = Struct({1: Field(I32, -3), 20: Field(BINARY, b"abc")})
    >>> read_struct(write_struct(struct)) == struct
    True
    """
    try:
        return _Reader(content).struct()
    except (IndexError, RecursionError) as error:
        raise ThriftError("the structure is cut off") from error


def write_struct(struct: Struct) -> bytes:
    """Write one structure; the inverse of `read_struct`.

    Raises
    ------
    ThriftError
        If a value does not fit its type.
    """
    out = bytearray()
    _write(out, struct)
    return bytes(out)


class _Reader:
    def __init__(self, content: bytes) -> None:
        self.content = content
        self.position = 0

    def struct(self) -> Struct:
        fields: dict[int, Field] = {}
        number = 0
        while (head := self.byte()) != _STOP:
            number = number + (head >> 4) if head >> 4 else self.zigzag()
            kind = head & 0x0F
            fields[number] = Field(kind, int(kind == TRUE) if kind in {TRUE, FALSE} else self.value(kind))
        return Struct(fields)

    def value(self, kind: int) -> Value:
        if kind in {TRUE, FALSE, BYTE}:
            return self.byte()
        if kind in {I16, I32, I64}:
            return self.zigzag()
        if kind in {BINARY, DOUBLE}:
            return self.raw(_DOUBLE_BYTES if kind == DOUBLE else self.varint())
        if kind == STRUCT:
            return self.struct()
        if kind not in {LIST, SET}:
            raise ThriftError(f"type {kind} does not occur in a Parquet footer")
        head = self.byte()
        size = head >> 4 if head >> 4 != _LONG_LIST else self.varint()
        item = head & 0x0F
        return Items(item, tuple(self.value(item) for _ in range(size)))

    def byte(self) -> int:
        value = self.content[self.position]
        self.position += 1
        return value

    def raw(self, size: int) -> bytes:
        self.position += size
        if self.position > len(self.content):
            raise ThriftError("a text is longer than the file")
        return self.content[self.position - size : self.position]

    def varint(self) -> int:
        value = shift = 0
        while (byte := self.byte()) > _LOW_BITS:
            value |= (byte & _LOW_BITS) << shift
            shift += 7
        return value | byte << shift

    def zigzag(self) -> int:
        value = self.content[self.position]
        if value > _LOW_BITS:
            value = self.varint()
        else:
            self.position += 1
        return (value >> 1) ^ -(value & 1)


def _write(out: bytearray, struct: Struct) -> None:
    last = 0
    for number, each in sorted(struct.fields.items()):
        kind = each.kind
        if kind in {TRUE, FALSE}:
            kind = TRUE if each.value else FALSE
        if 0 < number - last <= _MAX_DELTA:
            out.append((number - last) << 4 | kind)
        else:
            out.append(kind)
            _varint(out, number << 1)
        last = number
        if kind not in {TRUE, FALSE}:
            _write_value(out, kind, each.value)
    out.append(_STOP)


def _write_value(out: bytearray, kind: int, value: Value) -> None:
    match value:
        case Struct():
            _write(out, value)
        case Items():
            long = len(value.values) >= _LONG_LIST
            out.append((_LONG_LIST if long else len(value.values)) << 4 | value.kind)
            if long:
                _varint(out, len(value.values))
            for item in value.values:
                _write_value(out, value.kind, item)
        case bytes():
            if kind == BINARY:
                _varint(out, len(value))
            out += value
        case int() if kind in {TRUE, FALSE, BYTE}:
            out.append(value)
        case int() if kind in {I16, I32, I64}:
            _varint(out, value << 1 if value >= 0 else (-value << 1) - 1)
        case _:
            raise ThriftError(f"a {type(value).__name__} is no value of type {kind}")


def _varint(out: bytearray, value: int) -> None:
    while value > _LOW_BITS:
        out.append(value & _LOW_BITS | 0x80)
        value >>= 7
    out.append(value)
