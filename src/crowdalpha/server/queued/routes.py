"""HTTP of waiting submissions."""

from typing import Annotated

from fastapi import APIRouter, Depends

from crowdalpha.rules.hashing import Json
from crowdalpha.server.kit.depends import Now, PlatformOf, SessionOf, allowed
from crowdalpha.server.kit.ids import ModelIdOf
from crowdalpha.server.models.service import own_model
from crowdalpha.server.queued import service
from crowdalpha.server.queued.schemas import WaitingOut
from crowdalpha.server.replays.service import once
from crowdalpha.server.roles import Caller
from crowdalpha.server.submissions.routes import Key
from crowdalpha.server.submissions.sent import SENT_BODY, SentOf, file_of

__all__ = ["router"]

router = APIRouter(prefix="/models/{model_id}/queue", tags=["submissions"])


@router.post("", status_code=202, openapi_extra=SENT_BODY)
def queue_submission(
    session: SessionOf,
    platform: PlatformOf,
    caller: Annotated[Caller, Depends(allowed("upload_submission"))],
    model_id: ModelIdOf,
    sent: SentOf,
    now: Now,
    key: Key = None,
) -> WaitingOut:
    """Keep a file for the next round of one of the caller's models; `round` says nothing here.

    It is read when that round opens. Ids of an obfuscated tournament are new in every round: a file that was made
    before cannot have them, and is refused then.
    """
    model = own_model(session, model_id, account_id=caller.account_id)

    def keep() -> dict[str, Json]:
        file = file_of(session, platform, sent, account_id=caller.account_id, now=now)
        waiting = service.queue(
            session,
            blobs=platform.blobs,
            model_id=model.id,
            content=file.content,
            filename=file.filename,
            source=sent.source,
            trigger_id=sent.trigger_id,
            now=now,
        )
        return WaitingOut.model_validate(waiting).model_dump(mode="json")

    request = {"queue": model_id, **sent.to_json()}
    given = once(session, account_id=caller.account_id, key=key, request=request, answer=keep, now=now)
    return WaitingOut.model_validate(given, by_name=True)


@router.get("")
def list_queue(
    session: SessionOf, caller: Annotated[Caller, Depends(allowed("read_submission_info"))], model_id: ModelIdOf
) -> list[WaitingOut]:
    """List what waits for the next round of one of the caller's models, and what became of what waited before."""
    model = own_model(session, model_id, account_id=caller.account_id)
    return [WaitingOut.model_validate(each) for each in service.list_waiting(session, model.id)]
