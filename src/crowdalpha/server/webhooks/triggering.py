"""Call a model's webhook at once, for who waits for the answer."""

from datetime import datetime

from crowdalpha.rules.errors import Conflict
from crowdalpha.rules.ids import AccountId, ModelId
from crowdalpha.rules.round import RoundState
from crowdalpha.server.bootstrap import Platform
from crowdalpha.server.deliveries.tasks import post_call
from crowdalpha.server.models.service import get_model
from crowdalpha.server.rounds.service import list_rounds
from crowdalpha.server.webhooks.service import trigger_call

__all__ = ["WebhookFailed", "trigger_model"]


class WebhookFailed(Conflict):
    """The receiver of a webhook did not take the message; the error quotes its answer."""

    code = "webhook_failed"


def trigger_model(platform: Platform, *, account_id: AccountId, model_id: ModelId, now: datetime) -> str:
    """Call the webhook of a model as when a round opens, and give the id that the submission will carry.

    Raises
    ------
    NotFound
        If the account has no such model, or the model has no webhook.
    WebhookFailed
        If the receiver did not take it.
    """
    with platform.session() as session:
        tournament_id = get_model(session, model_id).tournament_id
        numbers = [
            each.number for each in list_rounds(session, state=RoundState.OPEN) if each.tournament_id == tournament_id
        ]
        call, trigger_id = trigger_call(
            session, account_id=account_id, model_id=model_id, round_number=max(numbers, default=None), now=now
        )
    answer = post_call(platform, call, now=now)
    if not answer.arrived:
        said = answer.error or f"it answered {answer.status}: {answer.text}"
        raise WebhookFailed(f"the webhook of model {model_id} did not take the call: {said}")
    return trigger_id
