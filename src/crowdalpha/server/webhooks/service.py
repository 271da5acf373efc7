"""Subscribe to events, and tell those who did.

A webhook of an account hears of the events that it names. A webhook of a model is called when a round opens that the
model can enter; clients of the field set it, and start their model by it.
"""

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, cast, get_args

from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.rules.errors import Conflict, NotFound
from crowdalpha.rules.hashing import Json, hash_of
from crowdalpha.rules.ids import AccountId, ModelId, TournamentId
from crowdalpha.server.db.tables import WebhookRow
from crowdalpha.server.deliveries.addresses import Network
from crowdalpha.server.deliveries.calling import valid_url
from crowdalpha.server.deliveries.service import KIND, Call, Message, end_queued, queue_messages
from crowdalpha.server.deliveries.signing import shown_secret
from crowdalpha.server.jobs.service import enqueue
from crowdalpha.server.log import get_log
from crowdalpha.server.models.service import Model, get_model
from crowdalpha.server.webhooks import repository

__all__ = [
    "EVENTS",
    "MAX_WEBHOOKS",
    "Event",
    "NewWebhook",
    "Webhook",
    "create_webhook",
    "delete_webhook",
    "disable_webhook",
    "emit",
    "enable_webhook",
    "find_model_webhook",
    "get_webhook",
    "list_webhooks",
    "rotate_secret",
    "set_model_webhook",
    "trigger_call",
]

log = get_log(__name__)

Event = Literal["round.opened", "round.closed", "scores.published", "round.resolved", "submission.failed"]
"""What a webhook may hear of."""

EVENTS: tuple[Event, ...] = get_args(Event)

MAX_WEBHOOKS = 10
"""Webhooks of an account, beside those of its models."""

DEADLINE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where an account wants to hear of events, or of rounds that one of its models can enter."""

    id: int
    account_id: AccountId
    model_id: ModelId | None
    url: str
    events: tuple[Event, ...]
    created_at: datetime
    failing_since: datetime | None
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """A webhook and the secret that its messages are signed with, which is told this once."""

    webhook: Webhook
    secret: str = field(repr=False)


def create_webhook(
    session: Session,
    *,
    account_id: AccountId,
    url: str,
    events: Iterable[str],
    signing_key: bytes,
    networks: Sequence[Network] = (),
    now: datetime,
) -> NewWebhook:
    """Subscribe an account to events.

    Raises
    ------
    InputError
        If the address cannot be used, or an event is unknown or none is named.
    Conflict
        If the account has its number of webhooks.
    """
    wanted = sorted(set(events))
    unknown = sorted(set(wanted) - set(EVENTS))
    if unknown or not wanted:
        raise InputError(f"events: {', '.join(unknown) or 'none'}; choose of {', '.join(EVENTS)}")
    repository.lock_account(session, account_id)
    if repository.count_of_account(session, account_id) >= MAX_WEBHOOKS:
        raise Conflict(f"an account has at most {MAX_WEBHOOKS} webhooks; delete one first")
    row = WebhookRow(
        account_id=account_id,
        url=valid_url(url, networks=networks),
        events=wanted,
        salt=secrets.token_hex(16),
        created_at=now,
    )
    repository.add(session, row)
    log.info("webhook_created", webhook_id=row.id, account_id=account_id)
    return NewWebhook(_webhook(row), shown_secret(signing_key, row.salt))


def get_webhook(session: Session, *, account_id: AccountId, webhook_id: int) -> Webhook:
    """Read a webhook of an account; that of another is `NotFound`."""
    return _webhook(_row(session, account_id, webhook_id))


def list_webhooks(session: Session, account_id: AccountId) -> list[Webhook]:
    """List the webhooks of an account, those of its models too."""
    return [_webhook(row) for row in repository.list_of_account(session, account_id)]


def delete_webhook(session: Session, *, account_id: AccountId, webhook_id: int) -> None:
    """Delete a webhook with its log; that of another account is `NotFound`."""
    repository.remove(session, _row(session, account_id, webhook_id).id)
    log.info("webhook_deleted", webhook_id=webhook_id, account_id=account_id)


def enable_webhook(session: Session, *, account_id: AccountId, webhook_id: int) -> Webhook:
    """Call a webhook again that was disabled because it failed; what it missed can be replayed."""
    row = _row(session, account_id, webhook_id)
    row.disabled_at = row.failing_since = None
    session.flush()
    log.info("webhook_enabled", webhook_id=webhook_id, account_id=account_id)
    return _webhook(row)


def disable_webhook(session: Session, *, account_id: AccountId, webhook_id: int, now: datetime) -> Webhook:
    """Stop calling a webhook, and drop what waits for it; a repeat changes nothing."""
    row = _row(session, account_id, webhook_id)
    if row.disabled_at is None:
        row.disabled_at = now
        session.flush()
        end_queued(session, webhook_id=webhook_id, now=now)
    return _webhook(row)


def rotate_secret(session: Session, *, account_id: AccountId, webhook_id: int, signing_key: bytes) -> NewWebhook:
    """Give a webhook another secret; every call from now on is signed with it."""
    row = _row(session, account_id, webhook_id)
    row.salt = secrets.token_hex(16)
    session.flush()
    log.info("webhook_secret_rotated", webhook_id=webhook_id, account_id=account_id)
    return NewWebhook(_webhook(row), shown_secret(signing_key, row.salt))


def set_model_webhook(
    session: Session,
    *,
    account_id: AccountId,
    model_id: ModelId,
    url: str | None,
    signing_key: bytes,
    networks: Sequence[Network] = (),
    now: datetime,
) -> NewWebhook | None:
    """Set what is called when a round opens for a model, or remove it with None; a repeat gives the same secret.

    Raises
    ------
    NotFound
        If the account has no such model.
    InputError
        If the address cannot be used.
    """
    _own_model(session, account_id, model_id)
    repository.lock_account(session, account_id)
    row = repository.find_of_model(session, model_id)
    if url is None:
        if row is not None:
            repository.remove(session, row.id)
        return None
    address = valid_url(url, networks=networks)
    if row is None:
        row = WebhookRow(
            account_id=account_id,
            model_id=model_id,
            url=address,
            events=[],
            salt=secrets.token_hex(16),
            created_at=now,
        )
        repository.add(session, row)
    row.url, row.disabled_at, row.failing_since = address, None, None
    session.flush()
    log.info("model_webhook_set", webhook_id=row.id, model_id=model_id)
    return NewWebhook(_webhook(row), shown_secret(signing_key, row.salt))


def find_model_webhook(session: Session, model_id: ModelId) -> Webhook | None:
    """Find what is called when a round opens for a model."""
    row = repository.find_of_model(session, model_id)
    return None if row is None else _webhook(row)


def trigger_call(
    session: Session, *, account_id: AccountId, model_id: ModelId, round_number: int | None, now: datetime
) -> tuple[Call, str]:
    """Make the call of a model's webhook that its owner asks for now, and the id that the submission will carry.

    It is not queued: who asks waits for the answer.

    Raises
    ------
    NotFound
        If the account has no such model, or the model has no webhook.
    """
    model = _own_model(session, account_id, model_id)
    row = repository.find_of_model(session, model_id)
    if row is None:
        raise NotFound("webhook", f"of model {model_id}; set one first")
    trigger_id = secrets.token_hex(16)
    body = _model_body(model_id, model.name, round_number=round_number, trigger_id=trigger_id, is_test=True)
    log.info("model_webhook_triggered", webhook_id=row.id, model_id=model_id, at=now.isoformat())
    return Call(0, row.id, f"msg_{trigger_id}", row.url, row.salt, body, 1), trigger_id


def emit(
    session: Session,
    *,
    event: Event,
    tournament_id: TournamentId,
    payload: Mapping[str, Json],
    account_id: AccountId | None = None,
    now: datetime,
) -> int:
    """Tell those who want to hear of an event, once the caller commits; the same event is told once.

    Parameters
    ----------
    session : Session
        Of the caller, who commits.
    event : str
        One of `EVENTS`.
    tournament_id : TournamentId
        Where it happened.
    payload : mapping
        What happened; for rounds with `round`, its number. It is public unless `account_id` is given.
    account_id : AccountId, optional
        Whose event it is, if not everybody's.
    now : datetime
        Time of the event.

    Returns
    -------
    int
        Number of new messages; 0 on a repeat.
    """
    key = hash_of({"event": event, "tournament": tournament_id, "data": dict(payload)})[:32]
    body = json.dumps(
        {
            "type": event,
            "timestamp": now.isoformat().replace("+00:00", "Z"),
            "tournament": tournament_id,
            "data": dict(payload),
        },
        separators=(",", ":"),
    )
    wanting = repository.list_wanting(session, event, account_id=account_id)
    messages = [Message(webhook_id, f"msg_{key}", event, body) for webhook_id in wanting]
    if event == "round.opened":
        number = payload.get("round")
        if not isinstance(number, int):
            raise InputError("payload: round.opened needs `round`, the number of the round")
        messages += _model_messages(session, tournament_id=tournament_id, round_number=number)
    queued = queue_messages(session, messages, now=now)
    if queued:
        key_of_job = f"{KIND}:{event}:{tournament_id}:{key}"
        enqueue(session, kind=KIND, subject={}, deadline=DEADLINE, key=key_of_job, now=now)
        log.info("event_emitted", webhook_event=event, tournament_id=tournament_id, messages=len(queued))
    return len(queued)


def _model_messages(session: Session, *, tournament_id: TournamentId, round_number: int) -> list[Message]:
    messages = []
    for webhook_id, model in repository.list_of_tournament(session, tournament_id):
        trigger_id = hash_of({"model": model.id, "round": round_number, "webhook": webhook_id})[:32]
        body = _model_body(model.id, model.name, round_number=round_number, trigger_id=trigger_id)
        messages.append(Message(webhook_id, f"msg_{trigger_id}", "round.opened", body))
    return messages


def _model_body(model_id: int, name: str, *, round_number: int | None, trigger_id: str, is_test: bool = False) -> str:
    """Write what receivers of the field read: all of it, whatever each looks at."""
    body: dict[str, Json] = {"roundNumber": round_number, "model": name, "modelId": str(model_id)}
    return json.dumps(body | {"triggerId": trigger_id, "isTest": is_test}, separators=(",", ":"))


def _own_model(session: Session, account_id: AccountId, model_id: ModelId) -> Model:
    model = get_model(session, model_id)
    if model.account_id != account_id:
        raise NotFound("model", model_id)
    return model


def _row(session: Session, account_id: AccountId, webhook_id: int) -> WebhookRow:
    row = repository.find(session, webhook_id, account_id=account_id)
    if row is None:
        raise NotFound("webhook", webhook_id)
    return row


def _webhook(row: WebhookRow) -> Webhook:
    return Webhook(
        id=row.id,
        account_id=AccountId(row.account_id),
        model_id=None if row.model_id is None else ModelId(row.model_id),
        url=row.url,
        events=cast("tuple[Event, ...]", tuple(row.events)),
        created_at=row.created_at,
        failing_since=row.failing_since,
        disabled_at=row.disabled_at,
    )
