"""What a client sends to be taken as a submission: a file in a form, or the name of one that it put in a place."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, cast

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from crowdalpha.errors import InputError
from crowdalpha.release.predictions import MAX_BYTES
from crowdalpha.rules.hashing import Json, sha256_hex
from crowdalpha.rules.ids import AccountId, RoundNumber
from crowdalpha.rules.rulebook import describe
from crowdalpha.server.bootstrap import Platform
from crowdalpha.server.errors import TooLarge
from crowdalpha.server.uploads.service import MAX_FILENAME, take_upload, valid_filename

__all__ = ["SENT_BODY", "File", "Sent", "SentOf", "file_of"]

MAX_FIELDS = 8
MALFORMED = 400  # what the framework says of a form that is none
FORM, JSON = "multipart/form-data", "application/json"


class Said(BaseModel):
    """What is said about a file, in the fields of a form or in JSON."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    round: int | None = Field(default=None, ge=0, le=2**62)
    source: str | None = Field(default=None, max_length=100)
    trigger_id: str | None = Field(default=None, max_length=100)


class SaidOfUpload(Said):
    """The same with the name of an uploaded file."""

    upload: str = Field(max_length=MAX_FILENAME)


@dataclass(frozen=True, slots=True)
class Sent:
    """A file or the name of an uploaded one, and what is said about it."""

    round: RoundNumber | None
    source: str | None
    trigger_id: str | None
    upload: str | None
    filename: str | None
    content: bytes | None

    def to_json(self) -> dict[str, Json]:
        """Give what makes this request the same as another."""
        return {
            "round": self.round,
            "source": self.source,
            "trigger_id": self.trigger_id,
            "upload": self.upload,
            "filename": self.filename,
            "sha256": None if self.content is None else sha256_hex(self.content),
        }


@dataclass(frozen=True, slots=True)
class File:
    """The file of a request, wherever it was."""

    filename: str
    content: bytes


async def read_sent(request: Request) -> Sent:
    """Read the body of a request by its type."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    platform = cast("Platform", request.app.state.platform)
    try:
        async with asyncio.timeout(platform.settings.upload_timeout.total_seconds()):
            if kind == FORM:
                return await _read_form(request)
            if kind == JSON:
                return _of_json(await request.body())
    except TimeoutError as error:
        raise InputError("the file came too slowly; ask for an upload and PUT it there") from error
    raise HTTPException(415, f"send {FORM} with the part `file`, or {JSON} with the name of an `upload`")


SentOf = Annotated[Sent, Depends(read_sent)]


def file_of(session: Session, platform: Platform, sent: Sent, *, account_id: AccountId, now: datetime) -> File:
    """Give the file that was sent, or take the uploaded one that was named.

    Raises
    ------
    InputError
        If no such file was uploaded.
    TooLarge
        If it has more bytes than a submission may have.
    """
    if sent.content is not None and sent.filename is not None:
        return File(sent.filename, sent.content)
    taken = take_upload(session, account_id=account_id, filename=sent.upload or "", now=now)
    if taken.n_bytes > MAX_BYTES:
        raise TooLarge(f"upload {taken.filename} has {taken.n_bytes} bytes; a submission has at most {MAX_BYTES}")
    return File(taken.filename, platform.blobs.get(taken.sha256))


async def _read_form(request: Request) -> Sent:
    try:
        async with request.form(max_files=1, max_fields=MAX_FIELDS) as form:
            parts: dict[str, object] = dict(form.multi_items())
            file = parts.pop("file", None)
            content = await file.read(MAX_BYTES + 1) if isinstance(file, UploadFile) else None
            filename = file.filename if isinstance(file, UploadFile) else None
    except HTTPException as error:
        if error.status_code != MALFORMED:
            raise
        raise InputError(f"the form cannot be read: {error.detail}") from error
    if content is None or not filename:
        raise InputError("file: send the predictions as the part `file` of the form, with a file name")
    if len(content) > MAX_BYTES:
        raise TooLarge(f"file: more than {MAX_BYTES} bytes; send the columns id and prediction alone, as Parquet")
    said = _valid(Said, {name: value for name, value in parts.items() if value != ""})
    return Sent(_number(said), said.source, said.trigger_id, None, valid_filename(filename), content)


def _of_json(body: bytes) -> Sent:
    try:
        said = SaidOfUpload.model_validate_json(body)
    except ValidationError as error:
        raise InputError(describe(error)) from error
    return Sent(_number(said), said.source, said.trigger_id, said.upload, None, None)


def _valid(kind: type[Said], parts: dict[str, object]) -> Said:
    try:
        return kind.model_validate(parts)
    except ValidationError as error:
        raise InputError(describe(error)) from error


def _number(said: Said) -> RoundNumber | None:
    return None if said.round is None else RoundNumber(said.round)


SENT_BODY: dict[str, object] = {
    "requestBody": {
        "required": True,
        "content": {
            FORM: {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "round": {"type": "integer", "minimum": 0},
                        "source": {"type": "string", "maxLength": 100},
                        "trigger_id": {"type": "string", "maxLength": 100},
                    },
                }
            },
            JSON: {
                "schema": {
                    "type": "object",
                    "required": ["upload"],
                    "additionalProperties": False,
                    "properties": {
                        "upload": {"type": "string", "maxLength": MAX_FILENAME},
                        "round": {"type": ["integer", "null"], "minimum": 0, "maximum": 2**62},
                        "source": {"type": ["string", "null"], "maxLength": 100},
                        "trigger_id": {"type": ["string", "null"], "maxLength": 100},
                    },
                },
                "example": {"upload": "predictions-3f2a9c0d1b2e4f5a.parquet"},
            },
        },
    }
}
"""What a route that takes a file declares: the document cannot be made from a body of two types."""
