"""From an address that a provider has checked to a signed-in account: existing, invited, or by a setting new."""

from datetime import datetime

from sqlalchemy.orm import Session

from crowdalpha.rules.errors import Conflict, Forbidden
from crowdalpha.server.accounts.service import (
    MAX_NAME,
    Account,
    change_email,
    find_account_by_email,
    open_account,
)
from crowdalpha.server.invites.service import open_invited, take_invite_of
from crowdalpha.server.log import get_log
from crowdalpha.server.logins.service import NewLogin, start_login

__all__ = ["sign_in"]

log = get_log(__name__)

NAMES_TRIED = 50


def sign_in(
    session: Session,
    *,
    email: str,
    name: str,
    invite: str | None = None,
    opens_accounts: bool = False,
    device: str,
    now: datetime,
) -> NewLogin:
    """Sign in who has shown that an address is his.

    Parameters
    ----------
    session : Session
        Of the caller, who commits.
    email : str
        Checked by the provider.
    name : str
        For a new account; with a number behind it if it is taken.
    invite : str, optional
        Token of an invitation that the person came with.
    opens_accounts : bool, default=False
        Whether a person that nobody invited gets an account.
    device : str
        What the browser calls itself.
    now : datetime
        Time of the sign-in.

    Raises
    ------
    Forbidden
        If the address has no account and no invitation.
    NotFound
        If the invitation was used or has expired.
    """
    account = find_account_by_email(session, email) or _new(
        session, email=email, name=name, invite=invite, opens_accounts=opens_accounts, now=now
    )
    log.info("signed_in_by_provider", account_id=account.id)
    return start_login(session, account_id=account.id, device=device, now=now)


def _new(
    session: Session, *, email: str, name: str, invite: str | None, opens_accounts: bool, now: datetime
) -> Account:
    for wanted in _names(name):
        try:
            with session.begin_nested():
                if invite is not None:
                    account = open_invited(session, token=invite, name=wanted, now=now)
                    return change_email(session, account_id=account.id, email=email)
                invited = take_invite_of(session, email=email, name=wanted, now=now)
                if invited is not None:
                    return invited
                if not opens_accounts:
                    raise Forbidden("no account has this address, and nobody invited it; ask for an invitation")
                return open_account(session, name=wanted, role="participant", email=email, now=now)
        except Conflict:
            continue
    raise Conflict(f"{NAMES_TRIED} accounts have names like yours; ask the operator for one")


def _names(name: str) -> list[str]:
    """Write a name as an account may have it, then with numbers behind it."""
    plain = "".join(letter for letter in name.partition("@")[0] if letter.isprintable()).strip()[: MAX_NAME - 3]
    first = plain.strip() or "participant"
    return [first, *(f"{first}-{number}" for number in range(2, NAMES_TRIED + 1))]
