import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from crowdalpha.errors import InputError
from crowdalpha.server.deliveries.addresses import RefusedAddress
from crowdalpha.server.deliveries.calling import Answer, call, valid_url
from tests.fixtures.certificates import contexts
from tests.fixtures.receiver import LOCAL, Receiver, receiver


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as serving:
        yield serving


def post(url: str, *, timeout_s: float = 5.0, context: ssl.SSLContext | None = None) -> Answer:
    return call(url, body=b"{}", headers={"webhook-id": "m"}, networks=LOCAL, timeout_s=timeout_s, context=context)


def test_a_body_arrives_with_its_headers(hook: Receiver) -> None:
    answer = post(f"{hook.url}?a=b%20c")

    assert (answer.status, answer.arrived, answer.error, answer.text) == (200, True, None, "ok")
    ((path, headers, body),) = hook.requests
    assert (path, body) == ("/hook?a=b%20c", b"{}")
    assert (headers["webhook-id"], headers["content-type"]) == ("m", "application/json")


def test_a_redirect_is_not_followed(hook: Receiver) -> None:
    hook.answer_with(302, headers=f"Location: {hook.url}/other\r\n")

    answer = post(hook.url)

    assert (answer.status, answer.arrived) == (302, False)
    assert "redirects are not followed" in (answer.error or "")
    assert len(hook.requests) == 1


def test_an_answer_byte_by_byte_ends_with_the_time_of_the_call(hook: Receiver) -> None:
    hook.pieces, hook.pause_s = len(hook.answer), 0.1
    started = time.monotonic()

    answer = post(hook.url, timeout_s=0.5)

    assert (answer.status, answer.error) == (None, "no answer within 0.5 seconds")
    assert time.monotonic() - started < 3


def test_an_endless_answer_is_cut(hook: Receiver) -> None:
    hook.answer = b"HTTP/1.1 200 OK\r\n\r\n" + b"x\x00\n" * 5_000_000

    answer = post(hook.url)

    assert (answer.status, len(answer.text)) == (200, 500)
    assert answer.text.isprintable()


def test_what_is_no_http_and_nobody_there_are_told(hook: Receiver) -> None:
    hook.answer = b"SSH-2.0-OpenSSH\r\n"

    assert "the call failed" in (post(hook.url).error or "")
    assert "the call failed" in (post("http://127.0.0.1:1025/").error or "")


def test_this_machine_is_not_called_unless_named(hook: Receiver) -> None:
    answer = call(f"https://localhost:{hook.port}/", body=b"{}", headers={}, networks=(), timeout_s=5.0)

    assert "not on the public internet" in (answer.error or "")
    assert hook.requests == []


def test_the_address_that_was_checked_is_the_one_that_is_called(
    hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = socket.getaddrinfo

    def rebinding(host: str, *rest: object, **named: object) -> object:
        """Lead to this machine first, and elsewhere when asked again."""
        if host != "hook.example.org":
            return real(host, *rest, **named)  # type: ignore[arg-type]  # handed through as it came
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "127.0.0.9"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, hook.port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)

    answer = post(f"http://hook.example.org:{hook.port}/")

    assert answer.arrived
    assert asked == ["hook.example.org"]
    assert hook.requests[0][1]["host"] == f"hook.example.org:{hook.port}"


def test_tls_is_checked_by_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serving, trusting = contexts(tmp_path)
    with receiver(serving) as hook:
        resolved = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", hook.port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: resolved)

        assert post(f"https://hook.example.org:{hook.port}/", context=trusting).arrived
        assert "certificate" in (post(f"https://other.example.org:{hook.port}/", context=trusting).error or "")
        assert "certificate" in (post(f"https://hook.example.org:{hook.port}/").error or "")


@pytest.mark.parametrize(
    "url",
    [
        "http://hook.example.org/",
        "ftp://hook.example.org/",
        "https://",
        "https://user@hook.example.org/",
        "https://user:word@hook.example.org/",
        "https://hook.example.org/#part",
        "https://hook.example.org:22/",
        "https://hook.example.org:99999/",
        "https://hook.example.org/a b",
        "https://hook.example.org/\r\nX: y",
        "https://h\u00f6\u00f6k.example.org/",
        "https://hook.example.org/" + "a" * 2000,
        "https://[::1",
    ],
)
def test_an_address_of_another_shape_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="url: "):
        valid_url(url)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:10.0.0.1]", "169.254.169.254"])
def test_an_address_in_numbers_is_refused_at_once(host: str) -> None:
    with pytest.raises(RefusedAddress):
        valid_url(f"https://{host}/")


def test_an_address_of_a_named_network_may_do_without_tls() -> None:
    assert valid_url("http://127.0.0.1:8000/x", networks=LOCAL) == "http://127.0.0.1:8000/x"
    assert valid_url("https://hook.example.org:8443/x") == "https://hook.example.org:8443/x"
