"""HTTP of datasets: what there is, and the files, whole or the range that a client still lacks."""

from fastapi import APIRouter, Request, Response

from crowdalpha.server.datasets import service
from crowdalpha.server.datasets.schemas import DatasetOut
from crowdalpha.server.kit.depends import PlatformOf, SessionOf
from crowdalpha.server.kit.files import FILE_ANSWERS, FOR_ALL, send_blob

__all__ = ["router"]

router = APIRouter(prefix="/datasets", tags=["datasets"])


@router.get("")
def list_datasets(session: SessionOf, platform: PlatformOf) -> list[DatasetOut]:
    """List every version by its name; live files are listed with their rounds."""
    found = [each for each in service.list_datasets(session) if not service.is_live(each.version)]
    return [DatasetOut.of(each, blobs=platform.blobs) for each in found]


@router.get("/{version}")
def get_dataset(session: SessionOf, platform: PlatformOf, version: str) -> DatasetOut:
    """Read a version and its files."""
    return DatasetOut.of(service.get_published(session, version), blobs=platform.blobs)


@router.head("/{version}/files/{name}", include_in_schema=False)
@router.get("/{version}/files/{name}", response_class=Response, responses=FILE_ANSWERS)
def download_file(request: Request, session: SessionOf, platform: PlatformOf, version: str, name: str) -> Response:
    """Fetch a file of a version, or a range of it."""
    sha256 = service.blob_of(service.get_published(session, version), name)
    return send_blob(request, platform.blobs, sha256=sha256, filename=name, cache=FOR_ALL)
