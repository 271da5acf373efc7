"""Publish and read versions of the data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from sqlalchemy.orm import Session

from crowdalpha.release import verify_manifest
from crowdalpha.rules.errors import Conflict, NotFound
from crowdalpha.rules.ids import RoundNumber
from crowdalpha.server.blobs import BlobStore
from crowdalpha.server.datasets import repository
from crowdalpha.server.db.tables import DatasetRow
from crowdalpha.server.log import get_log

__all__ = [
    "MANIFEST",
    "Dataset",
    "blob_of",
    "get_dataset",
    "get_live",
    "is_live",
    "list_datasets",
    "live_version",
    "publish",
]

log = get_log(__name__)

MANIFEST = "manifest.json"
"""The file that says what the others hold."""
LIVE_PREFIX = "round-"


@dataclass(frozen=True, slots=True)
class Dataset:
    """A published version: `files` gives each file's blob."""

    version: str
    manifest_sha256: str
    files: Mapping[str, str]
    published_at: datetime


def publish(session: Session, *, blobs: BlobStore, directory: Path, version: str, now: datetime) -> Dataset:
    """Store the files of a folder as blobs and give them a version for good.

    Raises
    ------
    ManifestError
        If a file is not what the folder's manifest says.
    Conflict
        If the version was published with other files.
    """
    manifest = verify_manifest(directory)
    row = DatasetRow(
        version=version,
        manifest_sha256=blobs.put_file(directory / MANIFEST),
        files={name: blobs.put_file(directory / name) for name in sorted(manifest.files)},
        published_at=now,
    )
    if repository.add(session, row):
        log.info("dataset_published", version=version, manifest_sha256=row.manifest_sha256)
        return _dataset(row)
    found = get_dataset(session, version)
    if found.manifest_sha256 != row.manifest_sha256:
        raise Conflict(f"dataset {version} was published with other files; give the new ones a new version")
    return found


def live_version(number: RoundNumber) -> str:
    """Name the version that the live files of a round are published as."""
    return f"{LIVE_PREFIX}{number}"


def get_live(session: Session, number: RoundNumber) -> Dataset:
    """Read the live files of a round, or refuse with `NotFound` if they are not out."""
    row = repository.find(session, live_version(number))
    if row is None:
        raise NotFound("set of live files of round", number)
    return _dataset(row)


def blob_of(dataset: Dataset, name: str) -> str:
    """Give the hash of a file of a dataset, its manifest too, or refuse with `NotFound`."""
    found = dataset.manifest_sha256 if name == MANIFEST else dataset.files.get(name)
    if found is None:
        raise NotFound(f"file in {dataset.version}:", name)
    return found


def get_dataset(session: Session, version: str) -> Dataset:
    """Read a version, or refuse with `NotFound`."""
    row = repository.find(session, version)
    if row is None:
        raise NotFound("dataset", version)
    return _dataset(row)


def get_published(session: Session, version: str) -> Dataset:
    """Read a version that everybody may have at any time; live files are asked for by their round."""
    if is_live(version):
        raise NotFound("dataset", version)
    return get_dataset(session, version)


def list_datasets(session: Session) -> list[Dataset]:
    """List every version by its name."""
    return [_dataset(row) for row in repository.list_all(session)]


def is_live(version: str) -> bool:
    """Tell whether a version holds the files of one round, which are out when that round has opened."""
    return version.startswith(LIVE_PREFIX)


def _dataset(row: DatasetRow) -> Dataset:
    return Dataset(
        version=row.version,
        manifest_sha256=row.manifest_sha256,
        files=MappingProxyType(dict(row.files)),
        published_at=row.published_at,
    )
