"""Bytes through a library that reads and writes only by path."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from crowdalpha.release.sealed.library import Context, Saved, Stored

__all__ = ["from_bytes", "to_bytes"]


def to_bytes(source: Saved) -> bytes:
    """Take the serialised form of an object; nothing touches a disk where the system has memory files.

    Parameters
    ----------
    source : object with `save(path)`
        What the library made.

    Returns
    -------
    bytes
        Its serialised form.
    """
    with _memory_file() as (descriptor, path):
        source.save(path)
        os.lseek(descriptor, 0, os.SEEK_SET)
        with os.fdopen(os.dup(descriptor), "rb") as stream:
            return stream.read()


def from_bytes(target: Stored, context: Context, raw: bytes) -> None:
    """Fill an object from its serialised form.

    Parameters
    ----------
    target : object with `load(context, path)`
        An empty object.
    context : Context
        Decides what is valid.
    raw : bytes
        The serialised form.

    Raises
    ------
    RuntimeError, ValueError
        Of the library, if the bytes are not an object of that context. Callers translate it.
    """
    with _memory_file() as (descriptor, path):
        with os.fdopen(os.dup(descriptor), "wb") as stream:
            stream.write(raw)
        target.load(context, path)


@contextmanager
def _memory_file() -> Iterator[tuple[int, str]]:
    """Open a file without a name; where the system has none, a private temporary one, overwritten when done."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("sealed")
        try:
            yield descriptor, f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
        return
    descriptor, path = tempfile.mkstemp(prefix="sealed")  # mode 0600
    try:
        yield descriptor, path
    finally:
        size = os.fstat(descriptor).st_size
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, bytes(size))
        os.close(descriptor)
        os.unlink(path)  # noqa: PTH108  # the module works with descriptors and paths of the system
