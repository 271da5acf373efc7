"""One file with all of a platform, and a manifest that says what each part must be.

    database.dump      as `pg_dump` writes it
    secrets/<name>     the keys that this platform generated
    blobs/<sha256>     every blob
    manifest.json      last: an archive without it was cut off

The database is read first, in one snapshot. A blob is written before the row that names it and never changes, so that
the blobs that are read after it are all that the snapshot names, and perhaps some more.
"""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from crowdalpha import __version__
from crowdalpha.errors import InputError
from crowdalpha.server.backups.database import dump_database
from crowdalpha.server.bootstrap import Platform

__all__ = ["Archive", "BackupSummary", "opened_archive", "write_backup"]

FORMAT = "crowdalpha.backup.v1"
MANIFEST, DATABASE, SECRETS, BLOBS = "manifest.json", "database.dump", "secrets", "blobs"
SECRET_SUFFIXES = (".key", ".secret")
MAX_MANIFEST = 1 << 30


@dataclass(frozen=True, slots=True)
class BackupSummary:
    """What an archive holds."""

    at: datetime
    version: str
    n_blobs: int
    n_secrets: int
    database_bytes: int


@dataclass(frozen=True, slots=True)
class Archive:
    """A verified archive, unpacked into a folder of its own."""

    summary: BackupSummary
    database: Path
    secrets: dict[str, bytes]
    folder: Path
    blobs: tuple[str, ...]

    def blob(self, sha256: str) -> Path:
        """Give the file of a blob."""
        return self.folder / BLOBS / sha256


def write_backup(platform: Platform, path: Path, *, now: datetime) -> BackupSummary:
    """Write a backup; the file appears when it is whole, readable by its owner alone.

    Raises
    ------
    InputError
        If there is such a file already.
    ServerError
        If the database cannot be dumped.
    """
    if path.exists():
        raise InputError(f"{path}: is there already; name another file")
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    hashes: dict[str, str] = {}
    try:
        with (
            TemporaryDirectory(prefix="crowdalpha-backup-") as folder,
            os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file,
            tarfile.open(fileobj=file, mode="w") as archive,
        ):
            dump = Path(folder) / DATABASE
            dump_database(platform.engine.url, dump)
            _add_file(archive, hashes, DATABASE, dump)
            secrets = _secrets_of(platform.settings.data_dir)
            for name in secrets:
                _add(archive, hashes, f"{SECRETS}/{name}", (platform.settings.data_dir / name).read_bytes())
            n_blobs = 0
            for sha256 in platform.blobs.all():
                _add(archive, hashes, f"{BLOBS}/{sha256}", platform.blobs.get(sha256))
                n_blobs += 1
            size = dump.stat().st_size
            facts = {"format": FORMAT, "at": now.isoformat(), "version": __version__, "files": hashes}
            _add(archive, {}, MANIFEST, json.dumps(facts, indent=1).encode())
            archive.close()
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)
    return BackupSummary(now, __version__, n_blobs, len(secrets), size)


@contextmanager
def opened_archive(path: Path) -> Iterator[Archive]:
    """Unpack an archive beside itself and verify every part, before anything of it is used.

    Raises
    ------
    InputError
        If it is no backup, was cut off, or a part is damaged; names the part.
    """
    with TemporaryDirectory(prefix=f".{path.name}.", dir=path.resolve().parent) as folder:
        root = Path(folder)
        hashes = _unpack(path, root)
        if MANIFEST not in hashes:
            raise InputError(f"{path}: has no manifest; the backup was cut off, or is none")
        facts = json.loads((root / MANIFEST).read_bytes())
        if facts.get("format") != FORMAT:
            raise InputError(
                f"{path}: is a backup of another format, {facts.get('format')}; use the version that wrote it"
            )
        wanted: dict[str, str] = facts["files"]
        damaged = [name for name, sha256 in wanted.items() if hashes.get(name) != sha256]
        if damaged:
            raise InputError(f"{path}: {damaged[0]} is damaged or missing ({len(damaged)} in all); use another backup")
        secrets = [name for name in wanted if name.startswith(f"{SECRETS}/")]
        blobs = tuple(name.removeprefix(f"{BLOBS}/") for name in wanted if name.startswith(f"{BLOBS}/"))
        database = root / DATABASE
        yield Archive(
            summary=BackupSummary(
                datetime.fromisoformat(facts["at"]), facts["version"], len(blobs), len(secrets), database.stat().st_size
            ),
            database=database,
            secrets={name.removeprefix(f"{SECRETS}/"): (root / name).read_bytes() for name in secrets},
            folder=root,
            blobs=blobs,
        )


def _secrets_of(data_dir: Path) -> list[str]:
    """Name the generated secrets of a data folder, those of the sealed track with their folder."""
    found = (path for path in data_dir.rglob("*") if path.suffix in SECRET_SUFFIXES and path.is_file())
    kept = (path.relative_to(data_dir) for path in found)
    return sorted(str(path) for path in kept if path.parts[0] not in {"postgres", "blobs", "demo"})


def _unpack(path: Path, root: Path) -> dict[str, str]:
    """Unpack regular files alone, and only to where an archive of ours has them; give their hashes."""
    hashes = {}
    try:
        with tarfile.open(path, mode="r:") as archive:
            for member in archive:
                file = archive.extractfile(member)
                target = (root / member.name).resolve()
                if file is None or not target.is_relative_to(root.resolve()):
                    raise InputError(f"{path}: {member.name!r} is no part of a backup")
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as out:
                    while block := file.read(1 << 20):
                        out.write(block)
                with target.open("rb") as written:
                    hashes[member.name] = hashlib.file_digest(written, "sha256").hexdigest()
    except (OSError, tarfile.TarError) as error:
        raise InputError(f"{path}: cannot be read as a backup: {error}") from error
    return hashes


def _add(archive: tarfile.TarFile, hashes: dict[str, str], name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o600
    archive.addfile(entry, io.BytesIO(content))
    hashes[name] = hashlib.sha256(content).hexdigest()


def _add_file(archive: tarfile.TarFile, hashes: dict[str, str], name: str, path: Path) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = path.stat().st_size, 0o600
    with path.open("rb") as file:
        archive.addfile(entry, file)
    with path.open("rb") as file:
        hashes[name] = hashlib.file_digest(file, "sha256").hexdigest()
