"""Writing a folder so that it is there whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from crowdalpha.release.errors import ManifestError, ReleaseError
from crowdalpha.release.manifest import MANIFEST_NAME, read_manifest, verify_manifest

__all__ = ["staged_folder"]


@contextmanager
def staged_folder(out: Path, *, replace: bool = False) -> Iterator[Path]:
    """Give a hidden sibling of `out` to write in, and rename it to `out` at the end.

    Parameters
    ----------
    out : Path
        The folder to make. One writer at a time.
    replace : bool, default=False
        Whether an existing `out` with another manifest is replaced. The old folder is moved aside first and removed
        last; when a process dies in between, the next call puts the old folder back before it does anything else.

    Yields
    ------
    Path
        The folder to write in. If the body raises, it is removed and `out` stays as it was. If `out` is whole and has
        the same manifest as what was written, it stays too.

    Raises
    ------
    ReleaseError
        If `out` holds something else and `replace` is false; at once where that can be told before the work.
    """
    part = out.with_name(f".{out.name}.part")
    old = out.with_name(f".{out.name}.old")
    _recover(out, part=part, old=old)
    if out.exists() and not replace and not (out / MANIFEST_NAME).is_file():
        raise _other(out)
    part.mkdir(parents=True)
    try:
        yield part
        if _same(part, out):
            return
        if out.exists() and not replace:
            raise _other(out)
        _sync(part)
        if out.exists():
            out.rename(old)
        part.rename(out)
        _sync_folder(out.parent)
    finally:
        _recover(out, part=part, old=old)


def _same(part: Path, out: Path) -> bool:
    with suppress(ManifestError):
        return verify_manifest(out) == read_manifest(part)
    return False


def _other(out: Path) -> ReleaseError:
    return ReleaseError(f"{out} exists and holds something else; choose another folder or ask to replace it")


def _recover(out: Path, *, part: Path, old: Path) -> None:
    if old.exists() and not out.exists():
        old.rename(out)
    for leftover in (part, old):
        if leftover.exists():
            shutil.rmtree(leftover)


def _sync(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        with path.open("rb") as stream:
            os.fsync(stream.fileno())
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
