"""Make, check, rotate and end API keys.

A key has a public half, which is stored as it is, and a secret half of 32 random characters, of which only the
SHA-256 is stored: a secret that nobody chose needs no slow hash. The secret is told once, when the key is made.
"""

import hashlib
import hmac
import secrets
import string
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.rules.errors import NotFound
from crowdalpha.rules.ids import AccountId
from crowdalpha.server.accounts.service import Role, get_account, role_of, valid_name
from crowdalpha.server.db.tables import ApiKeyRow
from crowdalpha.server.errors import Unauthenticated
from crowdalpha.server.keys import repository
from crowdalpha.server.log import get_log

__all__ = [
    "PARTICIPANT_SCOPES",
    "SCOPES",
    "ApiKey",
    "Caller",
    "NewApiKey",
    "authenticate",
    "create_key",
    "list_keys",
    "revoke_key",
]

log = get_log(__name__)

PARTICIPANT_SCOPES = (
    "delete",
    "download_submission",
    "read_submission_info",
    "read_user_info",
    "stake",
    "upload_submission",
    "write_user_info",
)
"""What a participant's key may be allowed, by the names that clients of the field know."""

SCOPES: dict[Role, tuple[str, ...]] = {
    "participant": PARTICIPANT_SCOPES,
    "auditor": (*PARTICIPANT_SCOPES, "audit"),
    "operator": (*PARTICIPANT_SCOPES, "audit", "operate"),
    "owner": (*PARTICIPANT_SCOPES, "administer", "audit", "operate"),
}
"""Scopes that an account of each role can give to a key."""

ALPHABET = string.ascii_uppercase + "234567"
PUBLIC_LENGTH, SECRET_LENGTH = 32, 64
USE_IS_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a request is from."""

    account_id: AccountId
    role: Role
    scopes: frozenset[str]


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
    now: datetime,
) -> NewApiKey:
    """Make a key with all scopes of the account's role, or with those that are named.

    Raises
    ------
    NotFound
        If there is no such account.
    InputError
        If a scope is not one of the role, or the key would have expired already.
    """
    role = get_account(session, account_id).role
    wanted = SCOPES[role] if scopes is None else tuple(sorted(set(scopes)))
    foreign = sorted(set(wanted) - set(SCOPES[role]))
    if foreign:
        raise InputError(
            f"scopes: {', '.join(foreign)} cannot be given by a {role}; choose of {', '.join(SCOPES[role])}"
        )
    if expires_at is not None and expires_at <= now:
        raise InputError(f"expires_at: {expires_at} is over; name a time to come, or leave it out")
    secret = _random(SECRET_LENGTH)
    row = ApiKeyRow(
        account_id=account_id,
        name=valid_name(name, what="key"),
        public_id=_random(PUBLIC_LENGTH),
        secret_sha256=_hash(secret),
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
    stored = "" if found is None else found[0].secret_sha256
    same = hmac.compare_digest(stored, _hash(secret))
    if found is None or not same:
        raise Unauthenticated
    key, account = found
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


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


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
