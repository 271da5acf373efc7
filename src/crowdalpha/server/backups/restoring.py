"""A platform from its backup, where there was none."""

import os
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import URL

from crowdalpha.errors import InputError
from crowdalpha.server.backups.archive import Archive, BackupSummary, opened_archive
from crowdalpha.server.backups.database import demand_empty, restore_database
from crowdalpha.server.blobs import open_blobs
from crowdalpha.server.db.embedded import embedded_database
from crowdalpha.server.db.engine import driver_url
from crowdalpha.server.db.migrate import migrate
from crowdalpha.server.settings import Settings

__all__ = ["restore_backup"]


def restore_backup(path: Path, settings: Settings) -> BackupSummary:
    """Fill an empty platform from a backup; one that was cut off can be called again.

    Raises
    ------
    InputError
        If the archive is damaged, or there is a platform already.
    ServerError
        If the database cannot be filled.
    """
    ready = settings.data_dir / "postgres.ready"
    if settings.database_url is None and ready.exists():
        raise InputError(f"{settings.data_dir} holds a platform; restore into another folder with --data-dir")
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with opened_archive(path) as archive:
        if settings.database_url is not None:
            demand_empty(driver_url(settings.database_url))
        _restore_files(archive, settings)
        fill = _filler(archive)
        if settings.database_url is None:
            # prepared under the lock of a first start: a folder that was half filled is emptied by the next one
            with embedded_database(settings.data_dir / "postgres", prepare=fill):
                pass
        else:
            fill(driver_url(settings.database_url))
        return archive.summary


def _filler(archive: Archive) -> Callable[[URL], None]:
    def fill(url: URL) -> None:
        restore_database(url, archive.database)
        migrate(url)

    return fill


def _restore_files(archive: Archive, settings: Settings) -> None:
    blobs = open_blobs(settings.blob_url, folder=settings.data_dir / "blobs")
    for sha256 in archive.blobs:
        if blobs.put_file(archive.blob(sha256)) != sha256:
            raise InputError(f"blob {sha256} of the backup has another content; use another backup")
    for name, content in archive.secrets.items():
        target = settings.data_dir / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
