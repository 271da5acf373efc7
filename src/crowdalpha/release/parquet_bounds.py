"""How much a Parquet file holds and expands to, told from its footer and page headers before anything is decompressed.

A few kilobytes of Parquet can ask a reader for gigabytes. This module walks the Thrift structures of a file that a
stranger sent, without a Parquet library, and adds up what the pages themselves claim, since it is by the page headers
that a reader allocates; footer totals may lie.

References
----------
.. [1] Apache Parquet format, `parquet.thrift` (field numbers below), and the Thrift compact protocol.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from crowdalpha.errors import InputError

__all__ = ["PARQUET_MAGIC", "ParquetBounds", "UnboundedParquetError", "parquet_bounds"]

PARQUET_MAGIC = b"PAR1"
MAX_FOOTER_BYTES = 1 << 18
MAX_PAGE_HEADER_BYTES = 1 << 14
MAX_PAGES = 1 << 12
MAX_DEPTH = 16
# Each value may repeat the start of the one before it, so that a few bytes stand for any amount of text.
DELTA_BYTE_ARRAY = 7

_STOP, _TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(13)
_INTEGERS = {_I16, _I32, _I64}
_LONG_LIST = 15
_DOUBLE_BYTES = 8
_TAIL_BYTES = 8

Value = int | bytes | list["Value"] | dict[int, "Value"]


class UnboundedParquetError(InputError):
    """A Parquet file is damaged, or does not let its size be told in advance."""

    code = "unbounded_parquet"


@dataclass(frozen=True, slots=True)
class ParquetBounds:
    """What a reader of the file must be ready for.

    Parameters
    ----------
    columns : tuple of str
        Names of the top-level columns, in order.
    rows : int
        The largest of what the footer, its row groups and the pages of any one column claim.
    expanded_bytes : int
        Bytes of all pages after decompression.
    """

    columns: tuple[str, ...]
    rows: int
    expanded_bytes: int


def parquet_bounds(content: bytes) -> ParquetBounds:
    """Tell what a Parquet file holds and expands to.

    Parameters
    ----------
    content : bytes
        The whole file.

    Returns
    -------
    ParquetBounds

    Raises
    ------
    UnboundedParquetError
        If the file is cut off or damaged where the walk leads, has more than 4,096 pages or a footer above 256 KiB, or
        uses an encoding whose expansion no header tells.

    Notes
    -----
    Cost: O(footer + pages); page contents are not read.
    """
    try:
        footer = _footer(content)
        columns = _columns(footer)
        groups = [_struct(group) for group in _items(footer, 4)]
        walk = _Walk(content)
        for group in groups:
            walk.group(group)
        rows = max(_size(footer, 3), sum(_size(group, 3) for group in groups), *walk.values.values(), 0)
    except (IndexError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, UnboundedParquetError):
            raise
        raise UnboundedParquetError("it is cut off or damaged; write it again") from error
    return ParquetBounds(columns=columns, rows=rows, expanded_bytes=walk.expanded_bytes)


class _Walk:
    """Visits every page of every column and keeps count."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.expanded_bytes = 0
        self.header_bytes = 0
        self.pages = 0
        self.values: dict[int, int] = {}

    def group(self, group: Mapping[int, Value]) -> None:
        for column, item in enumerate(_items(group, 1)):
            chunk = _struct(_struct(item)[3])
            start = _size(chunk, 11) if 11 in chunk else _size(chunk, 9)  # noqa: PLR2004  # the dictionary comes first
            if not len(PARQUET_MAGIC) <= start <= _size(chunk, 9):
                raise ValueError("a column starts at two places")
            end = start + _size(chunk, 7)
            if end > len(self.content):
                raise ValueError("a column is longer than the file")
            while start < end:
                start = self._page(start, column)
            if start != end:
                raise ValueError("a page is longer than its column")

    def _page(self, start: int, column: int) -> int:
        self.pages += 1
        reader = _Reader(self.content[start : start + MAX_PAGE_HEADER_BYTES], 0)
        header = reader.struct()
        self.header_bytes += reader.position
        if self.pages > MAX_PAGES or self.header_bytes > MAX_FOOTER_BYTES:
            raise UnboundedParquetError(f"it has more than {MAX_PAGES} pages; write it with the default page size")
        self.expanded_bytes += _size(header, 2)
        self.values[column] = self.values.get(column, 0) + _page_values(header)
        return start + reader.position + _size(header, 3)


class _Reader:
    """Reads the Thrift compact protocol from `content` at `position`."""

    def __init__(self, content: bytes, position: int) -> None:
        self.content = content
        self.position = position

    def struct(self, depth: int = 0) -> dict[int, Value]:
        if depth > MAX_DEPTH:
            raise ValueError("nested too deeply")
        fields: dict[int, Value] = {}
        number = 0
        while (head := self._byte()) != _STOP:
            number = number + (head >> 4) if head >> 4 else self._zigzag()
            fields[number] = self._value(head & 0x0F, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Value:
        if kind in {_TRUE, _FALSE}:
            return int(kind == _TRUE)
        if kind == _BYTE:
            return self._byte()
        if kind in _INTEGERS:
            return self._zigzag()
        if kind in {_DOUBLE, _BINARY}:
            return self._bytes(_DOUBLE_BYTES if kind == _DOUBLE else self._varint())
        return self._nested(kind, depth + 1)

    def _nested(self, kind: int, depth: int) -> Value:
        if kind == _STRUCT:
            return self.struct(depth)
        if kind not in {_LIST, _SET} or depth > MAX_DEPTH:
            raise ValueError(f"type {kind} at depth {depth} does not occur in Parquet")
        head = self._byte()
        size = head >> 4
        if size == _LONG_LIST:
            size = self._varint()
        if size > len(self.content) - self.position:
            raise ValueError("a list is longer than the file")
        item = head & 0x0F
        if item in {_TRUE, _FALSE}:
            item = _BYTE  # inside a list a boolean takes a byte
        return [self._value(item, depth) for _ in range(size)]

    def _byte(self) -> int:
        value = self.content[self.position]
        self.position += 1
        return value

    def _bytes(self, size: int) -> bytes:
        if size > len(self.content) - self.position:
            raise ValueError("a text is longer than the file")
        self.position += size
        return self.content[self.position - size : self.position]

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004  # the top bit says that more follows
                return value
        raise ValueError("a number is longer than 64 bits")

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)


def _footer(content: bytes) -> dict[int, Value]:
    if len(content) < _TAIL_BYTES + len(PARQUET_MAGIC) or content[-4:] != PARQUET_MAGIC:
        raise ValueError("the end of the file is missing")
    size = int.from_bytes(content[-8:-4], "little")
    if size > MAX_FOOTER_BYTES:
        raise UnboundedParquetError(f"its footer has {size} bytes; at most {MAX_FOOTER_BYTES} are read")
    start = len(content) - _TAIL_BYTES - size
    if start < len(PARQUET_MAGIC):
        raise ValueError("the footer is longer than the file")
    return _Reader(content[:-_TAIL_BYTES], start).struct()


def _columns(footer: Mapping[int, Value]) -> tuple[str, ...]:
    """Names of the children of the root; the schema is a tree in depth-first order."""
    elements = [_struct(element) for element in _items(footer, 2)]
    names = []
    index = 1
    while index < len(elements):
        names.append(_text(elements[index], 4))
        pending = 1
        while pending:
            pending += _size(elements[index], 5) - 1
            index += 1
    return tuple(names)


def _page_values(header: Mapping[int, Value]) -> int:
    """Count the rows that a page adds; a dictionary adds none."""
    for field, encoding in ((5, 2), (8, 4)):
        if field in header:
            page = _struct(header[field])
            if _size(page, encoding) == DELTA_BYTE_ARRAY:
                raise UnboundedParquetError("it uses the encoding DELTA_BYTE_ARRAY; write it with the default encoding")
            return _size(page, 1)
    return 0


def _size(fields: Mapping[int, Value], number: int) -> int:
    value = fields.get(number, 0)
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"field {number} is no size")
    return value


def _items(fields: Mapping[int, Value], number: int) -> list[Value]:
    value = fields.get(number, [])
    if not isinstance(value, list):
        raise TypeError(f"field {number} is no list")
    return value


def _struct(value: Value) -> dict[int, Value]:
    if not isinstance(value, dict):
        raise TypeError("not a structure")
    return value


def _text(fields: Mapping[int, Value], number: int) -> str:
    value = fields.get(number)
    if not isinstance(value, bytes):
        raise TypeError(f"field {number} is no text")
    return value.decode()
