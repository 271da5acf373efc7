"""HTTP of models: enter them, and say what they are."""

from typing import Annotated

from fastapi import APIRouter, Depends

from crowdalpha.rules.ids import TournamentId
from crowdalpha.server.kit.depends import CallerOf, Now, SessionOf, allowed
from crowdalpha.server.kit.ids import ModelIdOf
from crowdalpha.server.models import service
from crowdalpha.server.models.schemas import ModelIn, ModelOut, ModelTextIn
from crowdalpha.server.roles import Caller

__all__ = ["router"]

router = APIRouter(prefix="/models", tags=["models"])

Writing = Annotated[Caller, Depends(allowed("write_user_info"))]


@router.get("")
def list_own_models(session: SessionOf, caller: CallerOf) -> list[ModelOut]:
    """List the caller's models."""
    return [ModelOut.model_validate(each) for each in service.list_models(session, account_id=caller.account_id)]


@router.post("", status_code=201)
def create_model(session: SessionOf, caller: Writing, body: ModelIn, now: Now) -> ModelOut:
    """Enter a model; a repeat with the same name gives the same model."""
    model = service.create_model(
        session,
        account_id=caller.account_id,
        tournament_id=TournamentId(body.tournament),
        name=body.name,
        now=now,
    )
    return ModelOut.model_validate(model)


@router.get("/{model_id}")
def get_model(session: SessionOf, model_id: ModelIdOf) -> ModelOut:
    """Read any model."""
    return ModelOut.model_validate(service.get_model(session, model_id))


@router.patch("/{model_id}")
def describe_model(session: SessionOf, caller: Writing, model_id: ModelIdOf, body: ModelTextIn) -> ModelOut:
    """Change what is said about one of the caller's models, and whether its files roll over."""
    model = service.own_model(session, model_id, account_id=caller.account_id)
    given = body.model_fields_set
    if "bio" in given:
        service.set_bio(session, model_id=model_id, bio=body.bio)
    if given & {"link_url", "link_text"}:
        url = body.link_url if "link_url" in given else model.link_url
        text = body.link_text if "link_text" in given else model.link_text
        service.set_link(session, model_id=model_id, url=url, text=text)
    if "rolls_over" in given:
        service.set_rolls_over(session, model_id=model_id, rolls_over=body.rolls_over)
    return ModelOut.model_validate(service.get_model(session, model_id))
