"""Limits that hold for every request: how many, how large, how slow; and headers that browsers keep to.

All of it is plain ASGI, outside of the routes: a request beyond a limit costs next to nothing.
"""

import asyncio
import json
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["BodyLimit", "Buckets", "Rate", "RateLimit", "SecurityHeaders"]

MAX_BUCKETS = 100_000


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests a second in the long run, and so many at once; a rate of 0 is no limit."""

    per_second: float
    burst: int


class Buckets:
    """One bucket of tokens a name: it fills by the rate up to the burst, and each request takes a token."""

    def __init__(self, rate: Rate, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = rate, clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str) -> int:
        """Take a token; says after how many seconds there is one, 0 if there was."""
        if self._rate.per_second == 0:
            return 0
        now = self._clock()
        level, at = self._levels.pop(name, (float(self._rate.burst), now))
        level = min(level + (now - at) * self._rate.per_second, float(self._rate.burst))
        allowed = level >= 1.0
        self._levels[name] = (level - allowed, now)
        if len(self._levels) > MAX_BUCKETS:  # the one that was not asked for longest is the fullest
            self._levels.popitem(last=False)
        return 0 if allowed else math.ceil((1.0 - level) / self._rate.per_second)


class RateLimit:
    """Middleware that refuses requests beyond the rate of their key, or of their address.

    The public half of a key names its bucket before anybody checked the key: whoever makes keys up still stays
    within the rate of the address.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        by_key: Rate,
        by_address: Rate,
        clock: Callable[[], float] = time.monotonic,
        graphql: frozenset[str] = frozenset({"/", "/graphql"}),
    ) -> None:
        self._app, self._graphql = app, graphql
        self._keys, self._addresses = Buckets(by_key, clock=clock), Buckets(by_address, clock=clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        client = scope.get("client")
        wait = self._addresses.take("unknown" if client is None else client[0])
        header = Headers(scope=scope).get("authorization", "")
        if header and not wait:
            wait = self._keys.take(header.split(" ")[-1].partition("$")[0][:100])
        if not wait:
            await self._app(scope, receive, send)
            return
        message = f"too many requests; try again in {wait} seconds"
        if scope["method"] == "POST" and scope["path"] in self._graphql:
            # clients of GraphQL read errors out of answers that went well
            await _answer(send, 200, {"data": None, "errors": [{"message": message}]}, {})
            return
        state: Mapping[str, object] = scope.get("state", {})
        error = {"code": "too_many_requests", "message": message, "field": None, "row": None}
        body = {"error": {**error, "request_id": state.get("request_id")}}
        await _answer(send, 429, body, {"retry-after": str(wait)})


class BodyLimit:
    """Middleware that ends requests whose body is too long or too slow.

    Paths that start with one of `elsewhere` look after their bodies themselves.
    """

    def __init__(
        self, app: ASGIApp, *, max_bytes: int, pause: timedelta, total: timedelta, elsewhere: tuple[str, ...]
    ) -> None:
        self._app, self._max_bytes, self._elsewhere = app, max_bytes, elsewhere
        self._pause, self._total = pause.total_seconds(), total.total_seconds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request and count what comes of it."""
        if scope["type"] != "http" or scope["path"].startswith(self._elsewhere):
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "0")
        body = _Body(receive, self._max_bytes, pause=self._pause, ends_at=time.monotonic() + self._total)
        if length.isdecimal() and int(length) > self._max_bytes:
            body.n_bytes = int(length)  # refused when it is read: a route that reads no body is not bothered
        await self._app(scope, body.receive, send)


class _Body:
    """The body of one request, counted and timed while it comes."""

    def __init__(self, receive: Receive, max_bytes: int, *, pause: float, ends_at: float) -> None:
        self._receive, self._max_bytes = receive, max_bytes
        self._pause, self._ends_at = pause, ends_at
        self._is_over = False
        self.n_bytes = 0

    async def receive(self) -> Message:
        """Receive the next message; once the body is over only the end of the connection is waited for."""
        if self._is_over:
            return await self._receive()
        if self.n_bytes > self._max_bytes:
            raise self._too_large()
        try:
            async with asyncio.timeout(min(self._pause, max(self._ends_at - time.monotonic(), 0.0))):
                message = await self._receive()
        except TimeoutError as error:
            raise HTTPException(408, "the body of the request came too slowly; send it again") from error
        self._is_over = not message.get("more_body", False)
        self.n_bytes += len(message.get("body", b""))
        if self.n_bytes > self._max_bytes:
            raise self._too_large()
        return message

    def _too_large(self) -> HTTPException:
        return HTTPException(413, f"the body of the request has more than {self._max_bytes} bytes; upload large files")


class SecurityHeaders:
    """Middleware that tells browsers what answers are not: pages to guess the type of, to frame, or to keep."""

    EVERYWHERE = (
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
    )
    DATA = (
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("cache-control", "no-store"),
    )

    def __init__(self, app: ASGIApp, *, data_under: str) -> None:
        self._app, self._data_under = app, data_under

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request and add what its answer does not say itself."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wanted = self.EVERYWHERE + (self.DATA if scope["path"].startswith(self._data_under) else ())

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in wanted:
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


async def _answer(send: Send, status: int, body: object, headers: Mapping[str, str]) -> None:
    content = json.dumps(body).encode()
    raw = {"content-type": "application/json", "content-length": str(len(content)), **headers}
    fields = [(name.encode(), value.encode()) for name, value in raw.items()]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": content})
