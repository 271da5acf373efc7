"""HTTP of the sealed track: what a round offers, its files, and submissions. Nothing decrypted has a route."""

from typing import Annotated, cast

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from crowdalpha.release.sealed import SUBMISSION_BYTES
from crowdalpha.rules.errors import Forbidden, NotFound
from crowdalpha.rules.ids import ModelId, RoundNumber
from crowdalpha.rules.receipt import Receipt
from crowdalpha.server.bootstrap import Platform
from crowdalpha.server.errors import TooLarge
from crowdalpha.server.keys.service import Caller
from crowdalpha.server.kit.depends import Clock, PlatformOf, SessionOf, allowed
from crowdalpha.server.kit.files import FILE_ANSWERS, send_blob
from crowdalpha.server.kit.ids import Id
from crowdalpha.server.models.service import get_model
from crowdalpha.server.sealed import service
from crowdalpha.server.sealed.schemas import Part, SealedOfferOut

__all__ = ["router"]

router = APIRouter(prefix="/rounds/{number}/sealed", tags=["sealed"])


@router.get("")
def list_offers(session: SessionOf, platform: PlatformOf, number: Id) -> list[SealedOfferOut]:
    """List the encrypted eras of a round, by parameter set."""
    return [
        SealedOfferOut.of(offer, sizes={sha256: platform.blobs.size(sha256) for sha256 in _hashes(offer).values()})
        for offer in service.list_offers(session, number=RoundNumber(number))
    ]


@router.head("/{profile}/{part}", include_in_schema=False)
@router.get("/{profile}/{part}", response_class=Response, responses=FILE_ANSWERS)
def download(
    request: Request, session: SessionOf, platform: PlatformOf, number: Id, profile: str, part: Part
) -> Response:
    """Fetch a file of an offer, or a range of it."""
    offers = service.list_offers(session, number=RoundNumber(number))
    found = next((_hashes(offer).get(part) for offer in offers if offer.profile == profile), None)
    if found is None:
        raise NotFound(f"sealed {part}", profile)
    return send_blob(request, platform.blobs, sha256=found, filename=f"{part}.sealed")


@router.post("/submissions", status_code=201)
async def submit(
    platform: PlatformOf,
    caller: Annotated[Caller, Depends(allowed("upload_submission"))],
    request: Request,
    number: Id,
    model_id: Annotated[int, Query(ge=1)],
) -> Receipt:
    """Take a sealed submission as the body of the request, and answer with the receipt."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > SUBMISSION_BYTES:
            raise TooLarge(f"a sealed submission has at most {SUBMISSION_BYTES} bytes; send what run wrote")
    clock = cast("Clock", request.app.state.clock)
    place = (RoundNumber(number), ModelId(model_id))
    return await run_in_threadpool(_submit, platform, clock, caller, place, bytes(content))


def _submit(
    platform: Platform, clock: Clock, caller: Caller, place: tuple[RoundNumber, ModelId], content: bytes
) -> Receipt:
    number, model_id = place
    with platform.session() as session:
        if get_model(session, model_id).account_id != caller.account_id:
            raise Forbidden(f"model {model_id} belongs to another account; use the id of one of your own models")
        return service.submit_sealed(
            session,
            blobs=platform.blobs,
            model_id=model_id,
            round_number=number,
            content=content,
            now=clock(),
            signing_key=platform.signing_key,
        )


def _hashes(offer: service.SealedOffer) -> dict[str, str]:
    parts = {"public": offer.public_sha256, "era": offer.era_sha256, "moments": offer.moments_sha256}
    return {part: sha256 for part, sha256 in parts.items() if sha256 is not None}
