"""Longer reads: lists that come in pages, and work that is waited for."""

from collections.abc import Callable
from typing import TypeVar

from pydantic import JsonValue

from crowdalpha.client.answers import Answer, Work, read, read_all
from crowdalpha.client.errors import ServerUnreachable, TookTooLong
from crowdalpha.client.table import Table
from crowdalpha.client.transport import Params, Transport

__all__ = ["fetch_table", "mapping", "wait_for"]

PAGE = 1000
FIRST_LOOK_S, LONGEST_LOOK_S = 0.2, 5.0

A = TypeVar("A", bound=Answer)
W = TypeVar("W", bound=Work)


def fetch_table(transport: Transport, kind: type[A], path: str, params: Params, *, limit: int | None) -> Table[A]:
    """Read pages until there are enough rows; without a limit the list has one page.

    Raises
    ------
    ServerUnreachable
        If the server answers in another form.
    """
    rows: list[JsonValue] = []
    cursor: str | None = None
    while True:
        size = None if limit is None else min(PAGE, limit - len(rows))
        page = mapping(transport.get(path, {**params, "limit": size, "cursor": cursor}))
        more, following = page.get("rows"), page.get("next")
        if not isinstance(more, list):
            raise ServerUnreachable("the server answers in a form that this version does not know: no rows")
        rows += more
        if not isinstance(following, str) or not more or (limit is not None and len(rows) >= limit):
            return Table(kind, read_all(kind, rows))
        cursor = following


def wait_for(
    transport: Transport,
    kind: type[W],
    path: str,
    *,
    deadline_s: float,
    progress: Callable[[W], None] | None = None,
) -> W:
    """Look at work on the server until it is over, at longer and longer intervals.

    Raises
    ------
    TookTooLong
        If it is not over by the deadline; it goes on.
    """
    waited, look = 0.0, FIRST_LOOK_S
    while True:
        found = read(kind, transport.get(path))
        if progress is not None:
            progress(found)
        if found.is_over:
            return found
        if waited >= deadline_s:
            raise TookTooLong(f"{path} is {found.state} after {waited:.0f} s; it goes on, wait for it again")
        transport.sleep(look)
        waited, look = waited + look, min(2 * look, LONGEST_LOOK_S)


def mapping(value: JsonValue) -> dict[str, JsonValue]:
    """Demand an answer of names and values."""
    if not isinstance(value, dict):
        raise ServerUnreachable("the server answers in a form that this version does not know; update crowdalpha")
    return value
