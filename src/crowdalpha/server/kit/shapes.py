"""What answers are made of: rows that read what services return, and money and scores as clients see them."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, WithJsonSchema

from crowdalpha.rules.fixed import QUANTUM
from crowdalpha.rules.money import Amount

__all__ = ["AmountText", "Moment", "Out", "Recorded", "Share"]


def _text(value: object) -> object:
    return str(value) if isinstance(value, Amount) else value


def _score(value: object) -> object:
    return value / QUANTUM if isinstance(value, int) else value


AmountText = Annotated[
    str,
    BeforeValidator(_text),
    WithJsonSchema({"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$", "examples": ["12.500000000"]}),
]
"""Money: a decimal text with every decimal of its unit."""

Recorded = Annotated[float, BeforeValidator(_score)]
"""A recorded score, an integer of 1e-9, shown as the number that it stands for."""

Share = Annotated[float, BeforeValidator(_score)]
"""A share, recorded like a score."""

Moment = Annotated[datetime, AfterValidator(lambda moment: moment.astimezone(UTC))]
"""A time, in UTC."""


class Out(BaseModel):
    """A row of an answer; reads itself from any object that has attributes of its fields' names."""

    model_config = ConfigDict(frozen=True, from_attributes=True)
