"""Open, read, change and close participants' accounts."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.rules.errors import Conflict, NotFound
from crowdalpha.rules.ids import AccountId
from crowdalpha.server.accounts import repository
from crowdalpha.server.db.tables import AccountRow
from crowdalpha.server.log import get_log
from crowdalpha.server.roles import Role

__all__ = [
    "MAX_NAME",
    "Account",
    "Role",
    "change_email",
    "change_role",
    "close_account",
    "create_account",
    "find_account",
    "find_account_by_email",
    "get_account",
    "has_owner",
    "list_accounts",
    "open_account",
    "role_of",
    "valid_email",
    "valid_name",
]

log = get_log(__name__)

MAX_NAME = 100
"""Characters in a name."""

MAX_EMAIL = 254


@dataclass(frozen=True, slots=True)
class Account:
    """A participant, or one of the operator's people."""

    id: AccountId
    name: str
    role: Role
    email: str | None
    created_at: datetime
    closed_at: datetime | None


def create_account(session: Session, *, name: str, role: Role = "participant", now: datetime) -> Account:
    """Open an account; a repeat with the same name gives the same account."""
    row = repository.add(session, name=valid_name(name, what="account"), role=role, email=None, now=now)
    if row is None:
        row = repository.find_by_name(session, name)
        if row is None:
            raise NotFound("account", name)
        return _account(row)
    log.info("account_created", account_id=row.id)
    return _account(row)


def open_account(session: Session, *, name: str, role: Role, email: str | None, now: datetime) -> Account:
    """Open an account for somebody who comes in from outside: a name or an address that is taken is refused.

    Raises
    ------
    InputError
        If the name or the address cannot be used; a name has no @, so that it is nobody's address.
    Conflict
        If another account has the name or the address.
    """
    if "@" in valid_name(name, what="account"):
        raise InputError(f"account name {name!r:.60}: leave out the @; the name is shown on leaderboards")
    address = None if email is None else valid_email(email)
    row = repository.add(session, name=name, role=role, email=address, now=now)
    if row is None:
        raise Conflict(f"the account name {name!r} or its e-mail address is taken; choose another")
    log.info("account_created", account_id=row.id)
    return _account(row)


def get_account(session: Session, account_id: AccountId) -> Account:
    """Read an account, or refuse with `NotFound`."""
    return _account(_row(session, account_id))


def find_account(session: Session, name_or_email: str) -> Account | None:
    """Find an account by its name, or by its address in any case."""
    row = repository.find_by_name(session, name_or_email)
    if row is None and "@" in name_or_email:
        row = repository.find_by_email(session, name_or_email.strip().lower())
    return None if row is None else _account(row)


def find_account_by_email(session: Session, email: str) -> Account | None:
    """Find the account that has an address, in any case."""
    row = repository.find_by_email(session, valid_email(email))
    return None if row is None else _account(row)


def list_accounts(session: Session) -> list[Account]:
    """List every account by its id."""
    return [_account(row) for row in repository.list_all(session)]


def has_owner(session: Session) -> bool:
    """Tell whether somebody owns this platform; holds the answer still until the transaction ends."""
    repository.lock_roles(session)
    return repository.count_owners(session) > 0


def change_role(session: Session, *, account_id: AccountId, role: Role) -> Account:
    """Give an account another role; its keys and logins reach no further than the new one at once.

    Raises
    ------
    NotFound
        If there is no such account.
    Conflict
        If it is closed, or the platform would be left without an owner.
    """
    row = _open_row(session, account_id)
    if row.role == "owner" and role != "owner":
        _keep_an_owner(session)
    row.role = role
    session.flush()
    log.info("role_changed", account_id=account_id, role=role)
    return _account(row)


def change_email(session: Session, *, account_id: AccountId, email: str) -> Account:
    """Give an account another address, which somebody has shown to be its own."""
    row = _open_row(session, account_id)
    address = valid_email(email)
    other = repository.find_by_email(session, address)
    if other is not None and other.id != account_id:
        raise Conflict("another account has this e-mail address; use another")
    row.email = address
    session.flush()
    log.info("email_changed", account_id=account_id)
    return _account(row)


def close_account(session: Session, *, account_id: AccountId, now: datetime) -> Account:
    """End an account: no key, no password and no login opens it again; a repeat changes nothing.

    Its address and password are forgotten. Its name, models, scores and money stay: they are part of rounds that
    others were paid in.

    Raises
    ------
    NotFound
        If there is no such account.
    Conflict
        If the platform would be left without an owner.
    """
    row = _row(session, account_id)
    if row.closed_at is not None:
        return _account(row)
    if row.role == "owner":
        _keep_an_owner(session)
    row.closed_at, row.email, row.password_hash = now, None, None
    session.flush()
    log.info("account_closed", account_id=account_id)
    return _account(row)


def valid_name(name: str, *, what: str) -> str:
    """Check the name of an account or a model: printable, not empty, no spaces around it."""
    if not 0 < len(name) <= MAX_NAME or not name.isprintable() or name != name.strip():
        raise InputError(f"{what} name {name!r:.60}: use 1 to {MAX_NAME} printable characters, no spaces around them")
    return name


def valid_email(email: str) -> str:
    """Check the shape of an address and write it in lower case, as it is stored and compared."""
    address = email.strip().lower()
    local, at, domain = address.rpartition("@")
    whole = bool(local and at and domain) and address.isprintable() and " " not in address
    if not whole or len(address) > MAX_EMAIL or any(mark in address for mark in '<>,;:"()[]\\'):
        raise InputError(f"email {email!r:.60}: write one plain address, such as ann@example.org")
    return address


def role_of(row: AccountRow) -> Role:
    """Read the role of an account; the table holds no other than these."""
    return cast("Role", row.role)


def _row(session: Session, account_id: AccountId) -> AccountRow:
    row = repository.find(session, account_id)
    if row is None:
        raise NotFound("account", account_id)
    return row


def _open_row(session: Session, account_id: AccountId) -> AccountRow:
    row = _row(session, account_id)
    if row.closed_at is not None:
        raise Conflict(f"account {account_id} is closed; open another")
    return row


def _keep_an_owner(session: Session) -> None:
    repository.lock_roles(session)
    if repository.count_owners(session) < 2:  # noqa: PLR2004  # this one and another
        raise Conflict("this is the last owner; make another account an owner first")


def _account(row: AccountRow) -> Account:
    return Account(
        id=AccountId(row.id),
        name=row.name,
        role=role_of(row),
        email=row.email,
        created_at=row.created_at,
        closed_at=row.closed_at,
    )
