"""HTTP of the ledger: everybody's own balances and transfers, and all of them for auditors."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from crowdalpha.server.kit.depends import Auditing, SessionOf, allowed
from crowdalpha.server.kit.tables import Cursor, Format, Limit, answer, read_cursor, table_answers
from crowdalpha.server.ledger import service
from crowdalpha.server.ledger.schemas import BalanceOut, TransferOut
from crowdalpha.server.models.service import ledger_accounts_of
from crowdalpha.server.roles import Caller

__all__ = ["router"]

router = APIRouter(tags=["ledger"])

Reading = Annotated[Caller, Depends(allowed("read_user_info"))]


@router.get("/account/balances", responses=table_answers(BalanceOut))
def list_own_balances(session: SessionOf, caller: Reading, form: Format = "json") -> Response:
    """List what the caller's account and models hold."""
    found = service.balances_on(session, ledger_accounts_of(session, caller.account_id))
    return answer(found, BalanceOut, form=form)


@router.get("/account/transfers", responses=table_answers(TransferOut))
def list_own_transfers(
    session: SessionOf, caller: Reading, limit: Limit = 100, cursor: Cursor = None, form: Format = "json"
) -> Response:
    """List what moved on the caller's account and models, newest first."""
    before = read_cursor(cursor, 1)
    found = service.page_transfers(
        session,
        refs=ledger_accounts_of(session, caller.account_id),
        before=None if before is None else before[0],
        limit=limit + 1,
    )
    return answer(found, TransferOut, form=form, limit=limit, cursor=lambda row: (row.id,))


@router.get("/ledger/balances", responses=table_answers(BalanceOut))
def list_balances(
    session: SessionOf,
    auditor: Auditing,  # noqa: ARG001  # the guard alone is wanted
    limit: Limit = 1000,
    cursor: Cursor = None,
    form: Format = "json",
) -> Response:
    """List what every account of the ledger holds; for auditors."""
    after = read_cursor(cursor, 1)
    found = service.page_balances(session, after=0 if after is None else after[0], limit=limit + 1)
    return answer(found, BalanceOut, form=form, limit=limit, cursor=lambda row: (row.id,))


@router.get("/ledger/transfers", responses=table_answers(TransferOut))
def list_transfers(
    session: SessionOf,
    auditor: Auditing,  # noqa: ARG001  # the guard alone is wanted
    limit: Limit = 1000,
    cursor: Cursor = None,
    form: Format = "json",
) -> Response:
    """List everything that was ever posted, newest first; for auditors."""
    before = read_cursor(cursor, 1)
    found = service.page_transfers(session, before=None if before is None else before[0], limit=limit + 1)
    return answer(found, TransferOut, form=form, limit=limit, cursor=lambda row: (row.id,))
