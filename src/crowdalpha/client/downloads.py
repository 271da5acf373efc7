"""Files from a server: resumed where they stopped, checked against their hash, never half there.

Bytes go to `NAME.part` beside the target; a broken download is taken up where it ended, by any later call. Only a file
whose size and SHA-256 are those that the server named is moved to its name.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import httpx2

from crowdalpha.client.errors import DownloadDamaged, Refused, ServerUnreachable
from crowdalpha.client.transport import RETRIES, TRY_AGAIN, Transport

__all__ = ["Told", "download"]

PARTIAL = 206

Told = Callable[[int, int], None]
"""Told how many bytes are there, and how many there will be."""


def download(
    transport: Transport, path: str, target: Path, *, sha256: str, n_bytes: int, told: Told | None = None
) -> Path:
    """Bring one file, unless it is there already.

    Parameters
    ----------
    transport : Transport
        The server.
    path : str
        Address of the file there.
    target : Path
        Where it goes; its folder is made.
    sha256, n_bytes : str, int
        What it must be.
    told : callable, optional
        Told how far it is.

    Returns
    -------
    Path
        `target`, whole and checked.

    Raises
    ------
    DownloadDamaged
        If what came is not what was named; nothing is left of it.
    ServerUnreachable
        If the connection broke more often than is borne; the next call goes on from there.
    """
    tell = told or _silent
    if _is_whole(target, sha256=sha256, n_bytes=n_bytes):
        tell(n_bytes, n_bytes)
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    began_before = part.exists()
    _bring(transport, path, part, n_bytes=n_bytes, tell=tell)
    if began_before and not _is_whole(part, sha256=sha256, n_bytes=n_bytes):
        part.unlink(missing_ok=True)  # what lay there may have been of an older file of this name
        _bring(transport, path, part, n_bytes=n_bytes, tell=tell)
    if not _is_whole(part, sha256=sha256, n_bytes=n_bytes):
        part.unlink(missing_ok=True)
        raise DownloadDamaged(f"{target.name}: what came is not what the server named ({sha256}); download it again")
    part.replace(target)
    return target


def _bring(transport: Transport, path: str, part: Path, *, n_bytes: int, tell: Told) -> None:
    """Fill the partial file, going on after broken connections as long as each brings something new."""
    failures, most = 0, _size(part)
    part.touch()
    while (there := _size(part)) < n_bytes:
        try:
            _append(transport, path, part, n_bytes=n_bytes, tell=tell)
        except (httpx2.TransportError, Refused) as error:
            if isinstance(error, Refused) and error.status not in TRY_AGAIN:
                raise
            failures = 0 if _size(part) > most else failures + 1
            most = max(most, _size(part))
            if failures > RETRIES:
                raise ServerUnreachable(
                    f"the download of {part.stem} broke at {_size(part):,} of {n_bytes:,} bytes; run it again to go on"
                ) from error
            transport.sleep(2.0**failures / 4)
        else:
            if _size(part) <= there:
                return


def _append(transport: Transport, path: str, part: Path, *, n_bytes: int, tell: Told) -> None:
    there = _size(part)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={there}-"} if there else {})
    with transport.stream(path, headers) as answer:
        resumed = answer.status_code == PARTIAL
        with part.open("ab" if resumed else "wb") as file:
            for chunk in answer.iter_bytes():
                file.write(chunk)
                tell(file.tell(), n_bytes)
                if file.tell() > n_bytes:
                    return


def _is_whole(path: Path, *, sha256: str, n_bytes: int) -> bool:
    return path.exists() and path.stat().st_size == n_bytes and _hash_of(path) == sha256


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _silent(_done: int, _total: int) -> None:
    """Tell nobody."""
