"""HTTP of files: whole, or the range that a client still lacks."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from crowdalpha.server.kit.depends import Now, PlatformOf
from crowdalpha.server.kit.files import send_blob
from crowdalpha.server.numerai.links import FileLink, check_link

__all__ = ["router"]

router = APIRouter(include_in_schema=False)


@router.api_route("/files/{sha256}/{filename}", methods=["GET", "HEAD"])
def download(
    request: Request,
    platform: PlatformOf,
    now: Now,
    sha256: str,
    filename: str,
    expires: Annotated[int, Query(ge=0, le=1 << 40)],
    signature: Annotated[str, Query(max_length=64)],
) -> Response:
    """Send a file, or the range that is asked for; never compressed, because clients compare lengths."""
    check_link(FileLink(sha256, filename, expires), signature=signature, key=platform.signing_key, now=now)
    return send_blob(request, platform.blobs, sha256=sha256, filename=filename)
