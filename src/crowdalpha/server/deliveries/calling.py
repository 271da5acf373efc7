"""One call of a webhook: to the very address that was checked, with limits on time and size, and no redirects."""

import ssl
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import cast
from urllib.parse import urlsplit

import httpcore2

from crowdalpha.errors import InputError
from crowdalpha.server.deliveries.addresses import Address, Network, RefusedAddress, allowed_addresses, is_allowed

__all__ = ["MAX_ANSWER", "Answer", "call", "valid_url"]

MAX_URL = 2000
MAX_ANSWER = 16 << 10
"""Most bytes of an answer that are read; the rest is left."""

SHOWN = 500
LOWEST_OTHER_PORT = 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call: a status, or why there is none."""

    status: int | None
    error: str | None
    text: str
    duration_ms: int

    @property
    def arrived(self) -> bool:
        """Whether the receiver said that it took the message."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004  # HTTP's own numbers


def valid_url(url: str, *, networks: Sequence[Network] = ()) -> str:
    """Check the shape of a webhook's address; where its host leads is checked at each call.

    Raises
    ------
    InputError
        If it is not https, names a user, a fragment or a low port of another service, or is not plain ASCII.
    RefusedAddress
        If its host is written as an address that is not public.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise InputError("url: not an address; write https://host/path") from None
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > MAX_URL:
        raise InputError(f"url: use at most {MAX_URL} plain characters, others percent-encoded")
    if parts.scheme != "https" and not (parts.scheme == "http" and networks):
        raise InputError("url: write https://host/path; nothing is sent unencrypted")
    if not host or parts.username is not None or parts.password is not None or parts.fragment:
        raise InputError("url: write https://host/path, with no user, password or fragment in it")
    if port is not None and port not in {80, 443} and port < LOWEST_OTHER_PORT:
        raise InputError(f"url: port {port} is another service's; use 443, or one from {LOWEST_OTHER_PORT}")
    address = _address(host)
    if address is not None and not is_allowed(address, networks):
        raise RefusedAddress("the host of the webhook is not on the public internet; use one that is")
    return url


def _address(host: str) -> Address | None:
    """Read a host that is written as an address; None if it is a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def call(
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    networks: Sequence[Network],
    timeout_s: float,
    context: ssl.SSLContext | None = None,
) -> Answer:
    """POST a body, and never raise.

    Parameters
    ----------
    url : str
        Where to; checked again here.
    body : bytes
        What is sent.
    headers : mapping
        Beside those that HTTP needs.
    networks : sequence of Network
        What may be called though it is not public.
    timeout_s : float
        For all of it, from the connection to the last byte read.
    context : ssl.SSLContext, optional
        Whom to trust; the system's authorities by default.
    """
    started = time.monotonic()
    status, error, text = None, None, ""
    try:
        status, text = _post(url, body, headers, _Checked(networks, deadline=started + timeout_s), context)
    except InputError as refused:
        error = str(refused)
    except httpcore2.TimeoutException:
        error = f"no answer within {timeout_s:g} seconds"
    except (httpcore2.NetworkError, httpcore2.ProtocolError, ssl.SSLError, OSError) as failed:
        error = f"the call failed: {failed}" if str(failed) else f"the call failed: {type(failed).__name__}"
    if status is not None and 300 <= status < 400:  # noqa: PLR2004  # HTTP's own numbers
        error = "the receiver redirects, and redirects are not followed; use the address that it leads to"
    return Answer(status, error, text, round((time.monotonic() - started) * 1000))


def _post(
    url: str, body: bytes, headers: Mapping[str, str], backend: "_Checked", context: ssl.SSLContext | None
) -> tuple[int, str]:
    parts = urlsplit(valid_url(url, networks=backend.networks))
    host = parts.hostname or ""
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    place = httpcore2.URL(scheme=parts.scheme.encode(), host=host.encode(), port=port, target=target.encode())
    fixed = {"Host": parts.netloc, "Content-Type": "application/json", "User-Agent": "crowdalpha"}
    sent: list[tuple[bytes | str, bytes | str]] = [*fixed.items(), *headers.items()]
    with (
        httpcore2.ConnectionPool(
            ssl_context=context or ssl.create_default_context(), network_backend=backend, max_connections=1
        ) as pool,
        pool.stream("POST", place, headers=sent, content=body) as response,
    ):
        return response.status, _beginning(response.iter_stream())


def _beginning(chunks: Iterable[bytes]) -> str:
    """Read an answer up to the limit, and give its beginning as one printable line."""
    read = b""
    for chunk in chunks:
        read += chunk[: MAX_ANSWER - len(read)]
        if len(read) >= MAX_ANSWER:
            break
    text = " ".join(read.decode("utf-8", errors="replace").split())
    return "".join(filter(str.isprintable, text))[:SHOWN]


class _Checked(httpcore2.NetworkBackend):
    """Resolves a host once, checks what came, and connects to just that: a second answer of DNS is never asked for."""

    def __init__(self, networks: Sequence[Network], *, deadline: float) -> None:
        self.networks = networks
        self.deadline = deadline
        self._inner = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002  # the deadline is for the whole call
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first address that answers."""
        failed: Exception | None = None
        for address in allowed_addresses(host, port, self.networks):
            try:
                stream = self._inner.connect_tcp(
                    str(address), port, _left(self.deadline), local_address, socket_options
                )
            except httpcore2.ConnectError as error:
                failed = error
            else:
                return _Bounded(stream, self.deadline)
        raise failed or httpcore2.ConnectError("no address")

    def sleep(self, seconds: float) -> None:
        """Wait; never called without retries of the pool."""
        self._inner.sleep(seconds)


class _Bounded(httpcore2.NetworkStream):
    """A stream whose every step ends at one deadline, so that an answer byte by byte ends too."""

    def __init__(self, inner: httpcore2.NetworkStream, deadline: float) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002  # one deadline
        return self._inner.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002  # one deadline
        self._inner.write(buffer, _left(self._deadline))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002  # one deadline
    ) -> httpcore2.NetworkStream:
        inner = self._inner.start_tls(ssl_context, server_hostname, _left(self._deadline))
        return _Bounded(inner, self._deadline)

    def get_extra_info(self, info: str) -> object:
        return cast("object", self._inner.get_extra_info(info))


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout("the time of the call is over")
    return left
