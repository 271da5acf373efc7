import json
from collections.abc import Callable

import httpx2
import pytest

from crowdalpha.client.credentials import Credentials
from crowdalpha.client.errors import Refused, ServerUnreachable
from crowdalpha.client.transport import Transport

URL = "https://alpha.example"
Answer = httpx2.Response | httpx2.TransportError


class Server:
    """Gives prepared answers in their order and keeps what it was sent."""

    def __init__(self, *answers: Answer) -> None:
        self.requests: list[httpx2.Request] = []
        self.naps: list[float] = []
        self._answers = list(answers)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, httpx2.TransportError):
            raise answer
        return answer

    def transport(self, url: str = URL) -> Transport:
        known = Credentials(url, "a", "b")
        return Transport(known, transport=httpx2.MockTransport(self), sleep=self.naps.append)


def lost() -> httpx2.TransportError:
    return httpx2.ReadError("connection lost")


def unanswered() -> httpx2.TransportError:
    return httpx2.ConnectError("connection refused")


def fine(value: object = "fine") -> httpx2.Response:
    return httpx2.Response(200, json=value)


def test_a_request_carries_the_key_and_goes_below_the_interface() -> None:
    server = Server(fine())

    assert server.transport(f"{URL}/").get("/rounds", {"tournament": 8, "cursor": None}) == "fine"

    (request,) = server.requests
    assert str(request.url) == f"{URL}/api/v1/rounds?tournament=8"
    assert request.headers["authorization"] == "Token a$b"


@pytest.mark.parametrize("path", [f"{URL}/api/v1/uploads/x", "/api/v1/uploads/x", "/uploads/x"])
def test_an_address_of_the_server_may_be_given_whole(path: str) -> None:
    server = Server(fine())

    server.transport().get(path)

    assert str(server.requests[0].url) == f"{URL}/api/v1/uploads/x"


def test_the_key_is_sent_to_no_other_server() -> None:
    server = Server(fine())

    server.transport().get("https://evil.example/api/v1/rounds")

    assert server.requests[0].url.host == "alpha.example"


def test_a_read_is_repeated_after_a_broken_connection() -> None:
    server = Server(lost(), lost(), fine())

    assert server.transport().get("/rounds") == "fine"
    assert server.naps == [0.5, 1.0]


def test_a_read_is_given_up_in_the_end() -> None:
    server = Server(lost(), lost(), lost(), lost())

    with pytest.raises(ServerUnreachable, match="connection lost"):
        server.transport().get("/rounds")


def test_a_write_that_may_have_been_taken_is_not_sent_twice() -> None:
    server = Server(lost())

    with pytest.raises(ServerUnreachable):
        server.transport().post("/models", {"name": "a"})

    assert len(server.requests) == 1


def test_a_write_that_never_arrived_is_sent_again() -> None:
    server = Server(unanswered(), fine())

    assert server.transport().post("/models", {"name": "a"}) == "fine"


def test_a_write_with_a_key_of_its_own_is_sent_again_under_the_same_key() -> None:
    server = Server(lost(), httpx2.Response(502), fine())

    assert server.transport().post("/stakes", {"amount": "1"}, key="once") == "fine"
    assert [request.headers["idempotency-key"] for request in server.requests] == ["once"] * 3
    assert [json.loads(request.content) for request in server.requests] == [{"amount": "1"}] * 3


def test_a_server_says_how_long_to_wait() -> None:
    server = Server(httpx2.Response(429, headers={"retry-after": "7"}), fine())

    assert server.transport().post("/models", {"name": "a"}) == "fine"
    assert server.naps == [7.0]


def test_nobody_waits_for_hours() -> None:
    server = Server(problem(429, "too_many_requests", "try in six hours", {"retry-after": "21600"}))

    with pytest.raises(Refused, match="try in six hours"):
        server.transport().get("/models")

    assert server.naps == []


def test_a_busy_server_is_not_sent_a_write_again_without_a_key() -> None:
    server = Server(httpx2.Response(503))

    with pytest.raises(Refused):
        server.transport().post("/models", {"name": "a"})


def problem(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> httpx2.Response:
    error = {"code": code, "message": message, "field": "prediction", "row": 3, "request_id": "r1"}
    return httpx2.Response(status, json={"error": error}, headers=headers)


def test_a_refusal_carries_what_the_server_said() -> None:
    server = Server(problem(422, "prediction_file", "row 3 is not a number"))

    with pytest.raises(Refused, match="row 3 is not a number") as refused:
        server.transport().get("/rounds")

    assert vars(refused.value) == {
        "status": 422,
        "code": "prediction_file",
        "field": "prediction",
        "row": 3,
        "request_id": "r1",
    }


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"error": null}', b'{"error": {}}'])
def test_a_refusal_of_something_else_on_the_way_is_told_by_its_status(body: bytes) -> None:
    server = Server(httpx2.Response(404, content=body))

    with pytest.raises(Refused, match="GET /api/v1/rounds: status 404"):
        server.transport().get("/rounds")


def test_a_page_where_the_interface_should_be_is_no_server() -> None:
    server = Server(httpx2.Response(200, content=b"<html>"))

    with pytest.raises(ServerUnreachable, match="is no crowdalpha server"):
        server.transport().get("/rounds")


def test_an_empty_answer_to_a_write_is_nothing() -> None:
    assert Server(httpx2.Response(204)).transport().post("/rounds") is None


def test_connections_are_closed_at_the_end() -> None:
    ask: Callable[[], object]
    with Server(fine()).transport() as transport:
        ask = lambda: transport.get("/rounds")  # noqa: E731  # one more request, after the end

    with pytest.raises(RuntimeError, match="closed"):
        ask()
