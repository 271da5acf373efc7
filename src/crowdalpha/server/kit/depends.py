"""What a route takes: the platform, the time, a session that commits before the answer, and who asks."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Protocol, cast
from urllib.parse import urlsplit

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from crowdalpha.rules.errors import Forbidden
from crowdalpha.server.bootstrap import Platform
from crowdalpha.server.errors import Unauthenticated
from crowdalpha.server.roles import Caller

__all__ = [
    "LOGIN_COOKIE",
    "Administering",
    "Auditing",
    "CallerOf",
    "Clock",
    "Gate",
    "MaybeCaller",
    "Now",
    "Operating",
    "PlatformOf",
    "SessionOf",
    "address_of",
    "allowed",
    "refuse_other_sites",
    "utc_now",
]

LOGIN_COOKIE = "crowdalpha_login"
"""Where a browser keeps what shows that it has signed in."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Clock(Protocol):
    """Tells the time, in UTC."""

    def __call__(self) -> datetime:
        """Return the time now."""


def utc_now() -> datetime:
    """Return the time of this machine."""
    return datetime.now(UTC)


def platform_of(request: Request) -> Platform:
    """Give the platform that the app serves."""
    return cast("Platform", request.app.state.platform)


def now_of(request: Request) -> datetime:
    """Give the time by the app's clock."""
    return cast("Clock", request.app.state.clock)()


PlatformOf = Annotated[Platform, Depends(platform_of)]
Now = Annotated[datetime, Depends(now_of)]


def session_of(platform: PlatformOf) -> Iterator[Session]:
    """Give a session that is committed when the route returns, before the answer is sent."""
    with platform.session() as session:
        yield session


SessionOf = Annotated[Session, Depends(session_of, scope="function")]


class KeyCheck(Protocol):
    """Tells who a key belongs to, or refuses with `Unauthenticated`."""

    def __call__(self, session: Session, *, public_id: str, secret: str, now: datetime) -> Caller:
        """Check a key."""


class LoginCheck(Protocol):
    """Tells who has signed in with a token; None when it has ended."""

    def __call__(self, session: Session, *, token: str, now: datetime) -> Caller | None:
        """Check a login."""


@dataclass(frozen=True, slots=True)
class Gate:
    """The two ways in. The app names them: the features behind them have routes that import this module."""

    by_key: KeyCheck
    by_login: LoginCheck


def maybe_caller(request: Request, platform: PlatformOf, now: Now) -> Caller | None:
    """Tell who asks by the key in the header, else by the login in the cookie; None without either.

    In a transaction of its own: that a key was used is noted also when the request is refused.
    """
    gate = cast("Gate", request.app.state.gate)
    header = request.headers.get("authorization", "")
    if header:
        public_id, dollar, secret = header.split(" ")[-1].partition("$")
        if not dollar:
            raise Unauthenticated
        with platform.session() as session:
            return gate.by_key(session, public_id=public_id, secret=secret, now=now)
    token = request.cookies.get(LOGIN_COOKIE)
    if token is None:
        return None
    with platform.session() as session:
        caller = gate.by_login(session, token=token, now=now)
    if caller is not None:
        refuse_other_sites(request)
    return caller


def refuse_other_sites(request: Request) -> None:
    """Refuse a write that another site made a browser send, along with its cookie if it has one.

    A browser says on each write where it comes from, and no page can change what it says.
    """
    if request.method in SAFE_METHODS:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        ours = site in {"same-origin", "none"}
    else:
        ours = origin is not None and urlsplit(origin).netloc == request.headers.get("host")
    if not ours:
        raise Forbidden("a signed-in browser writes from this site's own pages only; programs use an API key")


def address_of(request: Request) -> str:
    """Tell the address that a request comes from, as the server or its trusted proxy saw it."""
    return "unknown" if request.client is None else request.client.host


MaybeCaller = Annotated[Caller | None, Depends(maybe_caller)]


def caller_of(caller: MaybeCaller) -> Caller:
    """Tell who asks, or refuse."""
    if caller is None:
        raise Unauthenticated
    return caller


CallerOf = Annotated[Caller, Depends(caller_of)]


class allowed:  # noqa: N801  # reads as a word where a route declares what it needs
    """A guard: refuses a caller whose key lacks a scope, and gives the caller otherwise."""

    def __init__(self, scope: str) -> None:
        self.scope = scope

    def __call__(self, caller: CallerOf) -> Caller:
        """Check the scope."""
        if self.scope not in caller.scopes:
            raise Forbidden(f"this key lacks the scope {self.scope}; make a key that has it")
        return caller


Administering = Annotated[Caller, Depends(allowed("administer"))]
Operating = Annotated[Caller, Depends(allowed("operate"))]
Auditing = Annotated[Caller, Depends(allowed("audit"))]
