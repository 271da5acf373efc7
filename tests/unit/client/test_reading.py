import itertools
from collections.abc import Iterator

import httpx2
import pytest

from crowdalpha.client.answers import Balance, Job, read, read_all
from crowdalpha.client.errors import ServerUnreachable, TookTooLong
from crowdalpha.client.reading import fetch_table, wait_for
from crowdalpha.client.transport import Transport


class Pages:
    """A list of so many rows, cut as the server cuts it."""

    def __init__(self, n_rows: int) -> None:
        self.asked: list[tuple[int, str | None]] = []
        self._n_rows = n_rows

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        limit, cursor = int(request.url.params["limit"]), request.url.params.get("cursor")
        self.asked.append((limit, cursor))
        start = int(cursor or 0)
        end = min(start + limit, self._n_rows)
        rows = [{"account": f"stake:{place}", "balance": "1", "unit": "points"} for place in range(start, end)]
        return httpx2.Response(200, json={"rows": rows, "next": str(end) if end < self._n_rows else None})


def job(state: str) -> dict[str, object]:
    at = "2024-01-05T12:00:00Z"
    return {"id": 5, "kind": "k", "state": state, "created_at": at, "deadline_at": at, "error_message": None} | {
        "result": None
    }


def working(states: Iterator[str], naps: list[float]) -> Transport:
    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json=job(next(states)))

    return Transport("https://alpha.example", transport=httpx2.MockTransport(answer), sleep=naps.append)


@pytest.mark.parametrize(("limit", "expected"), [(5, 5), (2500, 2300), (1000, 1000)])
def test_a_list_is_read_page_by_page_up_to_its_limit(limit: int, expected: int) -> None:
    pages = Pages(2300)
    transport = Transport("https://alpha.example", transport=httpx2.MockTransport(pages))

    table = fetch_table(transport, Balance, "/account/balances", {}, limit=limit)

    assert [each.account for each in table] == [f"stake:{place}" for place in range(expected)]


def test_the_last_page_is_asked_for_what_is_missing() -> None:
    pages = Pages(9000)

    fetch_table(
        Transport("https://alpha.example", transport=httpx2.MockTransport(pages)), Balance, "/x", {}, limit=2500
    )

    assert pages.asked == [(1000, None), (1000, "1000"), (500, "2000")]


def test_work_is_waited_for_at_longer_and_longer_intervals() -> None:
    naps: list[float] = []
    told: list[str] = []
    transport = working(iter(["queued", "running", "running", "done"]), naps)

    found = wait_for(transport, Job, "/jobs/5", deadline_s=60, progress=lambda each: told.append(each.state))

    assert found.state == "done"
    assert told == ["queued", "running", "running", "done"]
    assert naps == [0.2, 0.4, 0.8]


def test_nobody_waits_beyond_the_deadline() -> None:
    naps: list[float] = []

    with pytest.raises(TookTooLong, match="running after"):
        wait_for(working(itertools.repeat("running"), naps), Job, "/jobs/5", deadline_s=10)

    assert 10 <= sum(naps) < 16


def test_an_answer_of_another_form_is_named() -> None:
    with pytest.raises(ServerUnreachable, match=r"form that this version does not know \(state"):
        read(Job, {"id": 5, "kind": "k"})
    with pytest.raises(ServerUnreachable, match=r"0\.account"):
        read_all(Balance, [{"balance": "1", "unit": "points"}])


def test_fields_that_a_newer_server_adds_are_passed_over() -> None:
    row = {"account": "stake:3", "balance": "1", "unit": "points", "colour": "red"}

    assert read(Balance, {**row}).account == "stake:3"
