"""What the operator's routes take and give."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from crowdalpha.rules.round import RoundState
from crowdalpha.server.rounds.service import Round
from crowdalpha.server.tournaments.service import TournamentKind

__all__ = ["Opening", "OperatedRound", "TournamentChange", "TournamentIn"]

MAX_ID = 2**63 - 1


class TournamentIn(BaseModel):
    """A new tournament; what `rulebook` leaves out is as in the rules that a new tournament starts with."""

    model_config = ConfigDict(extra="forbid")

    id: int = Field(ge=1, le=MAX_ID)
    name: str = Field(min_length=1, max_length=100)
    kind: TournamentKind = "obfuscated"
    rulebook: dict[str, JsonValue] = {}
    timetable: dict[str, JsonValue] = {}


class TournamentChange(BaseModel):
    """What the next rounds open with; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    rulebook: dict[str, JsonValue] | None = None
    timetable: dict[str, JsonValue] | None = None


class Opening(BaseModel):
    """Which session of the market the round is on; the one whose time to submit is now, if left out."""

    model_config = ConfigDict(extra="forbid")

    session: str | None = Field(default=None, max_length=100)


class OperatedRound(BaseModel):
    """A round and where it stands."""

    model_config = ConfigDict(frozen=True)

    number: int
    tournament_id: int
    state: RoundState
    era: str
    opens_at: datetime
    closes_at: datetime
    resolves_at: datetime

    @classmethod
    def of(cls, row: Round) -> "OperatedRound":
        """Show a round."""
        return cls(
            number=row.number,
            tournament_id=row.tournament_id,
            state=row.state,
            era=row.era,
            opens_at=row.opens_at,
            closes_at=row.closes_at,
            resolves_at=row.resolves_at,
        )
