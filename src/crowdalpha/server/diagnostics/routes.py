"""HTTP of diagnostics of validation files."""

from typing import Annotated

from fastapi import APIRouter, Depends

from crowdalpha.rules.hashing import Json
from crowdalpha.server.diagnostics import service
from crowdalpha.server.diagnostics.schemas import DiagnosisOut
from crowdalpha.server.kit.depends import Now, PlatformOf, SessionOf, allowed
from crowdalpha.server.kit.ids import Id, ModelIdOf
from crowdalpha.server.models.service import own_model
from crowdalpha.server.replays.service import once
from crowdalpha.server.roles import Caller
from crowdalpha.server.submissions.routes import Key
from crowdalpha.server.submissions.sent import SENT_BODY, SentOf
from crowdalpha.server.uploads.service import take_upload

__all__ = ["router"]

router = APIRouter(tags=["diagnostics"])

Reading = Annotated[Caller, Depends(allowed("read_submission_info"))]


@router.post("/models/{model_id}/diagnostics", status_code=202, openapi_extra=SENT_BODY)
def request_diagnosis(
    session: SessionOf,
    platform: PlatformOf,
    caller: Annotated[Caller, Depends(allowed("upload_submission"))],
    model_id: ModelIdOf,
    sent: SentOf,
    now: Now,
    key: Key = None,
) -> DiagnosisOut:
    """Leave predictions of the validation part to be scored; `round` says nothing here.

    A worker scores them within minutes; upload a file that is larger than a submission may be first. The same file on
    the same data gives the same diagnosis.
    """
    model = own_model(session, model_id, account_id=caller.account_id)

    def ask() -> dict[str, Json]:
        if sent.content is not None and sent.filename is not None:
            filename, sha256 = sent.filename, platform.blobs.put(sent.content)
        else:
            taken = take_upload(session, account_id=caller.account_id, filename=sent.upload or "", now=now)
            filename, sha256 = taken.filename, taken.sha256
        asked = service.request_diagnosis(session, model_id=model.id, filename=filename, sha256=sha256, now=now)
        return DiagnosisOut.of(asked).model_dump(mode="json")

    request = {"diagnose": model_id, **sent.to_json()}
    given = once(session, account_id=caller.account_id, key=key, request=request, answer=ask, now=now)
    return DiagnosisOut.model_validate(given)


@router.get("/models/{model_id}/diagnostics")
def list_diagnoses(session: SessionOf, caller: Reading, model_id: ModelIdOf) -> list[DiagnosisOut]:
    """List the last diagnoses of one of the caller's models, newest first."""
    model = own_model(session, model_id, account_id=caller.account_id)
    found = service.list_diagnoses(session, account_id=caller.account_id, model_id=model.id)
    return [DiagnosisOut.of(each) for each in found]


@router.get("/diagnostics/{diagnosis_id}")
def get_diagnosis(session: SessionOf, caller: Reading, diagnosis_id: Id) -> DiagnosisOut:
    """Read one of the caller's diagnoses."""
    return DiagnosisOut.of(service.get_diagnosis(session, diagnosis_id, account_id=caller.account_id))
