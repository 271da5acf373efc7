"""Requests to a server: one connection pool, retries where a repeat is safe, refusals as exceptions."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx2
from pydantic import JsonValue

from crowdalpha import __version__
from crowdalpha.client.credentials import Credentials
from crowdalpha.client.errors import Refused, ServerUnreachable

__all__ = ["API", "Form", "Transport"]

API = "/api/v1"
TIMEOUT = httpx2.Timeout(30.0, read=120.0)
RETRIES = 3
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 60.0
TRY_AGAIN = frozenset({429, 502, 503, 504})
NOT_TAKEN = 429
"""The status of a request that was turned away unread, so that even a write may be sent again."""

Params = Mapping[str, str | int | bool | None]


@dataclass(frozen=True, slots=True)
class Form:
    """A file as the part `file` of a form, and what is said about it in the other parts."""

    filename: str
    content: bytes
    fields: Mapping[str, str]


class Transport:
    """Sends requests and turns refusals into `Refused`.

    Parameters
    ----------
    server : Credentials or str
        Server and key, or the address alone for what needs no key. Nothing is sent to any other server.
    transport : httpx2.BaseTransport, optional
        Another way to the server than the network, such as an app in this process.
    sleep : callable, default=time.sleep
        Waits between two tries.
    """

    def __init__(
        self,
        server: Credentials | str,
        *,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.base = (server if isinstance(server, str) else server.url).rstrip("/")
        own = {"Origin": self.base} if isinstance(server, str) else {"Authorization": server.header}
        self.sleep = sleep
        self._client = httpx2.Client(
            base_url=self.base,
            headers={"User-Agent": f"crowdalpha/{__version__}", **own},
            timeout=TIMEOUT,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, path: str, params: Params | None = None) -> JsonValue:
        """Read JSON."""
        return _json(self.send("GET", path, params=params))

    def post(self, path: str, body: JsonValue = None, *, form: Form | None = None, key: str | None = None) -> JsonValue:
        """Write; with an idempotency `key` a repeat after a lost answer is safe and made."""
        headers = {"Idempotency-Key": key} if key is not None else {}
        answer = self.send("POST", path, json=body, form=form, headers=headers, repeat=key is not None)
        return _json(answer) if answer.content else None

    def send(  # what a request is made of
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: JsonValue = None,
        content: bytes | None = None,
        form: Form | None = None,
        headers: Mapping[str, str] | None = None,
        repeat: bool | None = None,
    ) -> httpx2.Response:
        """Send one request and return the answer, whole.

        Raises
        ------
        Refused
            If the server says no.
        ServerUnreachable
            If there is no answer; a request that may have had an effect is not sent twice.
        """
        may_repeat = method in {"GET", "HEAD", "PUT", "DELETE"} if repeat is None else repeat
        wanted = {name: value for name, value in (params or {}).items() if value is not None}
        request = self._client.build_request(
            method,
            self._path(path),
            params=wanted,
            json=json,
            content=content,
            data=None if form is None else dict(form.fields),
            files=None if form is None else {"file": (form.filename, form.content)},
            headers=dict(headers or {}),
        )
        wait = FIRST_WAIT_S
        for left in range(RETRIES, -1, -1):
            try:
                answer = self._client.send(request)
            except httpx2.TransportError as error:
                if left == 0 or not (may_repeat or isinstance(error, httpx2.ConnectError)):
                    raise ServerUnreachable(f"{self.base} gives no answer: {error or type(error).__name__}") from error
            else:
                asked = _retry_after(answer)
                again = answer.status_code in TRY_AGAIN and (may_repeat or answer.status_code == NOT_TAKEN)
                if left == 0 or not again or asked > LONGEST_WAIT_S:
                    return _checked(answer)
                wait = max(wait, asked)
            self.sleep(wait)
            wait *= 2
        raise ServerUnreachable(f"{self.base} gives no answer")

    @contextmanager
    def stream(self, path: str, headers: Mapping[str, str]) -> Iterator[httpx2.Response]:
        """Open an answer that is read piece by piece."""
        with self._client.stream("GET", self._path(path), headers=dict(headers)) as answer:
            if not answer.is_success:
                answer.read()
                _checked(answer)
            yield answer

    def _path(self, path: str) -> str:
        """Keep to the one server that the key is for."""
        inside = path.removeprefix(self.base)
        return inside if inside.startswith(API) else f"{API}{inside}"


def _json(answer: httpx2.Response) -> JsonValue:
    try:
        return answer.json()  # type: ignore[no-any-return]  # JSON is what it is
    except ValueError as error:
        raise ServerUnreachable(f"{answer.request.url} is no crowdalpha server: it answers without JSON") from error


def _retry_after(answer: httpx2.Response) -> float:
    value = answer.headers.get("retry-after", "0")
    return float(value) if value.isdecimal() else 0.0


def _checked(answer: httpx2.Response) -> httpx2.Response:
    if answer.is_success:
        return answer
    try:
        error = answer.json()["error"]
        message, code = str(error["message"]), str(error["code"])
    except (ValueError, KeyError, TypeError):
        message = f"{answer.request.method} {answer.request.url.path}: status {answer.status_code}"
        raise Refused(message, status=answer.status_code, code="refused") from None
    raise Refused(
        message,
        status=answer.status_code,
        code=code,
        field=error.get("field"),
        row=error.get("row"),
        request_id=error.get("request_id"),
    )
