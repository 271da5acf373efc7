"""All SQL of logins, passwords and letters."""

from datetime import datetime

from sqlalchemy import case, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crowdalpha.server.db.tables import AccountRow, AccountTokenRow, FailedLoginRow, LoginRow

__all__ = [
    "add_login",
    "add_token",
    "count_attempt",
    "end_login",
    "end_logins",
    "end_tokens",
    "find_account",
    "find_failures",
    "find_login",
    "forget_failures",
    "forget_old",
    "list_logins",
    "mark_used",
    "set_password_hash",
    "take_token",
    "uncount_attempt",
]


def find_account(session: Session, account_id: int) -> AccountRow | None:
    """Find an account with its password's hash, held against a change until the transaction ends."""
    return session.get(AccountRow, account_id, with_for_update=True, populate_existing=True)


def set_password_hash(session: Session, account_id: int, password_hash: str) -> None:
    """Store the hash of a password."""
    session.execute(update(AccountRow).where(AccountRow.id == account_id).values(password_hash=password_hash))


def add_login(session: Session, row: LoginRow) -> None:
    """Insert a login."""
    session.add(row)
    session.flush()


def find_login(session: Session, token_sha256: str, *, now: datetime) -> tuple[LoginRow, AccountRow] | None:
    """Find a login that has not ended, with its account if that is open."""
    statement = (
        select(LoginRow, AccountRow)
        .join(AccountRow, AccountRow.id == LoginRow.account_id)
        .where(LoginRow.token_sha256 == token_sha256, LoginRow.expires_at > now, AccountRow.closed_at.is_(None))
    )
    found = session.execute(statement).one_or_none()
    return None if found is None else (found[0], found[1])


def mark_used(session: Session, token_sha256: str, *, now: datetime, expires_at: datetime) -> None:
    """Note that a login was used, and move its end."""
    statement = update(LoginRow).where(LoginRow.token_sha256 == token_sha256)
    session.execute(statement.values(last_used_at=now, expires_at=expires_at))


def list_logins(session: Session, account_id: int, *, now: datetime) -> list[LoginRow]:
    """List the logins of an account that have not ended, newest first."""
    statement = select(LoginRow).where(LoginRow.account_id == account_id, LoginRow.expires_at > now)
    return list(session.scalars(statement.order_by(LoginRow.id.desc())))


def end_login(session: Session, *, account_id: int, login_id: int) -> bool:
    """End one login of an account; says whether there was one."""
    statement = delete(LoginRow).where(LoginRow.account_id == account_id, LoginRow.id == login_id)
    return session.scalars(statement.returning(LoginRow.id)).one_or_none() is not None


def end_logins(session: Session, account_id: int, *, but: str = "") -> None:
    """End every login of an account but the one whose token has this hash."""
    session.execute(delete(LoginRow).where(LoginRow.account_id == account_id, LoginRow.token_sha256 != but))


def add_token(session: Session, row: AccountTokenRow) -> None:
    """Insert what a letter carries."""
    session.add(row)
    session.flush()


def take_token(session: Session, token_sha256: str, *, purpose: str, now: datetime) -> AccountTokenRow | None:
    """Take what a letter carries, so that it works once; None if there is none that has not ended."""
    statement = delete(AccountTokenRow).where(
        AccountTokenRow.token_sha256 == token_sha256,
        AccountTokenRow.purpose == purpose,
        AccountTokenRow.expires_at > now,
    )
    return session.scalars(statement.returning(AccountTokenRow)).one_or_none()


def end_tokens(session: Session, account_id: int, *, purpose: str) -> None:
    """End every letter of one purpose to an account."""
    session.execute(
        delete(AccountTokenRow).where(AccountTokenRow.account_id == account_id, AccountTokenRow.purpose == purpose)
    )


def find_failures(session: Session, subjects: list[str]) -> list[FailedLoginRow]:
    """Find how often of late a name or an address was behind a wrong guess."""
    statement = select(FailedLoginRow).where(FailedLoginRow.subject.in_(subjects))
    return list(session.scalars(statement.execution_options(populate_existing=True)))


def count_attempt(session: Session, subject: str, *, now: datetime, forgotten_before: datetime) -> None:
    """Count one attempt; those before a quiet time are forgotten."""
    again = case((FailedLoginRow.last_at < forgotten_before, 1), else_=FailedLoginRow.n_failed + 1)
    statement = insert(FailedLoginRow).values(subject=subject, n_failed=1, last_at=now)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[FailedLoginRow.subject], set_={"n_failed": again, "last_at": now}
        )
    )


def uncount_attempt(session: Session, subject: str) -> None:
    """Take one attempt back: it was no wrong guess."""
    fewer = func.greatest(FailedLoginRow.n_failed - 1, 0)
    session.execute(update(FailedLoginRow).where(FailedLoginRow.subject == subject).values(n_failed=fewer))


def forget_failures(session: Session, subjects: list[str]) -> None:
    """Forget wrong guesses: the right password came."""
    session.execute(delete(FailedLoginRow).where(FailedLoginRow.subject.in_(subjects)))


def forget_old(session: Session, *, now: datetime, failures_before: datetime) -> None:
    """Delete logins, letters and wrong guesses that have ended."""
    session.execute(delete(LoginRow).where(LoginRow.expires_at <= now))
    session.execute(delete(AccountTokenRow).where(AccountTokenRow.expires_at <= now))
    session.execute(delete(FailedLoginRow).where(FailedLoginRow.last_at < failures_before))
