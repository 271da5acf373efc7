"""What the routes of datasets give."""

from crowdalpha.server.blobs import BlobStore
from crowdalpha.server.datasets.service import MANIFEST, Dataset
from crowdalpha.server.kit.shapes import Moment, Out

__all__ = ["DatasetOut", "FileOut"]


class FileOut(Out):
    """A file of a dataset; `sha256` is also its entity tag."""

    name: str
    sha256: str
    n_bytes: int


class DatasetOut(Out):
    """A published version of the data."""

    version: str
    manifest_sha256: str
    published_at: Moment
    files: list[FileOut]

    @classmethod
    def of(cls, dataset: Dataset, *, blobs: BlobStore) -> "DatasetOut":
        """Show a version, with its manifest first."""
        files = {MANIFEST: dataset.manifest_sha256, **dataset.files}
        return cls(
            version=dataset.version,
            manifest_sha256=dataset.manifest_sha256,
            published_at=dataset.published_at,
            files=[FileOut(name=name, sha256=sha256, n_bytes=blobs.size(sha256)) for name, sha256 in files.items()],
        )
