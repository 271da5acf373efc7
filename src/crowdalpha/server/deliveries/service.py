"""Messages to webhooks: queued with what caused them, tried until they arrive or their time is over.

queued ─► delivered
   │ └──► failed ─► (replay) queued
   └─ again later
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, cast

from sqlalchemy.orm import Session

from crowdalpha.rules.errors import Conflict, NotFound
from crowdalpha.rules.ids import AccountId
from crowdalpha.server.db.tables import DeliveryRow, DeliveryTryRow, WebhookRow
from crowdalpha.server.deliveries import repository
from crowdalpha.server.deliveries.calling import Answer
from crowdalpha.server.log import get_log

__all__ = [
    "KIND",
    "LEASE",
    "MAX_TRIES",
    "Call",
    "Delivery",
    "DeliveryState",
    "Message",
    "Try",
    "claim_due",
    "end_queued",
    "has_due",
    "list_deliveries",
    "queue_messages",
    "record",
    "replay",
    "tidy",
    "wait_after",
]

log = get_log(__name__)

DeliveryState = Literal["queued", "delivered", "failed"]

KIND = "webhooks.deliver"
"""The kind of the job that makes calls."""

MAX_TRIES = 10
"""Calls of one message; the waits between them sum to about a day."""

FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=10), timedelta(hours=6)
LEASE = timedelta(minutes=2)
"""How long a worker has for a call; then another one calls."""

KEEP = timedelta(days=30)
GONE = 410


@dataclass(frozen=True, slots=True)
class Message:
    """What is to reach a webhook; its id is the same however often it is sent."""

    webhook_id: int
    message_id: str
    event: str
    body: str


@dataclass(frozen=True, slots=True)
class Call:
    """One try of a delivery, claimed by this worker."""

    delivery_id: int
    webhook_id: int
    message_id: str
    url: str
    salt: str = field(repr=False)
    body: str
    n_tries: int


@dataclass(frozen=True, slots=True)
class Try:
    """What came of one call."""

    at: datetime
    duration_ms: int
    status: int | None
    error: str | None
    answer: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message to a webhook and how far it is."""

    id: int
    webhook_id: int
    message_id: str
    event: str
    body: str
    state: DeliveryState
    created_at: datetime
    next_try_at: datetime | None
    finished_at: datetime | None
    tries: tuple[Try, ...]


def queue_messages(session: Session, messages: Iterable[Message], *, now: datetime) -> list[int]:
    """Queue messages; one that its webhook has already is left as it is. Gives the ids of the new deliveries."""
    rows: list[dict[str, object]] = [
        {
            "webhook_id": message.webhook_id,
            "message_id": message.message_id,
            "event": message.event,
            "body": message.body,
            "state": "queued",
            "n_tries": 0,
            "next_try_at": now,
            "created_at": now,
        }
        for message in messages
    ]
    return repository.add_all(session, rows)


def has_due(session: Session, *, now: datetime) -> bool:
    """Tell whether a message waits for a worker."""
    return repository.has_due(session, now=now)


def claim_due(session: Session, *, limit: int, now: datetime) -> list[Call]:
    """Take messages that are due; commit before the calls, so that no other worker makes them."""
    return [
        Call(row.id, webhook.id, row.message_id, webhook.url, webhook.salt, row.body, row.n_tries)
        for row, webhook in repository.claim(session, limit=limit, now=now, until=now + LEASE)
    ]


def record(session: Session, *, call: Call, answer: Answer, disable_after: timedelta, now: datetime) -> DeliveryState:
    """Record what came of a call, and when the next one is; a webhook that failed for long is disabled.

    Parameters
    ----------
    session : Session
        Of the caller, who commits.
    call : Call
        As claimed.
    answer : Answer
        What came of it.
    disable_after : timedelta
        How long a webhook may fail.
    now : datetime
        Time after the call.
    """
    found = repository.lock(session, call.delivery_id)
    if found is None:
        return "failed"
    row, webhook = found
    repository.add_try(
        session,
        DeliveryTryRow(
            delivery_id=row.id,
            at=now,
            duration_ms=answer.duration_ms,
            status=answer.status,
            error=answer.error,
            answer=answer.text,
        ),
    )
    if row.state == "queued" and row.n_tries == call.n_tries:
        _conclude(session, row, webhook, answer, disable_after=disable_after, now=now)
    session.flush()
    log.info("webhook_called", delivery_id=row.id, webhook_id=webhook.id, status=answer.status, state=row.state)
    return cast("DeliveryState", row.state)


def wait_after(n_tries: int, delivery_id: int) -> timedelta:
    """Return the wait after a number of failed tries: three times the last one, a fifth up or down.

    The part by chance comes from a hash, so that many deliveries that fail together do not come back together.
    """
    wait = min(FIRST_WAIT.total_seconds() * 3 ** (n_tries - 1), LONGEST_WAIT.total_seconds())
    chance = hashlib.sha256(f"{delivery_id}:{n_tries}".encode()).digest()[0] / 255
    return timedelta(seconds=wait * (0.8 + 0.4 * chance))


def list_deliveries(
    session: Session, *, webhook_id: int, before: int | None = None, limit: int = 100
) -> list[Delivery]:
    """List the messages to a webhook with every try, newest first; the caller has checked whose it is."""
    rows = repository.list_of_webhook(session, webhook_id, before=before, limit=limit)
    tries: dict[int, list[Try]] = {}
    for each in repository.list_tries(session, [row.id for row in rows]):
        tries.setdefault(each.delivery_id, []).append(
            Try(each.at, each.duration_ms, each.status, each.error, each.answer)
        )
    return [_delivery(row, tries.get(row.id, [])) for row in rows]


def replay(session: Session, *, account_id: AccountId, delivery_id: int, now: datetime) -> Delivery:
    """Send a message of an account again, with the id and the body it had; one that waits is sent at once.

    Raises
    ------
    NotFound
        If the account's webhooks have no such delivery.
    Conflict
        If the webhook is disabled.
    """
    row = repository.find_of_account(session, delivery_id, account_id=account_id)
    found = None if row is None else repository.lock(session, delivery_id)
    if row is None or found is None:
        raise NotFound("delivery", delivery_id)
    if found[1].disabled_at is not None:
        raise Conflict(f"webhook {row.webhook_id} is disabled; enable it first")
    row.state, row.n_tries, row.next_try_at, row.finished_at = "queued", 0, now, None
    session.flush()
    log.info("delivery_replayed", delivery_id=delivery_id, account_id=account_id)
    return _delivery(row, [])


def end_queued(session: Session, *, webhook_id: int, now: datetime) -> None:
    """Fail every message that still waits for a webhook."""
    repository.end_queued(session, webhook_id, now=now)


def tidy(session: Session, *, now: datetime) -> None:
    """Delete messages that ended long ago."""
    repository.delete_finished(session, before=now - KEEP)


def _conclude(
    session: Session,
    row: DeliveryRow,
    webhook: WebhookRow,
    answer: Answer,
    *,
    disable_after: timedelta,
    now: datetime,
) -> None:
    if answer.arrived:
        row.state, row.finished_at, webhook.failing_since = "delivered", now, None
        return
    webhook.failing_since = webhook.failing_since or now
    if row.n_tries >= MAX_TRIES or answer.status == GONE:
        row.state, row.finished_at = "failed", now
    else:
        row.next_try_at = now + wait_after(row.n_tries, row.id)
    if now - webhook.failing_since >= disable_after or answer.status == GONE:
        webhook.disabled_at = webhook.disabled_at or now
        session.flush()
        repository.end_queued(session, webhook.id, now=now)
        log.warning("webhook_disabled", webhook_id=webhook.id, failing_since=webhook.failing_since.isoformat())
        session.refresh(row)


def _delivery(row: DeliveryRow, tries: Iterable[Try]) -> Delivery:
    return Delivery(
        id=row.id,
        webhook_id=row.webhook_id,
        message_id=row.message_id,
        event=row.event,
        body=row.body,
        state=cast("DeliveryState", row.state),
        created_at=row.created_at,
        next_try_at=row.next_try_at if row.state == "queued" else None,
        finished_at=row.finished_at,
        tries=tuple(tries),
    )
