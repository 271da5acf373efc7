"""Open and read participants' accounts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.rules.errors import NotFound
from crowdalpha.rules.ids import AccountId
from crowdalpha.server.accounts import repository
from crowdalpha.server.db.tables import AccountRow
from crowdalpha.server.log import get_log

__all__ = ["MAX_NAME", "Account", "Role", "create_account", "get_account", "list_accounts", "role_of", "valid_name"]

log = get_log(__name__)

Role = Literal["owner", "operator", "auditor", "participant"]
"""What an account may do: the owner everything, a participant its own."""

MAX_NAME = 100
"""Characters in a name."""


@dataclass(frozen=True, slots=True)
class Account:
    """A participant."""

    id: AccountId
    name: str
    role: Role
    email: str | None


def create_account(session: Session, *, name: str, role: Role = "participant", now: datetime) -> Account:
    """Open an account; a repeat with the same name gives the same account."""
    row = repository.add(session, name=valid_name(name, what="account"), role=role, now=now)
    if row is None:
        row = repository.find_by_name(session, name)
        if row is None:
            raise NotFound("account", name)
        return _account(row)
    log.info("account_created", account_id=row.id)
    return _account(row)


def get_account(session: Session, account_id: AccountId) -> Account:
    """Read an account, or refuse with `NotFound`."""
    row = repository.find(session, account_id)
    if row is None:
        raise NotFound("account", account_id)
    return _account(row)


def list_accounts(session: Session) -> list[Account]:
    """List every account by its id."""
    return [_account(row) for row in repository.list_all(session)]


def valid_name(name: str, *, what: str) -> str:
    """Check the name of an account or a model: printable, not empty, no spaces around it."""
    if not 0 < len(name) <= MAX_NAME or not name.isprintable() or name != name.strip():
        raise InputError(f"{what} name {name!r:.60}: use 1 to {MAX_NAME} printable characters, no spaces around them")
    return name


def _account(row: AccountRow) -> Account:
    return Account(id=AccountId(row.id), name=row.name, role=role_of(row), email=row.email)


def role_of(row: AccountRow) -> Role:
    """Read the role of an account; the table holds no other than these."""
    return cast("Role", row.role)
