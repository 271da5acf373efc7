"""The locks of the schedule."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from crowdalpha.rules.ids import TournamentId

__all__ = ["hold_numbers", "hold_plan"]

PLAN, NUMBERS = 4_201_002, 4_201_003
"""First part of the keys of the advisory locks."""
HOLD = text("SELECT pg_advisory_xact_lock(:kind, :one)")


def hold_plan(session: Session, tournament_id: TournamentId) -> None:
    """Let one transaction at a time plan a tournament's steps."""
    session.execute(HOLD, {"kind": PLAN, "one": tournament_id})


def hold_numbers(session: Session) -> None:
    """Let one transaction at a time give numbers to rounds, which all tournaments share."""
    session.execute(HOLD, {"kind": NUMBERS, "one": 0})
