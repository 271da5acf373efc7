"""What the routes of waiting submissions give."""

from typing import Literal

from pydantic import Field

from crowdalpha.server.kit.shapes import Moment, Out

__all__ = ["WaitingOut"]


class WaitingOut(Out):
    """A file for the next round; `reason` says why it was refused when that round opened."""

    id: int
    model_id: int
    origin: Literal["queued", "rolled_over"]
    sha256: str
    filename: str
    state: Literal["waiting", "replaced", "taken", "refused"]
    round: int | None = Field(validation_alias="number")
    reason: str | None
    received_at: Moment
    decided_at: Moment | None
