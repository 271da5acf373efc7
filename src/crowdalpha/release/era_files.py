"""Parquet files with one row group an era, written era by era: memory does not grow with their number.

polars writes each era; here its row group is moved behind the others and one footer is written for all. The footer
holds the columns, their types and where the data lie. It says nothing else: no statistics of any column but `era`
(whose extremes are the label itself, and let a reader skip the other eras), no schema of another library, no version
of the writer, no time.
"""

import io
from pathlib import Path
from types import TracebackType
from typing import Self

import polars as pl

from crowdalpha.release.errors import ReleaseError
from crowdalpha.release.manifest import FileEntry, file_entry
from crowdalpha.release.thrift import BINARY, I32, I64, LIST, STRUCT, Field, Items, Struct, read_struct, write_struct

__all__ = ["EraFile", "write_table"]

_MAGIC = b"PAR1"
_TAIL_BYTES = 8
_SIZES = 1024
_WRITER = b"crowdalpha"
_FORMAT = 1
# Fields of `parquet.thrift`.
_VERSION, _SCHEMA, _ROWS, _GROUPS, _CREATED_BY, _ORDERS = 1, 2, 3, 4, 6, 7
_GROUP_COLUMNS, _GROUP_BYTES, _GROUP_ROWS = 1, 2, 3
_CHUNK_META = 3
_PATH, _DATA_PAGE, _DICTIONARY_PAGE, _STATISTICS = 3, 9, 11, 12
_KEPT_OF_CHUNK = {1, 2, 3, 4, 5, 6, 7, _DATA_PAGE, _DICTIONARY_PAGE, 13}
_CHUNK_OFFSET = 2


class EraFile:
    """A Parquet file under construction; use it in a `with` block.

    Parameters
    ----------
    path : Path
        The file to make. It is whole when the block ends without an error.
    number : int, optional
        Of the round that the file is of. The size of the file is then this number modulo 1024 above a multiple of
        1024: clients of the field take a file that has the size of the one they have for the same file.
    """

    def __init__(self, path: Path, *, number: int | None = None) -> None:
        self.path = path
        self.number = number
        self.rows = 0
        self._stream = path.open("wb")
        self._stream.write(_MAGIC)
        self._schema: Field | None = None
        self._orders: dict[int, Field] = {}
        self._groups: list[bytes] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stream:
            if kind is None:
                self._finish()

    def append(self, frame: pl.DataFrame) -> None:
        """Write the rows of one era as one row group.

        Raises
        ------
        ReleaseError
            If columns or types differ from those of the eras before.
        """
        written = io.BytesIO()
        frame.write_parquet(
            written, compression="zstd", statistics=False, row_group_size=max(frame.height, 1), use_pyarrow=False
        )
        content = written.getbuffer()
        end = len(content) - _TAIL_BYTES - int.from_bytes(content[-_TAIL_BYTES:-4], "little")
        footer = read_struct(bytes(content[end:-_TAIL_BYTES]))
        schema = footer.fields[_SCHEMA]
        if self._schema is not None and schema != self._schema:
            raise ReleaseError(f"{self.path.name}: an era has other columns or types than the eras before")
        self._schema = schema
        # Without the order of each column a reader may not trust extremes.
        self._orders = {_ORDERS: footer.fields[_ORDERS]} if _ORDERS in footer.fields else {}
        shift = self._stream.tell() - len(_MAGIC)
        groups = footer.structs(_GROUPS) if frame.height else []
        # As bytes, which are a fiftieth of the objects: the footer of many eras and columns is large.
        self._groups += [write_struct(_moved(group, shift, extremes=_extremes(frame))) for group in groups]
        self._stream.write(content[len(_MAGIC) : end])
        self.rows += frame.height

    def entry(self) -> FileEntry:
        """Measure the finished file for the manifest."""
        return file_entry(self.path, rows=self.rows)

    def _finish(self) -> None:
        if self._schema is None:
            raise ReleaseError(f"{self.path.name}: no rows were given, so that its columns are not known")
        footer = Struct(
            {
                _VERSION: Field(I32, _FORMAT),
                _SCHEMA: self._schema,
                _ROWS: Field(I64, self.rows),
                _GROUPS: Field(LIST, Items(STRUCT, tuple(self._groups))),
                _CREATED_BY: Field(BINARY, _WRITER),
                **self._orders,
            }
        )
        content = write_struct(footer)
        if self.number is not None:
            size = self._stream.tell() + len(content) + _TAIL_BYTES
            self._stream.write(bytes((self.number - size) % _SIZES))
        self._stream.write(content + len(content).to_bytes(4, "little") + _MAGIC)


def write_table(path: Path, frame: pl.DataFrame) -> FileEntry:
    """Write a frame whole, as one row group.

    Parameters
    ----------
    path : Path
        The file to make.
    frame : DataFrame
        Any columns; no rows are possible.

    Returns
    -------
    FileEntry
        For the manifest.
    """
    with EraFile(path) as file:
        file.append(frame)
    return file.entry()


def _extremes(frame: pl.DataFrame) -> Field | None:
    """Give the statistics of the column `era`: no nulls, its largest and its smallest label."""
    if "era" not in frame.columns or not frame.height:
        return None
    low, high = (str(label).encode() for label in (frame["era"].min(), frame["era"].max()))
    return Field(STRUCT, Struct({3: Field(I64, 0), 5: Field(BINARY, high), 6: Field(BINARY, low)}))


def _moved(group: Struct, shift: int, *, extremes: Field | None) -> Struct:
    """Give a row group that lies `shift` bytes further on, without what tells more than where its data are."""
    columns = tuple(_moved_chunk(chunk, shift, extremes) for chunk in group.structs(_GROUP_COLUMNS))
    return Struct(
        {
            _GROUP_COLUMNS: Field(LIST, Items(STRUCT, columns)),
            _GROUP_BYTES: group.fields[_GROUP_BYTES],
            _GROUP_ROWS: group.fields[_GROUP_ROWS],
        }
    )


def _moved_chunk(chunk: Struct, shift: int, extremes: Field | None) -> Struct:
    meta = chunk.struct(_CHUNK_META)
    kept = {number: each for number, each in meta.fields.items() if number in _KEPT_OF_CHUNK}
    for number in {_DATA_PAGE, _DICTIONARY_PAGE} & set(kept):
        kept[number] = Field(I64, meta.integer(number) + shift)
    if extremes is not None and meta.fields[_PATH].value == Items(BINARY, (b"era",)):
        kept[_STATISTICS] = extremes
    start = chunk.integer(_CHUNK_OFFSET)
    offset = Field(I64, start + shift if start else 0)
    return Struct({_CHUNK_OFFSET: offset, _CHUNK_META: Field(STRUCT, Struct(kept))})
