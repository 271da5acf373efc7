"""What a route takes: the platform, the time, a session that commits before the answer, and who asks."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Protocol, cast

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from crowdalpha.rules.errors import Forbidden
from crowdalpha.server.bootstrap import Platform
from crowdalpha.server.errors import Unauthenticated
from crowdalpha.server.keys.service import Caller, authenticate

__all__ = [
    "Auditing",
    "CallerOf",
    "Clock",
    "MaybeCaller",
    "Now",
    "Operating",
    "PlatformOf",
    "SessionOf",
    "allowed",
    "utc_now",
]


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


def maybe_caller(request: Request, platform: PlatformOf, now: Now) -> Caller | None:
    """Tell who asks by the key in the header; None without one.

    In a transaction of its own: that a key was used is noted also when the request is refused.
    """
    header = request.headers.get("authorization", "")
    if not header:
        return None
    public_id, dollar, secret = header.split(" ")[-1].partition("$")
    if not dollar:
        raise Unauthenticated
    with platform.session() as session:
        return authenticate(session, public_id=public_id, secret=secret, now=now)


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


Operating = Annotated[Caller, Depends(allowed("operate"))]
Auditing = Annotated[Caller, Depends(allowed("audit"))]
