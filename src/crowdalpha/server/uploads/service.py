"""Give out places for files, fill them, and take what is in them, each once."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath

from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.rules.errors import Conflict, NotFound
from crowdalpha.rules.ids import AccountId
from crowdalpha.server.accounts.service import get_account
from crowdalpha.server.blobs import BlobStore
from crowdalpha.server.db.tables import UploadRow
from crowdalpha.server.errors import TooManyRequests
from crowdalpha.server.log import get_log
from crowdalpha.server.uploads import repository

__all__ = [
    "MAX_FILENAME",
    "UPLOAD_LIFE",
    "TakenUpload",
    "Upload",
    "expect_upload",
    "open_upload",
    "store_upload",
    "take_upload",
    "valid_filename",
]

log = get_log(__name__)

MAX_FILENAME = 200
"""Characters in the name of a file."""

UPLOAD_LIFE = timedelta(hours=6)
"""How long a place waits for its file, and the file for its use."""

MAX_WAITING = 200
TOKEN_BYTES, SUFFIX_BYTES = 32, 8


@dataclass(frozen=True, slots=True)
class Upload:
    """A place for one file; `filename` is the name that it is taken by, unlike any other of the account."""

    token: str = field(repr=False)
    filename: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class TakenUpload:
    """A file that was put in its place and is now used."""

    filename: str
    sha256: str
    n_bytes: int


def open_upload(session: Session, *, account_id: AccountId, filename: str, now: datetime) -> Upload:
    """Give an account a place for one file.

    Raises
    ------
    NotFound
        If there is no such account.
    InputError
        If the name is not that of a file alone.
    TooManyRequests
        If the account has too many places that it does not use.
    """
    get_account(session, account_id)
    path = PurePosixPath(valid_filename(filename))
    if repository.count_waiting(session, account_id, now=now) >= MAX_WAITING:
        raise TooManyRequests("uploads that wait to be used", retry_after=int(UPLOAD_LIFE.total_seconds()))
    row = UploadRow(
        token=secrets.token_urlsafe(TOKEN_BYTES),
        account_id=account_id,
        filename=f"{path.stem}-{secrets.token_hex(SUFFIX_BYTES)}{path.suffix}",
        created_at=now,
        expires_at=now + UPLOAD_LIFE,
    )
    repository.add(session, row)
    return _upload(row)


def expect_upload(
    session: Session, *, token: str, account_id: AccountId | None = None, now: datetime, lock: bool = False
) -> Upload:
    """Find the place that a token names, if a file may be put there now.

    With `account_id` it must be of that account; the token alone is enough otherwise, as it is for clients that
    put files without a key.

    Raises
    ------
    NotFound
        If there is no such place, it has expired, or it is another account's.
    Conflict
        If its file was used.
    """
    row = repository.find(session, token, lock=lock)
    if row is None or row.expires_at <= now or (account_id is not None and row.account_id != account_id):
        raise NotFound("upload", f"{token:.8}…; ask for a new place to put the file")
    if row.used_at is not None:
        raise Conflict(f"upload {row.filename} was used already; ask for a new place to put the file")
    return _upload(row)


def store_upload(session: Session, *, blobs: BlobStore, token: str, path: Path, now: datetime) -> Upload:
    """Put a file in its place; a repeat with the same content changes nothing.

    Raises
    ------
    NotFound
        If there is no such place, or it has expired.
    InputError
        If the file is empty.
    Conflict
        If the place has another file in it, or its file was used.
    """
    upload = expect_upload(session, token=token, now=now, lock=True)
    n_bytes = path.stat().st_size
    if n_bytes == 0:
        raise InputError(f"upload {upload.filename} has no bytes; put the file itself")
    sha256 = blobs.put_file(path)
    row = repository.find(session, token)
    if row is not None and row.sha256 not in (None, sha256):
        raise Conflict(f"upload {upload.filename} has another file in it; ask for a new place to put this one")
    repository.mark_stored(session, token, sha256=sha256, n_bytes=n_bytes)
    log.info("upload_stored", filename=upload.filename, sha256=sha256, n_bytes=n_bytes)
    return upload


def take_upload(session: Session, *, account_id: AccountId, filename: str, now: datetime) -> TakenUpload:
    """Take the file that an account put under this name, once; a rolled-back transaction has not taken it.

    Raises
    ------
    InputError
        If the account was given no such place, nothing was put there, it has expired, or it was used.
    """
    row = repository.find_by_filename(session, account_id=account_id, filename=filename)
    if row is None or row.sha256 is None or row.n_bytes is None or row.expires_at <= now:
        raise InputError(
            f"upload {filename!r:.{MAX_FILENAME}}: no file was put there; ask for a place, PUT the file to its URL, "
            "and use the name that came with the URL"
        )
    if row.used_at is not None:
        raise InputError(f"upload {filename!r:.{MAX_FILENAME}} was used already; upload the file again")
    repository.mark_used(session, row.token, now=now)
    return TakenUpload(row.filename, row.sha256, row.n_bytes)


def valid_filename(filename: str) -> str:
    """Check that a name is that of a file alone: no folders, printable, not too long."""
    if (
        not 0 < len(filename) <= MAX_FILENAME
        or not filename.isprintable()
        or any(mark in filename for mark in "/\\")
        or filename.strip(". ") == ""
    ):
        raise InputError(
            f"filename {filename!r:.60}: use 1 to {MAX_FILENAME} printable characters and no folders, "
            "such as predictions.csv"
        )
    return filename


def _upload(row: UploadRow) -> Upload:
    return Upload(token=row.token, filename=row.filename, expires_at=row.expires_at)
