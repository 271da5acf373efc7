"""Invite somebody, and open the account of who was invited, with a first key and what was promised.

An invitation is a token that works once; only its hash is stored.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, cast

from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.rules.errors import Conflict, NotFound
from crowdalpha.rules.ids import AccountId
from crowdalpha.rules.money import Amount, Unit
from crowdalpha.server.accounts.service import (
    Account,
    Role,
    get_account,
    has_owner,
    open_account,
    valid_email,
)
from crowdalpha.server.db.tables import InviteRow
from crowdalpha.server.invites import repository
from crowdalpha.server.keys.service import NewApiKey, create_key
from crowdalpha.server.ledger.service import deposit
from crowdalpha.server.log import get_log
from crowdalpha.server.logins.service import set_password
from crowdalpha.server.tokens import hash_token, new_token

__all__ = [
    "INVITE_LASTS",
    "LONGEST",
    "Accepted",
    "Invite",
    "NewInvite",
    "accept_invite",
    "bootstrap_owner",
    "create_invite",
    "list_invites",
    "open_invited",
    "read_invite",
    "take_invite_of",
    "withdraw_invite",
]

log = get_log(__name__)

INVITE_LASTS = timedelta(days=7)
"""How long an invitation can be used, if it says nothing else."""

LONGEST = timedelta(days=90)

State = Literal["open", "used", "expired"]


@dataclass(frozen=True, slots=True)
class Invite:
    """An invitation, without its token."""

    id: int
    role: Role
    email: str | None
    amount: Amount | None
    state: State
    created_by: AccountId | None
    created_at: datetime
    expires_at: datetime
    used_by: AccountId | None


@dataclass(frozen=True, slots=True)
class NewInvite:
    """An invitation and its token, which is told this once."""

    invite: Invite
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The account of who was invited, and its first key."""

    account: Account
    key: NewApiKey


def bootstrap_owner(session: Session, *, now: datetime) -> str | None:
    """Make the token with which the first owner of a platform comes in; None once there is an owner.

    Every start before that may tell another one; the first that is used ends the others.
    """
    if has_owner(session):
        return None
    return _invite(session, role="owner", email=None, amount=None, created_by=None, lasts=INVITE_LASTS, now=now).token


def create_invite(
    session: Session,
    *,
    created_by: AccountId,
    role: Role = "participant",
    email: str | None = None,
    amount: Amount | None = None,
    lasts: timedelta = INVITE_LASTS,
    now: datetime,
) -> NewInvite:
    """Invite somebody to open an account of a role; `amount` is deposited on it then.

    Raises
    ------
    NotFound
        If there is no account `created_by`.
    InputError
        If the address, the amount or the time cannot be used.
    """
    get_account(session, created_by)
    if not timedelta(0) < lasts <= LONGEST:
        raise InputError(f"lasts: {lasts} is not between now and {LONGEST.days} days; name a time between them")
    if amount is not None and amount.base <= 0:
        raise InputError(f"amount: {amount} is not above zero; name one that is, or leave it out")
    address = None if email is None else valid_email(email)
    return _invite(session, role=role, email=address, amount=amount, created_by=created_by, lasts=lasts, now=now)


def read_invite(session: Session, *, token: str, now: datetime) -> Invite:
    """Read an invitation that can be used, for who has its token."""
    return _shown(_usable(session, token, now=now), now=now)


def list_invites(session: Session, *, now: datetime) -> list[Invite]:
    """List every invitation, newest first."""
    return [_shown(row, now=now) for row in repository.list_all(session)]


def withdraw_invite(session: Session, invite_id: int) -> None:
    """Take back an invitation that was not used; others are refused with `NotFound`."""
    if not repository.delete_open(session, invite_id):
        raise NotFound("open invitation", invite_id)
    log.info("invite_withdrawn", invite_id=invite_id)


def accept_invite(session: Session, *, token: str, name: str, password: str | None = None, now: datetime) -> Accepted:
    """Open the account that a token invites to, deposit what was promised, and make a first key. Works once.

    Raises
    ------
    NotFound
        If no open invitation has this token.
    Conflict
        If the name is taken, or the platform has an owner already and the token is that of a first start.
    InputError
        If the name or the password cannot be used.
    """
    account = open_invited(session, token=token, name=name, now=now)
    if password is not None:
        set_password(session, account_id=account.id, password=password)
    return Accepted(account, create_key(session, account_id=account.id, name="first key", now=now))


def open_invited(session: Session, *, token: str, name: str, now: datetime) -> Account:
    """Open the account that a token invites to, without a key; refuses as `accept_invite` does."""
    return _accept(session, _usable(session, token, now=now), name=name, now=now)


def take_invite_of(session: Session, *, email: str, name: str, now: datetime) -> Account | None:
    """Open the account that an address was invited to, for who has shown that it is his; None if it was not."""
    rows = repository.find_open(session, email=valid_email(email), now=now)
    return _accept(session, rows[0], name=name, now=now) if rows else None


def _accept(session: Session, row: InviteRow, *, name: str, now: datetime) -> Account:
    if row.created_by is None and has_owner(session):
        raise Conflict("this platform has its owner already; ask the owner for an invitation")
    account = open_account(session, name=name, role=cast("Role", row.role), email=row.email, now=now)
    row.used_by, row.used_at = account.id, now
    session.flush()
    amount = _amount(row)
    if amount is not None:
        deposit(session, account_id=account.id, amount=amount, key=f"invite:{row.id}", now=now)
    log.info("invite_accepted", invite_id=row.id, account_id=account.id)
    return account


def _usable(session: Session, token: str, *, now: datetime) -> InviteRow:
    row = repository.lock_open(session, hash_token(token), now=now)
    if row is None:
        raise NotFound(
            "open invitation", "with this token: it was used, it has expired, or it is mistyped; ask for a new one"
        )
    return row


def _invite(
    session: Session,
    *,
    role: Role,
    email: str | None,
    amount: Amount | None,
    created_by: AccountId | None,
    lasts: timedelta,
    now: datetime,
) -> NewInvite:
    token = new_token()
    row = InviteRow(
        token_sha256=hash_token(token),
        role=role,
        email=email,
        unit=None if amount is None else amount.unit.code,
        scale=None if amount is None else amount.unit.scale,
        amount=None if amount is None else amount.base,
        created_by=created_by,
        created_at=now,
        expires_at=now + lasts,
    )
    repository.add(session, row)
    log.info("invite_created", invite_id=row.id, role=role, created_by=created_by)
    return NewInvite(_shown(row, now=now), token)


def _amount(row: InviteRow) -> Amount | None:
    if row.amount is None or row.unit is None or row.scale is None:
        return None
    return Amount(row.amount, Unit(row.unit, row.scale))


def _shown(row: InviteRow, *, now: datetime) -> Invite:
    state: State = "used" if row.used_at is not None else "expired" if row.expires_at <= now else "open"
    return Invite(
        id=row.id,
        role=cast("Role", row.role),
        email=row.email,
        amount=_amount(row),
        state=state,
        created_by=None if row.created_by is None else AccountId(row.created_by),
        created_at=row.created_at,
        expires_at=row.expires_at,
        used_by=None if row.used_by is None else AccountId(row.used_by),
    )
