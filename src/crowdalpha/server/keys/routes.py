"""HTTP of API keys."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, status

from crowdalpha.server.keys import service
from crowdalpha.server.keys.schemas import KeyIn, KeyOut, NewKeyOut, RotationIn
from crowdalpha.server.kit.depends import Now, SessionOf, allowed
from crowdalpha.server.kit.ids import Id
from crowdalpha.server.roles import Caller

__all__ = ["router"]

router = APIRouter(prefix="/keys", tags=["keys"])

Reading = Annotated[Caller, Depends(allowed("read_user_info"))]
Writing = Annotated[Caller, Depends(allowed("write_user_info"))]


@router.get("")
def list_keys(session: SessionOf, caller: Reading) -> list[KeyOut]:
    """List the caller's keys, ended ones too, oldest first."""
    return [KeyOut.of(key) for key in service.list_keys(session, caller.account_id)]


@router.post("", status_code=status.HTTP_201_CREATED)
def create_key(session: SessionOf, caller: Writing, now: Now, body: KeyIn) -> NewKeyOut:
    """Make a key; its secret is told this once."""
    made = service.create_key(
        session,
        account_id=caller.account_id,
        name=body.name,
        scopes=body.scopes,
        expires_at=body.expires_at,
        within=caller.scopes,
        now=now,
    )
    return NewKeyOut.of(made)


@router.post("/{key_id}/rotate")
def rotate_key(session: SessionOf, caller: Writing, now: Now, key_id: Id, body: RotationIn) -> NewKeyOut:
    """Give a key a new secret; the one before works on for a grace time."""
    made = service.rotate_key(
        session,
        account_id=caller.account_id,
        key_id=key_id,
        grace=timedelta(hours=body.grace_hours),
        within=caller.scopes,
        now=now,
    )
    return NewKeyOut.of(made)


@router.delete("/{key_id}", status_code=status.HTTP_204_NO_CONTENT)
def revoke_key(session: SessionOf, caller: Writing, now: Now, key_id: Id) -> None:
    """End a key at once."""
    service.revoke_key(session, account_id=caller.account_id, key_id=key_id, now=now)
