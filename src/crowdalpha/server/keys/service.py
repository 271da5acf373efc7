"""Make, check, rotate and end API keys.

A key has a public half, which is stored as it is, and a secret half of 32 random characters, of which only the
SHA-256 is stored: a secret that nobody chose needs no slow hash. The secret is told once, when the key is made.
"""

import hmac
import secrets
import string
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.rules.errors import Forbidden, NotFound
from crowdalpha.rules.ids import AccountId
from crowdalpha.server.accounts.service import get_account, role_of, valid_name
from crowdalpha.server.db.tables import ApiKeyRow
from crowdalpha.server.errors import Unauthenticated
from crowdalpha.server.keys import repository
from crowdalpha.server.log import get_log
from crowdalpha.server.roles import PARTICIPANT_SCOPES, SCOPES, Caller
from crowdalpha.server.tokens import hash_token

__all__ = [
    "GRACE",
    "PARTICIPANT_SCOPES",
    "SCOPES",
    "ApiKey",
    "Caller",
    "NewApiKey",
    "authenticate",
    "create_key",
    "list_keys",
    "revoke_key",
    "rotate_key",
]

log = get_log(__name__)

GRACE = timedelta(days=1)
"""How long the secret before a rotation still opens its account, if nothing else is said."""

LONGEST_GRACE = timedelta(days=30)
ALPHABET = string.ascii_uppercase + "234567"
PUBLIC_LENGTH, SECRET_LENGTH = 32, 64
USE_IS_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key, without its secret."""

    id: int
    account_id: AccountId
    name: str
    public_id: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key and its secret, which is told this once."""

    key: ApiKey
    secret: str = field(repr=False)


def create_key(
    session: Session,
    *,
    account_id: AccountId,
    name: str,
    scopes: Iterable[str] | None = None,
    expires_at: datetime | None = None,
    within: frozenset[str] | None = None,
    now: datetime,
) -> NewApiKey:
    """Make a key with all scopes of the account's role, or with those that are named.

    `within` are the scopes of who asks: a key that may do little makes none that may do more.

    Raises
    ------
    NotFound
        If there is no such account.
    InputError
        If no scope is left, a scope is not one of the role, or the key would have expired already.
    Forbidden
        If a scope is not one of `within`.
    """
    role = get_account(session, account_id).role
    given = SCOPES[role] if within is None else tuple(scope for scope in SCOPES[role] if scope in within)
    wanted = given if scopes is None else tuple(sorted(set(scopes)))
    foreign = sorted(set(wanted) - set(SCOPES[role]))
    if foreign or not wanted:
        raise InputError(
            f"scopes: {', '.join(foreign) or 'none'} cannot be given by a {role}; choose of {', '.join(SCOPES[role])}"
        )
    _refuse_more(wanted, within)
    if expires_at is not None and expires_at <= now:
        raise InputError(f"expires_at: {expires_at} is over; name a time to come, or leave it out")
    secret = _random(SECRET_LENGTH)
    row = ApiKeyRow(
        account_id=account_id,
        name=valid_name(name, what="key"),
        public_id=_random(PUBLIC_LENGTH),
        secret_sha256=hash_token(secret),
        scopes=list(wanted),
        created_at=now,
        expires_at=expires_at,
    )
    repository.add(session, row)
    log.info("key_created", account_id=account_id, key_id=row.id)
    return NewApiKey(_key(row), secret)


def authenticate(session: Session, *, public_id: str, secret: str, now: datetime) -> Caller:
    """Tell who a key belongs to, and note that it was used.

    Raises
    ------
    Unauthenticated
        If there is no such key, its secret is another, or it has ended; the message does not say which.
    """
    found = repository.find_with_account(session, public_id)
    if found is None:
        raise Unauthenticated
    key, account = found
    if not _is_secret_of(key, hash_token(secret), now=now):
        raise Unauthenticated
    if key.revoked_at is not None or account.closed_at is not None:
        raise Unauthenticated
    if key.expires_at is not None and key.expires_at <= now:
        raise Unauthenticated
    repository.mark_used(session, key.id, now=now, unless_after=now - USE_IS_NOTED_EVERY)
    role = role_of(account)
    return Caller(AccountId(account.id), role, frozenset(key.scopes) & frozenset(SCOPES[role]))


def list_keys(session: Session, account_id: AccountId) -> list[ApiKey]:
    """List the keys of an account, ended ones too, oldest first."""
    return [_key(row) for row in repository.list_of_account(session, account_id)]


def revoke_key(session: Session, *, account_id: AccountId, key_id: int, now: datetime) -> None:
    """End a key of an account; a repeat is refused with `NotFound`."""
    if not repository.revoke(session, key_id, account_id=account_id, now=now):
        raise NotFound("key", key_id)
    log.info("key_revoked", account_id=account_id, key_id=key_id)


def rotate_key(
    session: Session,
    *,
    account_id: AccountId,
    key_id: int,
    grace: timedelta = GRACE,
    within: frozenset[str] | None = None,
    now: datetime,
) -> NewApiKey:
    """Give a key a new secret; the one before still opens the account for a grace time.

    Raises
    ------
    NotFound
        If the account has no such key that has not ended.
    Forbidden
        If the key may do more than `within`, the scopes of who asks.
    InputError
        If the grace time is below zero or above 30 days.
    """
    if not timedelta(0) <= grace <= LONGEST_GRACE:
        raise InputError(f"grace: {grace} is not between 0 and {LONGEST_GRACE.days} days; name a time between them")
    row = repository.lock_of_account(session, key_id, account_id=account_id)
    if row is None or row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now):
        raise NotFound("key", key_id)
    _refuse_more(row.scopes, within)
    secret = _random(SECRET_LENGTH)
    row.previous_sha256, row.previous_until = row.secret_sha256, now + grace
    row.secret_sha256 = hash_token(secret)
    session.flush()
    log.info("key_rotated", account_id=account_id, key_id=key_id)
    return NewApiKey(_key(row), secret)


def _refuse_more(wanted: Iterable[str], within: frozenset[str] | None) -> None:
    more = [] if within is None else sorted(set(wanted) - within)
    if more:
        raise Forbidden(f"this key lacks {', '.join(more)} and gives out no more than it has; use one that has them")


def _is_secret_of(key: ApiKeyRow, secret_sha256: str, *, now: datetime) -> bool:
    if hmac.compare_digest(key.secret_sha256, secret_sha256):
        return True
    if key.previous_sha256 is None or key.previous_until is None or key.previous_until <= now:
        return False
    return hmac.compare_digest(key.previous_sha256, secret_sha256)


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _key(row: ApiKeyRow) -> ApiKey:
    return ApiKey(
        id=row.id,
        account_id=AccountId(row.account_id),
        name=row.name,
        public_id=row.public_id,
        scopes=tuple(row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
