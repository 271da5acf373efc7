"""HTTP of files: whole, or the range that a client still lacks."""

import re
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from crowdalpha.server.kit.depends import Now, PlatformOf
from crowdalpha.server.numerai.links import FileLink, check_link

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
PARQUET = "application/vnd.apache.parquet"


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
    size, etag = platform.blobs.size(sha256), f'"{sha256}"'
    headers = {"Accept-Ranges": "bytes", "ETag": etag, "Cache-Control": "private, no-transform"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    asked = request.headers.get("range") if request.headers.get("if-range", etag) == etag else None
    part = None if asked is None else RANGE.fullmatch(asked)
    start, end = (0, size) if part is None else _bounds(part, size)
    if start >= end and part is not None:
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{size}"})
    headers["Content-Length"] = str(end - start)
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    media_type = PARQUET if filename.endswith(".parquet") else "application/octet-stream"
    status = 200 if part is None else 206
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=media_type)
    content = platform.blobs.chunks(sha256, start=start, end=end)
    return StreamingResponse(content, status_code=status, headers=headers, media_type=media_type)


def _bounds(part: re.Match[str], size: int) -> tuple[int, int]:
    """Read a range as (first byte, byte after the last); `-n` is the last n bytes."""
    first, last = part[1], part[2]
    if not first:
        return (max(size - int(last), 0), size) if last else (0, 0)
    return int(first), min(int(last) + 1, size) if last else size
