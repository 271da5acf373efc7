"""Rank models by what they did in resolved rounds."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from crowdalpha.rules.ids import ModelId, RoundNumber
from crowdalpha.rules.money import POINTS, Amount, Unit
from crowdalpha.rules.payout import QUANTUM
from crowdalpha.server.leaderboards import repository
from crowdalpha.server.leaderboards.repository import Standing

__all__ = ["LeaderboardRow", "leaderboard"]

RankedBy = Literal["corr", "mmc", "fnc", "cwmm", "profit"]


@dataclass(frozen=True, slots=True)
class LeaderboardRow:
    """One model's place; scores are means over its rounds, None where it has none."""

    place: int
    model_id: ModelId
    model: str
    account: str
    n_rounds: int
    corr: float | None
    mmc: float | None
    fnc: float | None
    cwmm: float | None
    at_risk: Amount
    paid: Amount
    burned: Amount

    @property
    def profit(self) -> Amount:
        """What was paid less what was burned."""
        return self.paid - self.burned


def leaderboard(
    session: Session,
    *,
    by: RankedBy = "corr",
    unit: Unit = POINTS,
    first_round: RoundNumber | None = None,
    last_round: RoundNumber | None = None,
) -> list[LeaderboardRow]:
    """Rank every model with a resolved round, best first; undefined means come last, ties by the older model."""
    standings = repository.list_standings(session, unit=unit.code, first=first_round, last=last_round)
    ranked = sorted(standings, key=lambda standing: _order(standing, by))
    return [_row(place, standing, unit) for place, standing in enumerate(ranked, start=1)]


def _order(standing: Standing, by: RankedBy) -> tuple[bool, float, int]:
    value = standing.paid - standing.burned if by == "profit" else getattr(standing, by)
    return value is None, -(value or 0), standing.model_id


def _row(place: int, standing: Standing, unit: Unit) -> LeaderboardRow:
    return LeaderboardRow(
        place=place,
        model_id=ModelId(standing.model_id),
        model=standing.model,
        account=standing.account,
        n_rounds=standing.n_rounds,
        corr=_score(standing.corr),
        mmc=_score(standing.mmc),
        fnc=_score(standing.fnc),
        cwmm=_score(standing.cwmm),
        at_risk=Amount(standing.at_risk, unit),
        paid=Amount(standing.paid, unit),
        burned=Amount(standing.burned, unit),
    )


def _score(mean: float | None) -> float | None:
    return None if mean is None else mean / QUANTUM
