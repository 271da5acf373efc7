"""What webhooks are told of a round: the same wherever a round is opened, closed, scored or resolved from."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from crowdalpha.rules.hashing import Json
from crowdalpha.server.rounds.service import Round
from crowdalpha.server.webhooks.service import Event, emit

__all__ = ["announce_round"]


def announce_round(
    session: Session, event: Event, row: Round, *, now: datetime, more: Mapping[str, Json] | None = None
) -> int:
    """Tell of a step of a round, in the transaction that takes it; a step that is repeated is told once.

    Returns
    -------
    int
        Number of new messages.
    """
    payload: dict[str, Json] = {
        "round": row.number,
        "opens_at": _text(row.opens_at),
        "closes_at": _text(row.closes_at),
        "resolves_at": _text(row.resolves_at),
        **(more or {}),
    }
    return emit(session, event=event, tournament_id=row.tournament_id, payload=payload, now=now)


def _text(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")
