"""The page of one's own account: models, money, keys, webhooks, logins."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response, status
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.rules.errors import Forbidden
from crowdalpha.rules.ledger import AccountKind, AccountRef
from crowdalpha.server.accounts.service import get_account
from crowdalpha.server.keys.service import PARTICIPANT_SCOPES, SCOPES, create_key, list_keys, revoke_key, rotate_key
from crowdalpha.server.kit.depends import LOGIN_COOKIE, Now, PlatformOf, SessionOf, allowed
from crowdalpha.server.kit.ids import Id
from crowdalpha.server.kit.links import base_of
from crowdalpha.server.kit.problems import status_of
from crowdalpha.server.ledger.service import balances_on
from crowdalpha.server.logins.service import list_logins, log_out
from crowdalpha.server.models.service import ledger_accounts_of, list_models
from crowdalpha.server.roles import Caller
from crowdalpha.server.tournaments.service import list_tournaments
from crowdalpha.server.web.pages import page, viewer_of
from crowdalpha.server.webhooks.service import list_webhooks

__all__ = ["router"]

router = APIRouter(prefix="/account", dependencies=[Depends(viewer_of)])

Reading = Annotated[Caller, Depends(allowed("read_user_info"))]
Writing = Annotated[Caller, Depends(allowed("write_user_info"))]
OWN = {AccountKind.AVAILABLE: "free", AccountKind.HOLD: "on hold"}


@router.get("")
def show_account(request: Request, session: SessionOf, caller: Reading, now: Now) -> Response:
    """Show the caller's account."""
    return page(
        request, "account", status=status.HTTP_200_OK, **_account(request, session, caller, now=now), wrong="", name=""
    )


@router.post("/keys")
def make_key(  # the parts of a form, and where it came from
    request: Request,
    platform: PlatformOf,
    caller: Writing,
    now: Now,
    name: Annotated[str, Form(max_length=256)],
    days: Annotated[int | None, Form(ge=1, le=3650)] = None,
    scopes: Annotated[list[str] | None, Form(max_length=50)] = None,
) -> Response:
    """Make a key and show its secret, once."""
    try:
        with platform.session() as session:
            made = create_key(
                session,
                account_id=caller.account_id,
                name=name,
                scopes=scopes or (),
                expires_at=None if days is None else now + timedelta(days=days),
                within=caller.scopes,
                now=now,
            )
    except (InputError, Forbidden) as error:
        with platform.session() as session:
            values = _account(request, session, caller, now=now)
        return page(request, "account", status=status_of(error), **values, wrong=str(error), name=name)
    return page(
        request, "key", heading=f"The key {made.key.name}", made=made, base=base_of(platform, request), grace=False
    )


@router.post("/keys/{key_id}/rotate")
def rotate(
    request: Request, platform: PlatformOf, session: SessionOf, caller: Writing, now: Now, key_id: Id
) -> Response:
    """Give a key a new secret and show it, once."""
    made = rotate_key(session, account_id=caller.account_id, key_id=key_id, within=caller.scopes, now=now)
    return page(
        request, "key", heading=f"The key {made.key.name}", made=made, base=base_of(platform, request), grace=True
    )


@router.post("/keys/{key_id}/revoke")
def revoke(session: SessionOf, caller: Writing, now: Now, key_id: Id) -> Response:
    """End a key at once."""
    revoke_key(session, account_id=caller.account_id, key_id=key_id, now=now)
    return RedirectResponse("/account#keys", status_code=status.HTTP_303_SEE_OTHER)


@router.post("/logins/{login_id}/end")
def end_login(session: SessionOf, caller: Writing, login_id: Id) -> Response:
    """Sign out one of the caller's browsers."""
    log_out(session, account_id=caller.account_id, login_id=login_id)
    return RedirectResponse("/account#logins", status_code=status.HTTP_303_SEE_OTHER)


def _account(request: Request, session: Session, caller: Caller, *, now: datetime) -> dict[str, object]:
    balances = balances_on(session, ledger_accounts_of(session, caller.account_id))
    refs = [(AccountRef.parse(each.account), each.balance) for each in balances]
    return {
        "account": get_account(session, caller.account_id),
        "models": list_models(session, account_id=caller.account_id),
        "tournaments": {each.id: each for each in list_tournaments(session)},
        "own": [(OWN[ref.kind], amount) for ref, amount in refs if ref.kind in OWN],
        "held": {(ref.kind.value, ref.owner): amount for ref, amount in refs},
        "keys": list_keys(session, caller.account_id),
        "given": [scope for scope in SCOPES[caller.role] if scope in caller.scopes],
        "usual": PARTICIPANT_SCOPES,
        "webhooks": list_webhooks(session, caller.account_id),
        "logins": list_logins(session, account_id=caller.account_id, token=request.cookies.get(LOGIN_COOKIE), now=now),
        "now": now,
    }
