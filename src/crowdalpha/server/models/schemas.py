"""What the routes of models take and give."""

from pydantic import BaseModel, ConfigDict, Field

from crowdalpha.server.accounts.service import MAX_NAME
from crowdalpha.server.kit.shapes import Moment, Out

__all__ = ["ModelIn", "ModelOut", "ModelTextIn"]

LARGEST = 2**62


class ModelIn(BaseModel):
    """A model to enter in a tournament."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"tournament": 8, "name": "first"}]})

    tournament: int = Field(ge=1, le=LARGEST)
    name: str = Field(min_length=1, max_length=MAX_NAME)


class ModelTextIn(BaseModel):
    """What is said about a model; what is left out stays as it is, null takes it away."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"bio": "Trees on small features."}]})

    bio: str | None = None
    link_url: str | None = None
    link_text: str | None = None
    rolls_over: bool = False


class ModelOut(Out):
    """A model; `rolls_over` hands in its last file again to each round that it sends nothing to."""

    id: int
    account_id: int
    tournament_id: int
    name: str
    bio: str | None
    link_url: str | None
    link_text: str | None
    rolls_over: bool
    created_at: Moment
