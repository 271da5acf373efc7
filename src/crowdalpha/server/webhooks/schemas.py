"""What the routes of webhooks take and give."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from crowdalpha.server.deliveries.service import Delivery, DeliveryState
from crowdalpha.server.webhooks.service import Event, NewWebhook, Webhook

__all__ = ["DeliveryOut", "ModelWebhookIn", "NewWebhookOut", "TriggeredOut", "TryOut", "WebhookIn", "WebhookOut"]


class WebhookIn(BaseModel):
    """A webhook to make."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(max_length=2000)
    events: list[Event] = Field(min_length=1, max_length=20)


class ModelWebhookIn(BaseModel):
    """What to call when a round opens for a model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(max_length=2000)


class WebhookOut(BaseModel):
    """A webhook, without its secret."""

    model_config = ConfigDict(frozen=True)

    id: int
    model_id: int | None
    url: str
    events: list[Event]
    created_at: datetime
    failing_since: datetime | None
    disabled_at: datetime | None

    @classmethod
    def of(cls, webhook: Webhook) -> "WebhookOut":
        """Show a webhook."""
        return cls(
            id=webhook.id,
            model_id=webhook.model_id,
            url=webhook.url,
            events=list(webhook.events),
            created_at=webhook.created_at,
            failing_since=webhook.failing_since,
            disabled_at=webhook.disabled_at,
        )


class NewWebhookOut(BaseModel):
    """A webhook and its secret, which is told this once."""

    model_config = ConfigDict(frozen=True)

    webhook: WebhookOut
    secret: str = Field(repr=False)

    @classmethod
    def of(cls, made: NewWebhook) -> "NewWebhookOut":
        """Tell a secret, once."""
        return cls(webhook=WebhookOut.of(made.webhook), secret=made.secret)


class TryOut(BaseModel):
    """What came of one call."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    duration_ms: int
    status: int | None
    error: str | None
    answer: str


class DeliveryOut(BaseModel):
    """A message to a webhook and how far it is."""

    model_config = ConfigDict(frozen=True)

    id: int
    message_id: str
    event: str
    body: str
    state: DeliveryState
    created_at: datetime
    next_try_at: datetime | None
    finished_at: datetime | None
    tries: list[TryOut]

    @classmethod
    def of(cls, delivery: Delivery) -> "DeliveryOut":
        """Show a message and its tries."""
        return cls(
            id=delivery.id,
            message_id=delivery.message_id,
            event=delivery.event,
            body=delivery.body,
            state=delivery.state,
            created_at=delivery.created_at,
            next_try_at=delivery.next_try_at,
            finished_at=delivery.finished_at,
            tries=[
                TryOut(
                    at=each.at,
                    duration_ms=each.duration_ms,
                    status=each.status,
                    error=each.error,
                    answer=each.answer,
                )
                for each in delivery.tries
            ],
        )


class TriggeredOut(BaseModel):
    """The id that the submission will carry."""

    model_config = ConfigDict(frozen=True)

    trigger_id: str
