"""HTTP of logins, passwords and addresses."""

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, Request, Response, status

from crowdalpha.rules.errors import Conflict, Forbidden
from crowdalpha.rules.ids import AccountId
from crowdalpha.server.accounts.schemas import AccountOut
from crowdalpha.server.accounts.service import close_account, get_account, valid_email
from crowdalpha.server.errors import Unauthenticated
from crowdalpha.server.kit.depends import (
    LOGIN_COOKIE,
    CallerOf,
    Now,
    Operating,
    PlatformOf,
    SessionOf,
    address_of,
    allowed,
)
from crowdalpha.server.kit.ids import Id
from crowdalpha.server.kit.links import base_of, is_secure
from crowdalpha.server.logins import service
from crowdalpha.server.logins.letters import mail_email, mail_password, sends_mail
from crowdalpha.server.logins.schemas import (
    CloseIn,
    EmailIn,
    LinkOut,
    LoggedInOut,
    LoginIn,
    LoginOut,
    PasswordIn,
    ResetIn,
    SentOut,
    TokenIn,
)
from crowdalpha.server.roles import SCOPES, Caller, may_manage

__all__ = ["keep_login", "router"]

router = APIRouter(tags=["logins"])

Reading = Annotated[Caller, Depends(allowed("read_user_info"))]
Writing = Annotated[Caller, Depends(allowed("write_user_info"))]


def whole(caller: CallerOf) -> Caller:
    """Refuse a key that may not do all that its account may: what follows would give it the rest."""
    if caller.scopes != frozenset(SCOPES[caller.role]):
        raise Forbidden("this needs a login, or a key with every scope of its account")
    return caller


Whole = Annotated[Caller, Depends(whole)]


def keep_login(response: Response, made: service.NewLogin, *, secure: bool) -> None:
    """Put a login into the cookie of a browser: out of reach of scripts and of other sites' writes."""
    response.set_cookie(
        LOGIN_COOKIE,
        made.token,
        max_age=int(service.LOGIN_LASTS.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=secure,
    )


@router.post("/logins", status_code=status.HTTP_201_CREATED)
def log_in(
    request: Request, response: Response, platform: PlatformOf, session: SessionOf, now: Now, body: LoginIn
) -> LoggedInOut:
    """Sign in a browser; the token of the login is in the cookie alone."""
    address = address_of(request)
    with platform.session() as counting:
        service.note_attempt(counting, name=body.name, address=address, now=now)
    made = service.log_in(
        session,
        name=body.name,
        password=body.password,
        address=address,
        device=request.headers.get("user-agent", ""),
        now=now,
    )
    if made is None:
        raise Unauthenticated
    keep_login(response, made, secure=is_secure(platform, request))
    return LoggedInOut.of(made)


@router.get("/logins")
def list_logins(request: Request, session: SessionOf, caller: Reading, now: Now) -> list[LoginOut]:
    """List the caller's signed-in browsers, newest first."""
    token = request.cookies.get(LOGIN_COOKIE)
    found = service.list_logins(session, account_id=caller.account_id, token=token, now=now)
    return [LoginOut.of(login) for login in found]


@router.delete("/logins/current", status_code=status.HTTP_204_NO_CONTENT)
def log_out(request: Request, response: Response, session: SessionOf, caller: CallerOf, now: Now) -> None:
    """Sign out this browser; without a login there is nothing to do."""
    token = request.cookies.get(LOGIN_COOKIE)
    for login in service.list_logins(session, account_id=caller.account_id, token=token, now=now):
        if login.is_current:
            service.log_out(session, account_id=caller.account_id, login_id=login.id)
    response.delete_cookie(LOGIN_COOKIE, path="/")


@router.delete("/logins/{login_id}", status_code=status.HTTP_204_NO_CONTENT)
def end_login(session: SessionOf, caller: Writing, login_id: Id) -> None:
    """Sign out one of the caller's browsers."""
    service.log_out(session, account_id=caller.account_id, login_id=login_id)


@router.put("/account/password", status_code=status.HTTP_204_NO_CONTENT)
def change_password(request: Request, session: SessionOf, caller: Whole, body: PasswordIn) -> None:
    """Change the caller's password; every other browser is signed out."""
    token = request.cookies.get(LOGIN_COOKIE)
    service.change_password(session, account_id=caller.account_id, old=body.old, new=body.new, keep_token=token)


@router.post("/account/close")
def close_own_account(session: SessionOf, caller: Whole, now: Now, body: CloseIn) -> AccountOut:
    """End the caller's account for good."""
    service.check_password(session, account_id=caller.account_id, password=body.password)
    return AccountOut.of(close_account(session, account_id=caller.account_id, now=now))


@router.post("/account/password-letter", status_code=status.HTTP_202_ACCEPTED)
def send_password_letter(platform: PlatformOf, later: BackgroundTasks, now: Now, body: EmailIn) -> SentOut:
    """Send the right to set a password to an address; the answer is the same for every address."""
    if not sends_mail(platform):
        return SentOut(sends_mail=False, message="this platform sends no letters; ask its operator for a link")
    later.add_task(mail_password, platform, body.email, now)
    return SentOut(sends_mail=True, message="if an account has this address, a letter is on its way")


@router.post("/account/password-reset", status_code=status.HTTP_204_NO_CONTENT)
def reset_password(session: SessionOf, now: Now, body: ResetIn) -> None:
    """Set a password with what a letter or the operator gave."""
    service.reset_password(session, token=body.token, password=body.password, now=now)


@router.post("/account/email", status_code=status.HTTP_202_ACCEPTED)
def send_email_letter(platform: PlatformOf, later: BackgroundTasks, caller: Whole, now: Now, body: EmailIn) -> SentOut:
    """Send a letter to the address that the caller wants to use; it counts once the letter is answered."""
    if not sends_mail(platform):
        raise Conflict("this platform sends no letters and cannot check an address; ask its operator to set it")
    later.add_task(mail_email, platform, caller.account_id, valid_email(body.email), now)
    return SentOut(sends_mail=True, message="a letter is on its way; open its link to use the address")


@router.post("/account/email-confirm")
def confirm_email(session: SessionOf, now: Now, body: TokenIn) -> AccountOut:
    """Use the address that a letter was read at."""
    return AccountOut.of(service.confirm_email(session, token=body.token, now=now))


@router.post("/accounts/{account_id}/password-link")
def make_password_link(
    request: Request, platform: PlatformOf, session: SessionOf, caller: Operating, now: Now, account_id: Id
) -> LinkOut:
    """Make a link with which a person sets a new password, for the operator to hand over."""
    account = get_account(session, AccountId(account_id))
    if not may_manage(caller, account.role):
        raise Forbidden(f"only the owner makes a link for the account of an {account.role}; ask the owner")
    made = service.make_token(session, account_id=account.id, purpose="password", now=now)
    link = f"{base_of(platform, request)}/password/{made.token}"
    return LinkOut(link=link, token=made.token, expires_at=made.expires_at)
