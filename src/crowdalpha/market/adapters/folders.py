"""Folders and archives of price files, a file a ticker or a market."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

from crowdalpha.market.adapters.files import Blob
from crowdalpha.market.checks import PriceFileError

__all__ = ["MAX_EXPANDED_BYTES", "files_in", "is_archive"]

SUFFIXES = (".csv", ".txt", ".parquet", ".pq")
ZIP_MAGIC = b"PK\x03\x04"
MAX_EXPANDED_BYTES = 16 << 30


def is_archive(path: Path) -> bool:
    """Tell a zip archive by its first bytes."""
    try:
        with path.open("rb") as file:
            return file.read(len(ZIP_MAGIC)) == ZIP_MAGIC
    except OSError:
        return False


def files_in(source: Path, *, limit_bytes: int = MAX_EXPANDED_BYTES) -> Iterator[Path | Blob]:
    """Give the price files of a folder or a zip archive, in the order of their names.

    Parameters
    ----------
    source : Path
        Folder, searched to the bottom, or archive. Files that do not end in .csv, .txt, .parquet or .pq are left
        out.
    limit_bytes : int, default=16 GiB
        Most that the files of an archive may hold together.

    Yields
    ------
    Path or Blob
        A file at a time, so that an archive is never in memory as a whole; empty files too.

    Raises
    ------
    PriceFileError
        If there is no such file, or the archive cannot be read or expands beyond the limit.

    Notes
    -----
    Cost: O(files), and the bytes of one file at a time.
    """
    if source.is_dir():
        paths = sorted(path for path in source.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
        if not paths:
            raise PriceFileError(source.name, f"is a folder without a file that ends in {', '.join(SUFFIXES)}")
        yield from paths
        return
    try:
        with zipfile.ZipFile(source) as archive:
            yield from _members(archive, source.name, limit_bytes)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as cause:
        raise PriceFileError(source.name, f"is an archive that cannot be read ({cause})") from cause


def _members(archive: zipfile.ZipFile, name: str, limit_bytes: int) -> Iterator[Blob]:
    found = [each for each in archive.infolist() if each.filename.lower().endswith(SUFFIXES)]
    if not found:
        raise PriceFileError(name, f"is an archive without a file that ends in {', '.join(SUFFIXES)}")
    # the sizes in the directory are what the reader stops at, so they can be trusted here
    total = sum(each.file_size for each in found)
    if total > limit_bytes:
        problem = f"expands to {total} bytes, over the limit of {limit_bytes}; unpack it and give the folder"
        raise PriceFileError(name, problem)
    for each in sorted(found, key=lambda member: member.filename):
        yield Blob(each.filename.rpartition("/")[2], archive.read(each))
