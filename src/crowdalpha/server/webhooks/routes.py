"""HTTP of webhooks and of their deliveries."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, status

from crowdalpha.rules.errors import NotFound
from crowdalpha.rules.ids import ModelId
from crowdalpha.server.deliveries import service as deliveries
from crowdalpha.server.kit.depends import Now, PlatformOf, SessionOf, allowed
from crowdalpha.server.kit.ids import Id
from crowdalpha.server.models.service import get_model
from crowdalpha.server.roles import Caller
from crowdalpha.server.webhooks import service
from crowdalpha.server.webhooks.schemas import (
    DeliveryOut,
    ModelWebhookIn,
    NewWebhookOut,
    TriggeredOut,
    WebhookIn,
    WebhookOut,
)
from crowdalpha.server.webhooks.triggering import trigger_model

__all__ = ["router"]

router = APIRouter(tags=["webhooks"])

Reading = Annotated[Caller, Depends(allowed("read_user_info"))]
Writing = Annotated[Caller, Depends(allowed("write_user_info"))]
Page = Annotated[int, Query(ge=1, le=500)]


@router.get("/webhooks")
def list_webhooks(session: SessionOf, caller: Reading) -> list[WebhookOut]:
    """List the caller's webhooks, those of models too."""
    return [WebhookOut.of(webhook) for webhook in service.list_webhooks(session, caller.account_id)]


@router.post("/webhooks", status_code=status.HTTP_201_CREATED)
def create_webhook(
    session: SessionOf, platform: PlatformOf, caller: Writing, now: Now, body: WebhookIn
) -> NewWebhookOut:
    """Subscribe to events; the secret of the webhook is told this once."""
    made = service.create_webhook(
        session,
        account_id=caller.account_id,
        url=body.url,
        events=body.events,
        signing_key=platform.signing_key,
        networks=platform.settings.webhook_networks,
        now=now,
    )
    return NewWebhookOut.of(made)


@router.get("/webhooks/{webhook_id}")
def get_webhook(session: SessionOf, caller: Reading, webhook_id: Id) -> WebhookOut:
    """Read one of the caller's webhooks."""
    return WebhookOut.of(service.get_webhook(session, account_id=caller.account_id, webhook_id=webhook_id))


@router.delete("/webhooks/{webhook_id}", status_code=status.HTTP_204_NO_CONTENT)
def delete_webhook(session: SessionOf, caller: Writing, webhook_id: Id) -> None:
    """Delete a webhook with its log."""
    service.delete_webhook(session, account_id=caller.account_id, webhook_id=webhook_id)


@router.post("/webhooks/{webhook_id}/secret")
def rotate_secret(session: SessionOf, platform: PlatformOf, caller: Writing, webhook_id: Id) -> NewWebhookOut:
    """Give a webhook another secret, which is told this once."""
    made = service.rotate_secret(
        session, account_id=caller.account_id, webhook_id=webhook_id, signing_key=platform.signing_key
    )
    return NewWebhookOut.of(made)


@router.post("/webhooks/{webhook_id}/enable")
def enable_webhook(session: SessionOf, caller: Writing, webhook_id: Id) -> WebhookOut:
    """Call a webhook again that was disabled."""
    return WebhookOut.of(service.enable_webhook(session, account_id=caller.account_id, webhook_id=webhook_id))


@router.post("/webhooks/{webhook_id}/disable")
def disable_webhook(session: SessionOf, caller: Writing, now: Now, webhook_id: Id) -> WebhookOut:
    """Stop calling a webhook."""
    made = service.disable_webhook(session, account_id=caller.account_id, webhook_id=webhook_id, now=now)
    return WebhookOut.of(made)


@router.get("/webhooks/{webhook_id}/deliveries")
def list_deliveries(
    session: SessionOf, caller: Reading, webhook_id: Id, before: int | None = None, limit: Page = 100
) -> list[DeliveryOut]:
    """List the messages to a webhook with every try, newest first; `before` is the last id of the page before."""
    webhook = service.get_webhook(session, account_id=caller.account_id, webhook_id=webhook_id)
    found = deliveries.list_deliveries(session, webhook_id=webhook.id, before=before, limit=limit)
    return [DeliveryOut.of(delivery) for delivery in found]


@router.post("/webhooks/deliveries/{delivery_id}/replay", status_code=status.HTTP_202_ACCEPTED)
def replay_delivery(session: SessionOf, caller: Writing, now: Now, delivery_id: Id) -> DeliveryOut:
    """Send a message again, with the id and the body that it had."""
    return DeliveryOut.of(deliveries.replay(session, account_id=caller.account_id, delivery_id=delivery_id, now=now))


@router.get("/models/{model_id}/webhook")
def get_model_webhook(session: SessionOf, caller: Reading, model_id: Id) -> WebhookOut:
    """Read what is called when a round opens for one of the caller's models."""
    found = service.find_model_webhook(session, ModelId(model_id))
    if found is None or get_model(session, ModelId(model_id)).account_id != caller.account_id:
        raise NotFound("webhook", f"of model {model_id}")
    return WebhookOut.of(found)


@router.put("/models/{model_id}/webhook")
def set_model_webhook(
    session: SessionOf, platform: PlatformOf, caller: Writing, now: Now, model_id: Id, body: ModelWebhookIn
) -> NewWebhookOut:
    """Set what is called when a round opens for a model."""
    made = service.set_model_webhook(
        session,
        account_id=caller.account_id,
        model_id=ModelId(model_id),
        url=body.url,
        signing_key=platform.signing_key,
        networks=platform.settings.webhook_networks,
        now=now,
    )
    if made is None:
        raise NotFound("webhook", f"of model {model_id}")
    return NewWebhookOut.of(made)


@router.delete("/models/{model_id}/webhook", status_code=status.HTTP_204_NO_CONTENT)
def remove_model_webhook(session: SessionOf, platform: PlatformOf, caller: Writing, now: Now, model_id: Id) -> None:
    """Call nothing any more when a round opens for a model."""
    service.set_model_webhook(
        session,
        account_id=caller.account_id,
        model_id=ModelId(model_id),
        url=None,
        signing_key=platform.signing_key,
        now=now,
    )


@router.post("/models/{model_id}/webhook/trigger")
def trigger_webhook(platform: PlatformOf, caller: Writing, now: Now, model_id: Id) -> TriggeredOut:
    """Call a model's webhook at once, as when a round opens, and wait for its answer."""
    done = trigger_model(platform, account_id=caller.account_id, model_id=ModelId(model_id), now=now)
    return TriggeredOut(trigger_id=done)
