"""HTTP of uploads: a place for a file, and the file itself, streamed to disk within limits."""

import asyncio
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from crowdalpha.errors import InputError
from crowdalpha.rules.ids import AccountId
from crowdalpha.server.bootstrap import Platform
from crowdalpha.server.errors import TooLarge
from crowdalpha.server.keys.service import Caller
from crowdalpha.server.kit.depends import Clock, MaybeCaller, Now, PlatformOf, SessionOf, allowed
from crowdalpha.server.settings import Settings
from crowdalpha.server.uploads import service
from crowdalpha.server.uploads.schemas import UploadIn, UploadOut

__all__ = ["router"]

router = APIRouter(prefix="/uploads", tags=["uploads"])


@router.post("", status_code=201)
def open_upload(
    session: SessionOf,
    caller: Annotated[Caller, Depends(allowed("upload_submission"))],
    request: Request,
    body: UploadIn,
    now: Now,
) -> UploadOut:
    """Ask for a place for one file."""
    upload = service.open_upload(session, account_id=caller.account_id, filename=body.filename, now=now)
    return UploadOut.of(upload, url=str(request.url_for("put_upload", token=upload.token)))


@router.put("/{token}", status_code=204)
async def put_upload(platform: PlatformOf, caller: MaybeCaller, request: Request, token: str) -> None:
    """Put the bytes of a file in its place; the token is enough, a key is not needed."""
    account_id = None if caller is None else caller.account_id
    await run_in_threadpool(_expect, platform, request.app.state.clock, token, account_id)
    with TemporaryDirectory(prefix="crowdalpha-upload-") as folder:
        path = Path(folder) / "file"
        await _receive(request, path, platform.settings)
        await run_in_threadpool(_store, platform, request.app.state.clock, token, path)


def _expect(platform: Platform, clock: Clock, token: str, account_id: AccountId | None) -> None:
    """Refuse before the bytes come, not after."""
    with platform.session() as session:
        service.expect_upload(session, token=token, account_id=account_id, now=clock())


def _store(platform: Platform, clock: Clock, token: str, path: Path) -> None:
    with platform.session() as session:
        service.store_upload(session, blobs=platform.blobs, token=token, path=path, now=clock())


async def _receive(request: Request, path: Path, settings: Settings) -> None:
    """Write the body of a request to a file; refuses one that is too long or too slow."""
    limit = settings.upload_max_bytes
    if int(request.headers.get("content-length") or 0) > limit:
        raise _too_large(limit)
    try:
        async with asyncio.timeout(settings.upload_timeout.total_seconds()):
            await _write(request, path, limit=limit, pause=settings.upload_pause)
    except TimeoutError as error:
        raise InputError(
            f"the upload was too slow: {settings.upload_timeout} in all and {settings.upload_pause} without a byte are "
            "allowed; put the file again"
        ) from error
    except ClientDisconnect as error:
        raise InputError("the upload was cut off; put the file again") from error


async def _write(request: Request, path: Path, *, limit: int, pause: timedelta) -> None:
    chunks = aiter(request.stream())
    n_bytes = 0
    with path.open("wb") as file:
        while True:
            async with asyncio.timeout(pause.total_seconds()):
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            n_bytes += len(chunk)
            if n_bytes > limit:
                raise _too_large(limit)
            await run_in_threadpool(file.write, chunk)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the upload has more than {limit} bytes; put the predictions alone, as Parquet")
