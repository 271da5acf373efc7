"""The states of a round and the only moves between them."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from crowdalpha.rules.errors import WrongState

__all__ = ["ALLOWED", "RoundState", "advance"]


class RoundState(StrEnum):
    """Where a round stands."""

    SCHEDULED = "scheduled"
    OPEN = "open"
    CLOSED = "closed"
    SCORING = "scoring"
    RESOLVED = "resolved"
    VOID = "void"


ALLOWED: Mapping[RoundState, tuple[RoundState, ...]] = MappingProxyType(
    {
        RoundState.SCHEDULED: (RoundState.OPEN, RoundState.VOID),
        RoundState.OPEN: (RoundState.CLOSED, RoundState.VOID),
        RoundState.CLOSED: (RoundState.SCORING, RoundState.VOID),
        RoundState.SCORING: (RoundState.RESOLVED, RoundState.VOID),
        RoundState.RESOLVED: (),
        RoundState.VOID: (),
    }
)
"""A void round pays and burns nothing; a resolved one is corrected by new transfers, never reopened."""


def advance(state: RoundState, to: RoundState) -> RoundState:
    """Move a round to a state, or refuse with `WrongState`.

    Staying is not a move: a service that repeats a step compares the states first.
    """
    if to not in ALLOWED[state]:
        raise WrongState(state.value, to.value, allowed=tuple(step.value for step in ALLOWED[state]))
    return to
