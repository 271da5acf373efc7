"""What the routes of tournaments take and give."""

from pydantic import BaseModel, ConfigDict, JsonValue

from crowdalpha.server.tournaments.service import Tournament, TournamentKind

__all__ = ["TournamentOut"]


class TournamentOut(BaseModel):
    """A tournament; `rulebook` is what its next round opens with."""

    model_config = ConfigDict(frozen=True)

    id: int
    name: str
    kind: TournamentKind
    rulebook: dict[str, JsonValue]
    rulebook_hash: str

    @classmethod
    def of(cls, tournament: Tournament) -> "TournamentOut":
        """Show a tournament."""
        rules = tournament.rulebook
        return cls(
            id=tournament.id,
            name=tournament.name,
            kind=tournament.kind,
            rulebook=dict(rules.to_json()),
            rulebook_hash=rules.hash,
        )
