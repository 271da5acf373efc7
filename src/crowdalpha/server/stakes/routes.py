"""HTTP of stakes: put money at risk and take it back, each wish once."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header
from sqlalchemy.orm import Session

from crowdalpha.rules.ids import ModelId
from crowdalpha.rules.money import Amount
from crowdalpha.server.kit.depends import Now, SessionOf, allowed
from crowdalpha.server.kit.ids import ModelIdOf
from crowdalpha.server.models.service import Model, own_model
from crowdalpha.server.roles import Caller
from crowdalpha.server.stakes import service
from crowdalpha.server.stakes.schemas import StakeIn, StakeOut
from crowdalpha.server.tournaments.service import get_tournament

__all__ = ["router"]

router = APIRouter(prefix="/models/{model_id}/stake", tags=["stakes"])

Reading = Annotated[Caller, Depends(allowed("read_user_info"))]
Staking = Annotated[Caller, Depends(allowed("stake"))]
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[!-~]{1,100}$",
        description="Chosen by you, once per wish: a repeat with the same amount changes nothing.",
    ),
]


@router.get("")
def get_stake(session: SessionOf, caller: Reading, model_id: ModelIdOf) -> StakeOut:
    """Read the stake of one of the caller's models."""
    return _shown(session, own_model(session, model_id, account_id=caller.account_id))


@router.post("/increase")
def increase_stake(
    session: SessionOf, caller: Staking, model_id: ModelIdOf, body: StakeIn, key: Key, now: Now
) -> StakeOut:
    """Move free money into the stake of a model; the next close puts it at risk."""
    model = own_model(session, model_id, account_id=caller.account_id)
    rules = get_tournament(session, model.tournament_id).rulebook
    amount = Amount.parse(body.amount, rules.unit)
    service.increase(session, model_id=model_id, amount=amount, key=_key(model_id, key), now=now, rulebook=rules)
    return _shown(session, model)


@router.post("/decrease")
def decrease_stake(
    session: SessionOf, caller: Staking, model_id: ModelIdOf, body: StakeIn, key: Key, now: Now
) -> StakeOut:
    """Take money out of the stake of a model; it is free when the rounds that it may owe to are resolved."""
    model = own_model(session, model_id, account_id=caller.account_id)
    rules = get_tournament(session, model.tournament_id).rulebook
    amount = Amount.parse(body.amount, rules.unit)
    service.decrease(session, model_id=model_id, amount=amount, key=_key(model_id, key), now=now, rulebook=rules)
    return _shown(session, model)


def _key(model_id: ModelId, key: str) -> str:
    """Keep the keys of different models apart: nobody else's choice of a key gets in the way."""
    return f"{model_id}:{key}"


def _shown(session: Session, model: Model) -> StakeOut:
    unit = get_tournament(session, model.tournament_id).rulebook.unit
    return StakeOut.model_validate(
        {
            "model_id": model.id,
            "unit": unit.code,
            "stake": service.stake_of(session, model_id=model.id, unit=unit),
            "pending": service.pending_of(session, model_id=model.id, unit=unit),
        }
    )
