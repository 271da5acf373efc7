"""HTTP of accounts."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from crowdalpha.rules.errors import Forbidden
from crowdalpha.rules.ids import AccountId
from crowdalpha.server.accounts import service
from crowdalpha.server.accounts.schemas import AccountOut, RoleIn
from crowdalpha.server.kit.depends import Administering, Auditing, Now, Operating, SessionOf, allowed
from crowdalpha.server.kit.ids import Id
from crowdalpha.server.kit.tables import Cursor, Format, Limit, page_of, plain, table
from crowdalpha.server.roles import Caller, may_manage

__all__ = ["router"]

router = APIRouter(tags=["accounts"])


@router.get("/account")
def get_own_account(session: SessionOf, caller: Annotated[Caller, Depends(allowed("read_user_info"))]) -> AccountOut:
    """Read the caller's account."""
    return AccountOut.of(service.get_account(session, caller.account_id))


@router.get("/accounts")
def list_accounts(
    session: SessionOf, _: Auditing, form: Format = "json", limit: Limit = 1000, cursor: Cursor = None
) -> Response:
    """List every account by its id, as JSON, CSV or Parquet."""
    rows = [plain(account) for account in service.list_accounts(session)]
    page, after = page_of(rows, cursor=cursor, limit=limit)
    return table(page, form=form, after=after)


@router.get("/accounts/{account_id}")
def get_account(session: SessionOf, _: Auditing, account_id: Id) -> AccountOut:
    """Read an account."""
    return AccountOut.of(service.get_account(session, AccountId(account_id)))


@router.put("/accounts/{account_id}/role")
def change_role(session: SessionOf, _: Administering, account_id: Id, body: RoleIn) -> AccountOut:
    """Give an account another role."""
    return AccountOut.of(service.change_role(session, account_id=AccountId(account_id), role=body.role))


@router.post("/accounts/{account_id}/close")
def close_account(session: SessionOf, caller: Operating, now: Now, account_id: Id) -> AccountOut:
    """End an account; an operator ends those of participants and auditors, the owner every one."""
    account = service.get_account(session, AccountId(account_id))
    if not may_manage(caller, account.role):
        raise Forbidden(f"only the owner closes the account of an {account.role}; ask the owner")
    return AccountOut.of(service.close_account(session, account_id=account.id, now=now))
