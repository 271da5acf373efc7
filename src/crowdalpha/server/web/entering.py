"""Pages for who comes in: invitations, signing in and out, new passwords, addresses."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, BackgroundTasks, Form, Query, Request, Response, status
from fastapi.responses import RedirectResponse

from crowdalpha.errors import InputError
from crowdalpha.rules.errors import Conflict
from crowdalpha.server.errors import TooManyRequests
from crowdalpha.server.invites.service import accept_invite, read_invite
from crowdalpha.server.kit.depends import LOGIN_COOKIE, Now, PlatformOf, SessionOf, address_of
from crowdalpha.server.kit.links import base_of, is_secure
from crowdalpha.server.kit.problems import status_of
from crowdalpha.server.logins import service as logins
from crowdalpha.server.logins.letters import mail_password, sends_mail
from crowdalpha.server.logins.routes import keep_login
from crowdalpha.server.roles import SCOPES, Caller
from crowdalpha.server.web.pages import Viewer, page

__all__ = ["router"]

router = APIRouter()

Text = Annotated[str, Form(max_length=256)]
Local = Annotated[str, Query(max_length=1000)]
SEE_OTHER = status.HTTP_303_SEE_OTHER


@router.get("/invite/{token}")
def show_invite(request: Request, platform: PlatformOf, session: SessionOf, now: Now, token: str) -> Response:
    """Show an invitation that can be used."""
    invite = read_invite(session, token=token, now=now)
    provider = platform.settings.oidc_issuer is not None
    return page(request, "invite", invite=invite, token=token, name="", wrong="", provider=provider)


@router.post("/invite/{token}")
def accept(  # the parts of a form, and where it came from
    request: Request, platform: PlatformOf, now: Now, token: str, name: Text = "", password: Text = "", again: Text = ""
) -> Response:
    """Open the account, sign the browser in and show the first key, once."""
    try:
        _same(password, again)
        with platform.session() as session:
            accepted = accept_invite(session, token=token, name=name, password=password, now=now)
            device = request.headers.get("user-agent", "")
            login = logins.start_login(session, account_id=accepted.account.id, device=device, now=now)
    except (InputError, Conflict) as error:
        with platform.session() as session:
            invite = read_invite(session, token=token, now=now)
        provider = platform.settings.oidc_issuer is not None
        values = {"invite": invite, "token": token, "name": name, "wrong": str(error), "provider": provider}
        return page(request, "invite", status=status_of(error), **values)
    role = accepted.account.role
    request.state.viewer = Caller(accepted.account.id, role, frozenset(SCOPES[role]))
    heading = f"Welcome, {accepted.account.name}"
    base = base_of(platform, request)
    answer = page(
        request, "key", status=status.HTTP_201_CREATED, heading=heading, made=accepted.key, base=base, grace=False
    )
    keep_login(answer, login, secure=is_secure(platform, request))
    return answer


@router.get("/login")
def show_login(
    request: Request,
    platform: PlatformOf,
    viewer: Viewer,
    target: Annotated[str, Query(alias="next", max_length=1000)] = "/",
) -> Response:
    """Show the form to sign in with; who has signed in is led on."""
    if viewer is not None:
        return RedirectResponse(_local(target), status_code=SEE_OTHER)
    provider = platform.settings.oidc_issuer is not None
    return page(request, "login", target=_local(target), name="", wrong="", provider=provider)


@router.post("/login")
def log_in(  # the parts of a form, and where it came from
    request: Request,
    platform: PlatformOf,
    now: Now,
    name: Text,
    password: Text,
    target: Annotated[str, Form(alias="next", max_length=1000)] = "/",
) -> Response:
    """Sign in, and lead on to the page that was asked for."""
    address, device = address_of(request), request.headers.get("user-agent", "")
    wrong, code, headers = "", status.HTTP_401_UNAUTHORIZED, {}
    try:
        with platform.session() as counting:
            logins.note_attempt(counting, name=name, address=address, now=now)
        with platform.session() as session:
            made = logins.log_in(session, name=name, password=password, address=address, device=device, now=now)
    except TooManyRequests as error:
        made, wrong, code = None, str(error), status_of(error)
        headers = {"retry-after": str(error.retry_after)}
    if made is not None:
        answer: Response = RedirectResponse(_local(target), status_code=SEE_OTHER)
        keep_login(answer, made, secure=is_secure(platform, request))
        return answer
    wrong = wrong or "name and password do not fit; try again, or set a new password"
    provider = platform.settings.oidc_issuer is not None
    values = {"target": _local(target), "name": name, "wrong": wrong, "provider": provider}
    answer = page(request, "login", status=code, **values)
    answer.headers.update(headers)
    return answer


@router.post("/logout")
def log_out(request: Request, session: SessionOf, viewer: Viewer, now: Now) -> Response:
    """Sign out this browser; without a login there is nothing to do."""
    token = request.cookies.get(LOGIN_COOKIE)
    if viewer is not None and token is not None:
        for login in logins.list_logins(session, account_id=viewer.account_id, token=token, now=now):
            if login.is_current:
                logins.log_out(session, account_id=viewer.account_id, login_id=login.id)
    answer = RedirectResponse("/", status_code=SEE_OTHER)
    answer.delete_cookie(LOGIN_COOKIE, path="/")
    return answer


@router.get("/password")
def show_forgotten(request: Request, platform: PlatformOf, viewer: Viewer) -> Response:  # noqa: ARG001  # for the head
    """Show the form that asks for a letter with a link to set a password."""
    return page(request, "forgotten", sends_mail=sends_mail(platform), sent=False)


@router.post("/password")
def send_letter(request: Request, platform: PlatformOf, later: BackgroundTasks, now: Now, email: Text) -> Response:
    """Send a letter; the page is the same for every address."""
    if sends_mail(platform):
        later.add_task(mail_password, platform, email, now)
    return page(request, "forgotten", sends_mail=sends_mail(platform), sent=True)


@router.get("/password/{token}")
def show_password(request: Request, token: str) -> Response:  # noqa: ARG001  # the form is sent to the same address
    """Show the form for a new password; whether the link works is told when it is used."""
    return page(request, "password", wrong="")


@router.post("/password/{token}")
def set_password(
    request: Request, platform: PlatformOf, now: Now, token: str, password: Text = "", again: Text = ""
) -> Response:
    """Set a password; the link works once, and every login ends."""
    try:
        _same(password, again)
        with platform.session() as session:
            logins.reset_password(session, token=token, password=password, now=now)
    except InputError as error:
        return page(request, "password", status=status_of(error), wrong=str(error))
    return page(request, "done", title="Your password is set", message="Sign in with it. Your API keys work on.")


@router.get("/email/{token}")
def show_email(request: Request, token: str) -> Response:  # noqa: ARG001  # the form is sent to the same address
    """Ask before an address is used: programs that read letters open links too."""
    return page(request, "email")


@router.post("/email/{token}")
def confirm_email(request: Request, session: SessionOf, now: Now, token: str) -> Response:
    """Use the address that a letter was read at."""
    account = logins.confirm_email(session, token=token, now=now)
    message = f"The account {account.name} uses {account.email} from now on."
    return page(request, "done", title="Your address is confirmed", message=message)


def _same(password: str, again: str) -> None:
    if password != again:
        raise InputError("the two passwords differ; type the same one twice")


def _local(target: str) -> str:
    """Keep to this site: whoever writes a link chooses where it leads after signing in."""
    inside = target.startswith("/") and not target.startswith("//") and "\\" not in target and target.isprintable()
    return quote(target, safe="/?&=%.-_~") if inside else "/"
