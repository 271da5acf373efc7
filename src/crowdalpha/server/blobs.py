"""Content-addressed storage: bytes in, SHA-256 out, the same bytes back.

A blob never changes and is never written twice, so that every call is safe to repeat. The store
writes beside the target and renames, so that a killed process leaves no half-written blob.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

from crowdalpha.server.errors import BlobDamaged, BlobNotFound

__all__ = ["BlobStore", "open_blobs"]

CHUNK = 1 << 20
HEX_DIGITS = 64
SHARD = 2  # first hex digits of the hash name the folder: 256 folders


class BlobStore:
    """Blobs of one object store, addressed by the SHA-256 of their content."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def put(self, content: bytes) -> str:
        """Store content and return its SHA-256; content that is there already is left alone."""
        sha256 = hashlib.sha256(content).hexdigest()
        if not self.has(sha256):
            obstore.put(self._store, _path(sha256), content)
        return sha256

    def put_file(self, path: Path) -> str:
        """Store the content of a file, streamed, and return its SHA-256."""
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        if not self.has(sha256):
            obstore.put(self._store, _path(sha256), path)
        return sha256

    def get(self, sha256: str) -> bytes:
        """Return the content of that hash, checked; `BlobNotFound` or `BlobDamaged` otherwise."""
        try:
            content = obstore.get(self._store, _path(sha256)).bytes().to_bytes()
        except FileNotFoundError as error:
            raise BlobNotFound(sha256) from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise BlobDamaged(sha256)
        return content

    def all(self) -> Iterator[str]:
        """Give the SHA-256 of everything that is stored, in no order."""
        for batch in obstore.list(self._store):
            for entry in batch:
                name = entry["path"].rpartition("/")[2]
                if len(name) == HEX_DIGITS:
                    yield name

    def has(self, sha256: str) -> bool:
        """Whether content of that hash is stored."""
        try:
            obstore.head(self._store, _path(sha256))
        except FileNotFoundError:
            return False
        return True

    def size(self, sha256: str) -> int:
        """Return the number of bytes of the content of that hash, or refuse with `BlobNotFound`."""
        try:
            return obstore.head(self._store, _path(sha256))["size"]
        except FileNotFoundError as error:
            raise BlobNotFound(sha256) from error

    def chunks(self, sha256: str, *, start: int, end: int) -> Iterator[bytes]:
        """Read the bytes from `start` up to `end` of the content of that hash, in pieces; they are not checked."""
        for place in range(start, end, CHUNK):
            stop = min(place + CHUNK, end)
            yield obstore.get_range(self._store, _path(sha256), start=place, end=stop).to_bytes()


def open_blobs(url: str | None, *, folder: Path) -> BlobStore:
    """Open the object store at `url`, or the local folder when there is no URL."""
    if url is not None:
        return BlobStore(from_url(url))
    return BlobStore(LocalStore(folder, mkdir=True))


def _path(sha256: str) -> str:
    return f"{sha256[:SHARD]}/{sha256}"
