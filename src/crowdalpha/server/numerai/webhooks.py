"""Webhooks of models: what is called when a round opens, set and tried by the owner."""

import strawberry

from crowdalpha.server.numerai.asking import Asked
from crowdalpha.server.webhooks.service import set_model_webhook
from crowdalpha.server.webhooks.triggering import trigger_model

__all__ = ["WebhookMutations"]

SCOPE = "write_user_info"


@strawberry.type
class WebhookMutations:
    """Set and try webhooks."""

    @strawberry.mutation
    def set_submission_webhook(self, info: Asked, model_id: str, new_submission_webhook: str | None = None) -> str:
        """Set what is called for a model, or remove it; clients compare the answer with the text `true`."""
        asking = info.context
        model = asking.own_model(model_id, scope=SCOPE)
        set_model_webhook(
            asking.session,
            account_id=model.account_id,
            model_id=model.id,
            url=new_submission_webhook,
            signing_key=asking.platform.signing_key,
            networks=asking.platform.settings.webhook_networks,
            now=asking.now,
        )
        return "true"

    @strawberry.mutation
    def trigger_model_webhook(self, info: Asked, model_id: str) -> str:
        """Call the webhook of a model now, and give the id that the submission will carry."""
        asking = info.context
        model = asking.own_model(model_id, scope=SCOPE)
        return trigger_model(asking.platform, account_id=model.account_id, model_id=model.id, now=asking.now)
