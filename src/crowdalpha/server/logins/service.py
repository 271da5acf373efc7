"""Sign in and out with a password, change and reset it, and show that an address is one's own.

A login is a token in a browser's cookie; a letter carries another. Of both only the hash is stored.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy.orm import Session

from crowdalpha.rules.errors import Forbidden, NotFound
from crowdalpha.rules.ids import AccountId
from crowdalpha.server.accounts.service import (
    Account,
    change_email,
    find_account,
    get_account,
    role_of,
    valid_email,
)
from crowdalpha.server.db.tables import AccountTokenRow, LoginRow
from crowdalpha.server.errors import TooManyRequests
from crowdalpha.server.log import get_log
from crowdalpha.server.logins import passwords, repository
from crowdalpha.server.logins.attempts import FORGET_AFTER, limits_of
from crowdalpha.server.roles import SCOPES, Caller
from crowdalpha.server.tokens import hash_token, new_token

__all__ = [
    "LOGIN_LASTS",
    "TOKEN_LASTS",
    "Letter",
    "Login",
    "NewLogin",
    "authenticate_login",
    "change_password",
    "check_password",
    "confirm_email",
    "forget_old",
    "list_logins",
    "log_in",
    "log_out",
    "make_token",
    "note_attempt",
    "reset_password",
    "set_password",
    "start_login",
]

log = get_log(__name__)

LOGIN_LASTS = timedelta(days=30)
"""How long a login lasts after its last use."""

TOKEN_LASTS = timedelta(hours=2)
"""How long what a letter carries can be used."""

USE_IS_NOTED_EVERY = timedelta(minutes=10)
MAX_DEVICE = 200

Purpose = Literal["password", "email"]


@dataclass(frozen=True, slots=True)
class Login:
    """A signed-in browser, without its token."""

    id: int
    device: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    is_current: bool


@dataclass(frozen=True, slots=True)
class NewLogin:
    """Who signed in, and the token that the browser keeps."""

    account: Account
    expires_at: datetime
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Letter:
    """What a letter carries to an account; the token is told this once."""

    account: Account
    email: str | None
    expires_at: datetime
    token: str = field(repr=False)


def note_attempt(session: Session, *, name: str, address: str, now: datetime) -> None:
    """Count an attempt to sign in, before its password is looked at, so that many at once count too.

    Commit it even when the attempt fails.

    Raises
    ------
    TooManyRequests
        If the name or the address has to wait; such an attempt does not count.
    """
    limits = limits_of(name, address)
    found = {row.subject: row for row in repository.find_failures(session, [limit.subject for limit in limits])}
    waits = [
        limit.wait(row.n_failed, row.last_at, now=now)
        for limit in limits
        if (row := found.get(limit.subject)) is not None
    ]
    if (longest := max(waits, default=0)) > 0:
        raise TooManyRequests("attempts to sign in", retry_after=longest)
    for limit in limits:
        repository.count_attempt(session, limit.subject, now=now, forgotten_before=now - FORGET_AFTER)


def log_in(session: Session, *, name: str, password: str, address: str, device: str, now: datetime) -> NewLogin | None:
    """Sign in with a name or an address and a password; None if they do not fit, whatever is wrong."""
    account = find_account(session, name)
    row = None if account is None else repository.find_account(session, account.id)
    right = passwords.is_right(password, None if row is None else row.password_hash)
    if account is None or row is None or not right or row.closed_at is not None:
        log.info("login_refused", account_id=None if account is None else account.id)
        return None
    if row.password_hash is not None and passwords.needs_new_hash(row.password_hash):
        new_hash = passwords.hash_password(password, name=account.name, email=account.email)
        repository.set_password_hash(session, account.id, new_hash)
    pair, of_name, of_address = limits_of(name, address)
    repository.forget_failures(session, [pair.subject, of_name.subject])
    repository.uncount_attempt(session, of_address.subject)
    return start_login(session, account_id=account.id, device=device, now=now)


def start_login(session: Session, *, account_id: AccountId, device: str, now: datetime) -> NewLogin:
    """Sign in an account that has shown who it is."""
    account = get_account(session, account_id)
    token, expires_at = new_token(), now + LOGIN_LASTS
    row = LoginRow(
        token_sha256=hash_token(token),
        account_id=account_id,
        device="".join(filter(str.isprintable, device))[:MAX_DEVICE],
        created_at=now,
        expires_at=expires_at,
        last_used_at=now,
    )
    repository.add_login(session, row)
    log.info("logged_in", account_id=account_id, login_id=row.id)
    return NewLogin(account, expires_at, token)


def authenticate_login(session: Session, *, token: str, now: datetime) -> Caller | None:
    """Tell who has signed in with a token, and note that it was used; None if it has ended."""
    found = repository.find_login(session, hash_token(token), now=now)
    if found is None:
        return None
    login, account = found
    if login.last_used_at <= now - USE_IS_NOTED_EVERY:
        repository.mark_used(session, login.token_sha256, now=now, expires_at=now + LOGIN_LASTS)
    role = role_of(account)
    return Caller(AccountId(account.id), role, frozenset(SCOPES[role]))


def list_logins(session: Session, *, account_id: AccountId, token: str | None = None, now: datetime) -> list[Login]:
    """List the logins of an account, newest first; the one with this token is the current one."""
    current = None if token is None else hash_token(token)
    return [
        Login(row.id, row.device, row.created_at, row.last_used_at, row.expires_at, row.token_sha256 == current)
        for row in repository.list_logins(session, account_id, now=now)
    ]


def log_out(session: Session, *, account_id: AccountId, login_id: int) -> None:
    """End a login of an account; a repeat is refused with `NotFound`."""
    if not repository.end_login(session, account_id=account_id, login_id=login_id):
        raise NotFound("login", login_id)
    log.info("logged_out", account_id=account_id, login_id=login_id)


def set_password(session: Session, *, account_id: AccountId, password: str, keep_token: str | None = None) -> None:
    """Give an account a password; every other login of it ends, and so does every letter about a password.

    Raises
    ------
    NotFound
        If there is no such account, or it is closed.
    InputError
        If the password cannot be used.
    """
    row = repository.find_account(session, account_id)
    if row is None or row.closed_at is not None:
        raise NotFound("open account", account_id)
    repository.set_password_hash(session, account_id, passwords.hash_password(password, name=row.name, email=row.email))
    repository.end_logins(session, account_id, but="" if keep_token is None else hash_token(keep_token))
    repository.end_tokens(session, account_id, purpose="password")
    log.info("password_set", account_id=account_id)


def check_password(session: Session, *, account_id: AccountId, password: str) -> None:
    """Check the password of an account that has one, before what cannot be undone.

    Raises
    ------
    Forbidden
        If it is another.
    """
    row = repository.find_account(session, account_id)
    stored = None if row is None else row.password_hash
    if stored is not None and not passwords.is_right(password, stored):
        raise Forbidden("this is not the password of the account; type the present one, or reset it")


def change_password(
    session: Session, *, account_id: AccountId, old: str, new: str, keep_token: str | None = None
) -> None:
    """Change a password, by who knows the present one."""
    check_password(session, account_id=account_id, password=old)
    set_password(session, account_id=account_id, password=new, keep_token=keep_token)


def make_token(
    session: Session, *, account_id: AccountId, purpose: Purpose, email: str | None = None, now: datetime
) -> Letter:
    """Make what a letter carries: the right to set a password, or to call an address one's own. Ends the one before.

    Raises
    ------
    NotFound
        If there is no such account, or it is closed.
    InputError
        If the address cannot be used.
    """
    account = get_account(session, account_id)
    if account.closed_at is not None:
        raise NotFound("open account", account_id)
    address = account.email if email is None else valid_email(email)
    token, expires_at = new_token(), now + TOKEN_LASTS
    repository.end_tokens(session, account_id, purpose=purpose)
    row = AccountTokenRow(
        token_sha256=hash_token(token),
        account_id=account_id,
        purpose=purpose,
        email=address,
        created_at=now,
        expires_at=expires_at,
    )
    repository.add_token(session, row)
    log.info("token_made", account_id=account_id, purpose=purpose)
    return Letter(account, address, expires_at, token)


def reset_password(session: Session, *, token: str, password: str, now: datetime) -> Account:
    """Set a password with what a letter carried; it works once, and every login ends."""
    account_id = _account_of(session, token, purpose="password", now=now)[0]
    set_password(session, account_id=account_id, password=password)
    return get_account(session, account_id)


def confirm_email(session: Session, *, token: str, now: datetime) -> Account:
    """Give an account the address that a letter was read at; it works once."""
    account_id, email = _account_of(session, token, purpose="email", now=now)
    return change_email(session, account_id=account_id, email=email or "")


def forget_old(session: Session, *, now: datetime) -> None:
    """Delete logins, letters and attempts that have ended."""
    repository.forget_old(session, now=now, failures_before=now - FORGET_AFTER)


def _account_of(session: Session, token: str, *, purpose: Purpose, now: datetime) -> tuple[AccountId, str | None]:
    row = repository.take_token(session, hash_token(token), purpose=purpose, now=now)
    if row is None:
        raise NotFound("link", "with this token: it was used, it has expired, or it is mistyped; ask for a new one")
    return AccountId(row.account_id), row.email
