"""What the routes of stakes take and give."""

from pydantic import BaseModel, ConfigDict, Field

from crowdalpha.server.kit.shapes import AmountText, Moment, Out

__all__ = ["PendingReleaseOut", "StakeIn", "StakeOut"]


class StakeIn(BaseModel):
    """How much to put in or take out, in the tournament's unit."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"amount": "12.5"}]})

    amount: str = Field(pattern=r"^[0-9]{1,12}(\.[0-9]{1,18})?$")


class PendingReleaseOut(Out):
    """A decrease that is not free yet; it waits until every round up to `wait_round` is resolved."""

    id: int
    amount: AmountText
    left: AmountText
    wait_round: int
    requested_at: Moment


class StakeOut(Out):
    """What a model has at stake, and what is on its way out."""

    model_id: int
    unit: str
    stake: AmountText
    pending: list[PendingReleaseOut]
