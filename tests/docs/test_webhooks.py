"""The check of a signature that the page shows takes our messages, and no others."""

import time
from collections.abc import Callable
from typing import cast

import pytest

from crowdalpha.server.deliveries.signing import secret_of, shown_secret, sign
from crowdalpha.server.webhooks.service import EVENTS
from tests.docs.pages import DOCS, python_blocks, rows

PAGE = DOCS / "how-to" / "webhooks.md"
BODY = b'{"type":"round.opened"}'


@pytest.fixture(scope="module")
def is_ours() -> Callable[..., bool]:
    names: dict[str, object] = {}
    for block in python_blocks(PAGE):
        exec(compile(block, PAGE.name, "exec"), names)  # noqa: S102  # our own page, to see that it runs
    return cast("Callable[..., bool]", names["is_ours"])


def headers(*, at: float) -> dict[str, str]:
    signed = sign(secret_of(b"key", "salt"), message_id="msg_1", timestamp=int(at), body=BODY)
    return {"webhook-id": "msg_1", "webhook-timestamp": str(int(at)), "webhook-signature": signed}


def test_a_message_of_ours_is_taken_and_another_is_not(is_ours: Callable[..., bool]) -> None:
    secret, sent = shown_secret(b"key", "salt"), headers(at=time.time())

    assert is_ours(secret, sent, BODY)
    assert not is_ours(secret, sent, BODY + b" ")
    assert not is_ours(shown_secret(b"key", "other"), sent, BODY)
    assert not is_ours(secret, sent | {"webhook-id": "msg_2"}, BODY)
    assert not is_ours(secret, headers(at=time.time() - 301), BODY)


def test_the_page_names_every_event() -> None:
    named = [row[0].strip("`") for row in rows(PAGE.read_text())]

    assert named == list(EVENTS)
