"""Webhooks, the messages that are to reach them, and every try."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from crowdalpha.server.db.tables.base import Base

__all__ = ["DeliveryRow", "DeliveryTryRow", "WebhookRow"]


class WebhookRow(Base):
    """Where an account wants to hear of events; with a model, where rounds open for that model.

    Its secret follows from the platform's key and `salt`.
    """

    __tablename__ = "webhook"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    model_id: Mapped[int | None] = mapped_column(ForeignKey("model.id"), unique=True)
    url: Mapped[str]
    events: Mapped[list[str]] = mapped_column(ARRAY(Text))
    salt: Mapped[str]
    created_at: Mapped[datetime]
    failing_since: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]


class DeliveryRow(Base):
    """One message to one webhook; `next_try_at` also keeps it to one worker at a time."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("webhook_id", "message_id"),
        CheckConstraint("state IN ('queued', 'delivered', 'failed')", name="webhook_delivery_state_known"),
        Index("webhook_delivery_due_idx", "next_try_at", postgresql_where=text("state = 'queued'")),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhook.id", ondelete="CASCADE"))
    message_id: Mapped[str]
    event: Mapped[str]
    body: Mapped[str]
    state: Mapped[str]
    n_tries: Mapped[int]
    next_try_at: Mapped[datetime]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class DeliveryTryRow(Base):
    """One call, and what came of it."""

    __tablename__ = "webhook_try"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("webhook_delivery.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime]
    duration_ms: Mapped[int]
    status: Mapped[int | None]
    error: Mapped[str | None]
    answer: Mapped[str]
