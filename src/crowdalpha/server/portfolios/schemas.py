"""What the routes of portfolios give."""

from pydantic import Field

from crowdalpha.server.kit.shapes import AmountText, Out, Recorded

__all__ = ["ContributionOut", "RebalancingOut"]


class RebalancingOut(Out):
    """The portfolio that a round led to; `relaxed` names the limits that could not all be held."""

    round: int = Field(validation_alias="number")
    status: str
    relaxed: list[str]
    weights_sha256: str
    nav: AmountText


class ContributionOut(Out):
    """What one model was worth to a round's reference book."""

    round: int = Field(validation_alias="number")
    model_id: int
    tc: Recorded | None
    tc_error: Recorded | None
    attributed: Recorded | None
    mpc: Recorded | None
