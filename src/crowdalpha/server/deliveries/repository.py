"""All SQL of deliveries."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crowdalpha.server.db.tables import AccountRow, DeliveryRow, DeliveryTryRow, WebhookRow

__all__ = [
    "add_all",
    "add_try",
    "claim",
    "delete_finished",
    "end_queued",
    "find_of_account",
    "has_due",
    "list_of_webhook",
    "list_tries",
    "lock",
]


def add_all(session: Session, rows: Sequence[dict[str, object]]) -> list[int]:
    """Insert deliveries but those whose webhook has the message already; gives the new ids."""
    if not rows:
        return []
    statement = insert(DeliveryRow).on_conflict_do_nothing().returning(DeliveryRow.id)
    return list(session.scalars(statement, rows))


def claim(session: Session, *, limit: int, now: datetime, until: datetime) -> list[tuple[DeliveryRow, WebhookRow]]:
    """Take deliveries that are due and that no other worker takes just now; they are due again at `until`."""
    statement = (
        select(DeliveryRow, WebhookRow)
        .join(WebhookRow, WebhookRow.id == DeliveryRow.webhook_id)
        .join(AccountRow, AccountRow.id == WebhookRow.account_id)
        .where(
            DeliveryRow.state == "queued",
            DeliveryRow.next_try_at <= now,
            WebhookRow.disabled_at.is_(None),
            AccountRow.closed_at.is_(None),
        )
        .order_by(DeliveryRow.next_try_at, DeliveryRow.id)
        .limit(limit)
        .with_for_update(of=DeliveryRow, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    found = [(row[0], row[1]) for row in session.execute(statement)]
    for delivery, _ in found:
        delivery.n_tries += 1
        delivery.next_try_at = until
    session.flush()
    return found


def has_due(session: Session, *, now: datetime) -> bool:
    """Tell whether a delivery waits for a worker."""
    statement = select(DeliveryRow.id).where(DeliveryRow.state == "queued", DeliveryRow.next_try_at <= now).limit(1)
    return session.scalars(statement).one_or_none() is not None


def lock(session: Session, delivery_id: int) -> tuple[DeliveryRow, WebhookRow] | None:
    """Find a delivery and its webhook, and hold both until the transaction ends."""
    statement = (
        select(DeliveryRow, WebhookRow)
        .join(WebhookRow, WebhookRow.id == DeliveryRow.webhook_id)
        .where(DeliveryRow.id == delivery_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = session.execute(statement).one_or_none()
    return None if found is None else (found[0], found[1])


def add_try(session: Session, row: DeliveryTryRow) -> None:
    """Insert what came of a call."""
    session.add(row)
    session.flush()


def end_queued(session: Session, webhook_id: int, *, now: datetime) -> None:
    """Fail every delivery that still waits for a webhook."""
    session.execute(
        update(DeliveryRow)
        .where(DeliveryRow.webhook_id == webhook_id, DeliveryRow.state == "queued")
        .values(state="failed", finished_at=now)
    )


def find_of_account(session: Session, delivery_id: int, *, account_id: int) -> DeliveryRow | None:
    """Find a delivery of an account's webhook, and hold it until the transaction ends."""
    statement = (
        select(DeliveryRow)
        .join(WebhookRow, WebhookRow.id == DeliveryRow.webhook_id)
        .where(DeliveryRow.id == delivery_id, WebhookRow.account_id == account_id)
        .with_for_update(of=DeliveryRow)
        .execution_options(populate_existing=True)
    )
    return session.scalars(statement).one_or_none()


def list_of_webhook(session: Session, webhook_id: int, *, before: int | None, limit: int) -> list[DeliveryRow]:
    """List deliveries to a webhook, newest first."""
    statement = select(DeliveryRow).where(DeliveryRow.webhook_id == webhook_id)
    if before is not None:
        statement = statement.where(DeliveryRow.id < before)
    return list(session.scalars(statement.order_by(DeliveryRow.id.desc()).limit(limit)))


def list_tries(session: Session, delivery_ids: Sequence[int]) -> list[DeliveryTryRow]:
    """List the tries of deliveries, oldest first."""
    statement = select(DeliveryTryRow).where(DeliveryTryRow.delivery_id.in_(delivery_ids))
    return list(session.scalars(statement.order_by(DeliveryTryRow.id)))


def delete_finished(session: Session, *, before: datetime) -> None:
    """Delete deliveries that ended long ago, with their tries."""
    session.execute(delete(DeliveryRow).where(DeliveryRow.state != "queued", DeliveryRow.finished_at < before))
