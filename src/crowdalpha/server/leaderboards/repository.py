"""All SQL of leaderboards."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

__all__ = ["Standing", "list_standings"]

STANDINGS = text("""
    SELECT
        model.id, model.name, account.name,
        count(*),
        avg(score.corr), avg(score.mmc), avg(score.fnc), avg(score.cwmm),
        coalesce(sum(position.at_risk), 0),
        coalesce(sum(payout.paid), 0),
        coalesce(sum(payout.burned + payout.burned_pending), 0)
    FROM score_day
    JOIN score USING (round_number, day)
    JOIN round ON round.number = score.round_number AND round.rulebook -> 'unit' ->> 'code' = :unit
    JOIN model ON model.id = score.model_id
    JOIN account ON account.id = model.account_id
    JOIN position ON position.round_number = score.round_number AND position.model_id = score.model_id
    JOIN round_payout payout ON payout.round_number = score.round_number AND payout.model_id = score.model_id
    WHERE score_day.is_final
      AND score.round_number BETWEEN coalesce(:first, score.round_number) AND coalesce(:last, score.round_number)
    GROUP BY model.id, model.name, account.name
    ORDER BY model.id
""")


@dataclass(frozen=True, slots=True)
class Standing:
    """Sums and means of one model over resolved rounds; means are in 1e-9, exact up to the last division."""

    model_id: int
    model: str
    account: str
    n_rounds: int
    corr: float | None
    mmc: float | None
    fnc: float | None
    cwmm: float | None
    at_risk: int
    paid: int
    burned: int


def list_standings(session: Session, *, unit: str, first: int | None, last: int | None) -> list[Standing]:
    """List what each model did in the resolved rounds of a unit, by model."""
    standings = []
    for row in session.execute(STANDINGS, {"unit": unit, "first": first, "last": last}):
        means = [None if mean is None else float(mean) for mean in row[4:8]]
        standings.append(Standing(*row[:4], *means, *(int(total) for total in row[8:11])))
    return standings
