"""An uncompressed zip in one form: given its members, every byte of it is fixed, so no byte can say anything else.

Any zip program reads it. Ours reads nothing but this form: no zip program's leniency decides what a file is.
"""

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

__all__ = ["Entry", "central_directory", "local_header", "read_first", "write_archive"]

LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_VERSION, _UNIX, _DAY = 20, 3 << 8, 0x21  # 1 January 1980
_MODE = 0o100644 << 16


@dataclass(frozen=True, slots=True)
class Entry:
    """A member.

    Parameters
    ----------
    name : str
        Its path, ASCII.
    size, crc, offset : int
        Bytes, checksum, and where its header begins.
    """

    name: str
    size: int
    crc: int
    offset: int

    @property
    def start(self) -> int:
        """Where its bytes begin."""
        return self.offset + LOCAL.size + len(self.name)


def local_header(entry: Entry) -> bytes:
    """Give what stands before a member's bytes."""
    fields = (b"PK\3\4", _VERSION, 0, 0, 0, _DAY, entry.crc, entry.size, entry.size, len(entry.name), 0)
    return LOCAL.pack(*fields) + entry.name.encode("ascii")


def central_directory(entries: Sequence[Entry]) -> bytes:
    """Give what stands behind all members."""
    listed = b"".join(
        _CENTRAL.pack(
            b"PK\1\2", _UNIX | _VERSION, _VERSION, 0, 0, 0, _DAY, entry.crc, entry.size, entry.size,
            len(entry.name), 0, 0, 0, 0, _MODE, entry.offset,
        )
        + entry.name.encode("ascii")
        for entry in entries
    )  # fmt: skip
    last = entries[-1]
    return listed + _END.pack(b"PK\5\6", 0, 0, len(entries), len(entries), len(listed), last.start + last.size, 0)


def write_archive(stream: IO[bytes], members: Mapping[str, bytes]) -> None:
    """Write members in their order.

    Parameters
    ----------
    stream : binary file
        Open for writing, empty.
    members : mapping of str to bytes
        At most 65,535, together below 4 GiB.

    Raises
    ------
    struct.error
        If there is more than the form holds.
    """
    entries: list[Entry] = []
    offset = 0
    for name, raw in members.items():
        entry = Entry(name, len(raw), zlib.crc32(raw), offset)
        stream.write(local_header(entry))
        stream.write(raw)
        offset = entry.start + entry.size
        entries.append(entry)
    stream.write(central_directory(entries))


def read_first(stream: IO[bytes], name: str, limit: int) -> tuple[Entry, bytes] | None:
    """Read the first member, if it has a name and is not above a size.

    Parameters
    ----------
    stream : binary file
        At its start.
    name : str
        What the member has to be called.
    limit : int
        Bytes it may have.

    Returns
    -------
    tuple of Entry and bytes, or None
        None if the file does not begin with such a member.
    """
    head = stream.read(LOCAL.size + len(name))
    if len(head) < LOCAL.size:
        return None
    crc, size = LOCAL.unpack(head[: LOCAL.size])[6:8]
    entry = Entry(name, size, crc, 0)
    if head != local_header(entry) or size > limit:
        return None
    raw = stream.read(size)
    return (entry, raw) if len(raw) == size and zlib.crc32(raw) == crc else None
