import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import Message

from crowdalpha.server.kit.limits import BodyLimit, Buckets, Rate, RateLimit, SecurityHeaders

SECOND = timedelta(seconds=1)


class Watch:
    """Seconds that tests move."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


def app() -> Starlette:
    paths = ("/", "/api/echo", "/elsewhere/echo")
    return Starlette(routes=[Route(path, echo, methods=["GET", "POST"]) for path in paths])


def test_a_bucket_gives_its_burst_and_then_what_its_rate_fills() -> None:
    watch = Watch()
    buckets = Buckets(Rate(per_second=2.0, burst=3), clock=watch)

    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 1]
    watch.now = 1.0
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 1]


def test_each_name_has_a_bucket_and_no_rate_is_no_limit() -> None:
    buckets = Buckets(Rate(per_second=1.0, burst=1), clock=Watch())
    free = Buckets(Rate(per_second=0.0, burst=1), clock=Watch())

    assert [buckets.take("a"), buckets.take("b"), buckets.take("a")] == [0, 0, 1]
    assert {free.take("a") for _ in range(10)} == {0}


def test_a_bucket_is_never_fuller_than_its_burst() -> None:
    watch = Watch()
    buckets = Buckets(Rate(per_second=1.0, burst=2), clock=watch)
    buckets.take("a")
    watch.now = 1e6

    assert [buckets.take("a") for _ in range(3)] == [0, 0, 1]


def limited(*, by_key: int, by_address: int) -> TestClient:
    return TestClient(RateLimit(app(), by_key=Rate(1.0, by_key), by_address=Rate(1.0, by_address), clock=Watch()))


def test_a_key_beyond_its_rate_is_told_when_to_come_back() -> None:
    client = limited(by_key=1, by_address=10)
    key = {"Authorization": "Token public$secret"}
    answers = [client.get("/api/echo", headers=key) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].headers["retry-after"] == "1"
    assert answers[1].json()["error"]["code"] == "too_many_requests"
    assert client.get("/api/echo", headers={"Authorization": "Token other$secret"}).status_code == 200


def test_made_up_keys_stay_within_the_rate_of_their_address() -> None:
    client = limited(by_key=10, by_address=2)
    statuses = [
        client.get("/api/echo", headers={"Authorization": f"Token {place}$x"}).status_code for place in range(3)
    ]

    assert statuses == [200, 200, 429]


def test_clients_of_graphql_are_refused_in_their_own_way() -> None:
    client = limited(by_key=1, by_address=1)
    client.post("/")

    answer = client.post("/")
    assert answer.status_code == 200
    assert "too many requests" in answer.json()["errors"][0]["message"]


def sized(max_bytes: int) -> TestClient:
    limit = BodyLimit(app(), max_bytes=max_bytes, pause=SECOND, total=SECOND, elsewhere=("/elsewhere/",))
    return TestClient(limit)


def test_a_body_beyond_the_limit_is_refused_told_or_not() -> None:
    client = sized(10)

    assert client.post("/api/echo", content=b"x" * 10).text == "10"
    assert client.post("/api/echo", content=b"x" * 11).status_code == 413
    assert client.post("/api/echo", content=iter([b"x" * 6, b"x" * 6])).status_code == 413
    assert client.post("/elsewhere/echo", content=b"x" * 11).text == "11"


async def slow() -> Message:
    await asyncio.sleep(10)
    return {"type": "http.disconnect"}


def status_of(receive: Callable[[], Awaitable[Message]], *, pause: timedelta, total: timedelta) -> int:
    """Send a request by hand, and give the status of the answer."""
    statuses: list[int] = []

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    limit = BodyLimit(app(), max_bytes=1 << 20, pause=pause, total=total, elsewhere=("/elsewhere/",))
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/echo",
        "raw_path": b"/api/echo",
        "root_path": "",
        "query_string": b"",
        "headers": [],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("test", 80),
        "client": ("test", 1),
    }
    asyncio.run(limit(scope, receive, send))
    return statuses[0]


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    assert status_of(slow, pause=timedelta(milliseconds=20), total=SECOND) == 408


def test_a_body_that_comes_in_drops_has_an_end() -> None:
    async def drop() -> Message:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"x", "more_body": True}

    assert status_of(drop, pause=SECOND, total=timedelta(milliseconds=50)) == 408


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("/", "x-content-type-options", "nosniff"),
        ("/api/echo", "x-frame-options", "DENY"),
        ("/api/echo", "cache-control", "no-store"),
        ("/", "cache-control", None),
    ],
)
def test_answers_tell_browsers_what_they_are_not(path: str, name: str, value: str | None) -> None:
    client = TestClient(SecurityHeaders(app(), data_under="/api"))

    assert client.get(path).headers.get(name) == value
