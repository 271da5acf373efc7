"""Files as answers: whole, or the range that a client still lacks."""

import re
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from crowdalpha.server.blobs import BlobStore

__all__ = ["FILE_ANSWERS", "FOR_ALL", "FOR_ONE", "send_blob"]

RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
MEDIA_TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
}
BINARY = "application/octet-stream"

FOR_ALL = "public, max-age=31536000, immutable, no-transform"
"""How long a file that everybody may have can be kept: content under a hash never changes."""
FOR_ONE = "private, no-transform"
"""The same for a file that not everybody may have."""

FILE_ANSWERS: dict[int | str, dict[str, object]] = {
    200: {"description": "The file.", "content": {BINARY: {"schema": {"type": "string", "format": "binary"}}}},
    206: {"description": "The range that was asked for."},
    304: {"description": "The client has this content already."},
    416: {"description": "The file has no such range."},
}
"""What a route that sends a file declares."""


def send_blob(request: Request, blobs: BlobStore, *, sha256: str, filename: str, cache: str = FOR_ONE) -> Response:
    """Send a file, or the range that is asked for; never compressed, because clients compare lengths.

    Parameters
    ----------
    request : Request
        Its method and the headers `Range`, `If-Range` and `If-None-Match` are looked at.
    blobs : BlobStore
        Holds the file.
    sha256 : str
        Hash of the content, which is also its entity tag.
    filename : str
        What to save it as.
    cache : str
        How it may be kept.

    Raises
    ------
    BlobNotFound
        If the content is not stored.
    """
    size, etag = blobs.size(sha256), f'"{sha256}"'
    headers = {"Accept-Ranges": "bytes", "ETag": etag, "Cache-Control": cache}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    asked = request.headers.get("range") if request.headers.get("if-range", etag) == etag else None
    part = None if asked is None else RANGE.fullmatch(asked)
    start, end = (0, size) if part is None else _bounds(part, size)
    if start >= end and part is not None:
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{size}"})
    headers["Content-Length"] = str(end - start)
    headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(filename, safe='')}"
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    status = 200 if part is None else 206
    media_type = next((kind for ending, kind in MEDIA_TYPES.items() if filename.endswith(ending)), BINARY)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=media_type)
    content = blobs.chunks(sha256, start=start, end=end)
    return StreamingResponse(content, status_code=status, headers=headers, media_type=media_type)


def _bounds(part: re.Match[str], size: int) -> tuple[int, int]:
    """Read a range as (first byte, byte after the last); `-n` is the last n bytes."""
    first, last = part[1], part[2]
    if not first:
        return (max(size - int(last), 0), size) if last else (0, 0)
    return int(first), min(int(last) + 1, size) if last else size
