"""All SQL of webhooks."""

from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from crowdalpha.server.db.tables import AccountRow, ModelRow, WebhookRow

__all__ = [
    "add",
    "count_of_account",
    "find",
    "find_of_model",
    "list_of_account",
    "list_of_tournament",
    "list_wanting",
    "lock_account",
    "remove",
]


def lock_account(session: Session, account_id: int) -> None:
    """Hold an account, so that what it may have a number of is counted by one transaction at a time."""
    session.execute(select(AccountRow.id).where(AccountRow.id == account_id).with_for_update())


def add(session: Session, row: WebhookRow) -> None:
    """Insert a webhook."""
    session.add(row)
    session.flush()


def count_of_account(session: Session, account_id: int) -> int:
    """Count the webhooks of an account that are not those of a model."""
    statement = select(func.count()).where(WebhookRow.account_id == account_id, WebhookRow.model_id.is_(None))
    return session.scalars(statement).one()


def find(session: Session, webhook_id: int, *, account_id: int) -> WebhookRow | None:
    """Find a webhook of an account, and hold it until the transaction ends."""
    statement = select(WebhookRow).where(WebhookRow.id == webhook_id, WebhookRow.account_id == account_id)
    return session.scalars(statement.with_for_update().execution_options(populate_existing=True)).one_or_none()


def find_of_model(session: Session, model_id: int) -> WebhookRow | None:
    """Find the webhook of a model."""
    return session.scalars(select(WebhookRow).where(WebhookRow.model_id == model_id)).one_or_none()


def list_of_account(session: Session, account_id: int) -> list[WebhookRow]:
    """List the webhooks of an account, those of its models too, by id."""
    return list(session.scalars(select(WebhookRow).where(WebhookRow.account_id == account_id).order_by(WebhookRow.id)))


def list_wanting(session: Session, event: str, *, account_id: int | None) -> list[int]:
    """List the ids of the webhooks that want an event, of open accounts, or of one."""
    statement = (
        select(WebhookRow.id)
        .join(AccountRow, AccountRow.id == WebhookRow.account_id)
        .where(WebhookRow.events.contains([event]), WebhookRow.disabled_at.is_(None), AccountRow.closed_at.is_(None))
    )
    if account_id is not None:
        statement = statement.where(WebhookRow.account_id == account_id)
    return list(session.scalars(statement.order_by(WebhookRow.id)))


def list_of_tournament(session: Session, tournament_id: int) -> Sequence[tuple[int, ModelRow]]:
    """List the models of a tournament that have a webhook, of open accounts, with the webhook's id."""
    statement = (
        select(WebhookRow.id, ModelRow)
        .join(ModelRow, ModelRow.id == WebhookRow.model_id)
        .join(AccountRow, AccountRow.id == WebhookRow.account_id)
        .where(
            ModelRow.tournament_id == tournament_id, WebhookRow.disabled_at.is_(None), AccountRow.closed_at.is_(None)
        )
        .order_by(WebhookRow.id)
    )
    return [(row[0], row[1]) for row in session.execute(statement)]


def remove(session: Session, webhook_id: int) -> None:
    """Delete a webhook with its deliveries."""
    session.execute(delete(WebhookRow).where(WebhookRow.id == webhook_id))
