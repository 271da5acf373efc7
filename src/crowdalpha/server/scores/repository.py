"""All SQL of scores."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from crowdalpha.rules.ids import ModelId, RoundNumber
from crowdalpha.server.db.tables import ScoreDayRow, ScoreRow

__all__ = ["add_day", "add_scores", "find_day", "find_final_day", "list_days", "list_scores"]

ADD_SCORES = text("""
    INSERT INTO score (round_number, day, model_id, corr, mmc, fnc, cwmm, max_exposure, alpha, mpc, is_late)
    SELECT :number, :day, * FROM unnest(
        CAST(:model_ids AS bigint[]), CAST(:corr AS bigint[]), CAST(:mmc AS bigint[]),
        CAST(:fnc AS bigint[]), CAST(:cwmm AS bigint[]), CAST(:max_exposure AS bigint[]),
        CAST(:alpha AS bigint[]), CAST(:mpc AS bigint[]), CAST(:is_late AS boolean[])
    )
""")
NAMES = ("corr", "mmc", "fnc", "cwmm", "max_exposure", "alpha", "mpc")


def add_day(session: Session, row: ScoreDayRow) -> None:
    """Insert a scoring."""
    session.add(row)
    session.flush()


def add_scores(
    session: Session,
    *,
    number: RoundNumber,
    day: int,
    model_ids: Sequence[ModelId],
    scores: Sequence[Mapping[str, int | None]],
    n_late: int,
) -> None:
    """Insert all scores of a day at once, the late ones last; null where one is not of this kind of round."""
    columns = {name: [each.get(name) for each in scores] for name in NAMES}
    in_time = len(scores) - n_late
    is_late = [place >= in_time for place in range(len(scores))]
    values = {"number": number, "day": day, "model_ids": list(model_ids), "is_late": is_late, **columns}
    session.execute(ADD_SCORES, values)


def find_day(session: Session, *, number: RoundNumber, day: int) -> ScoreDayRow | None:
    """Find a scoring."""
    return session.get(ScoreDayRow, (number, day))


def find_final_day(session: Session, *, number: RoundNumber) -> ScoreDayRow | None:
    """Find the scoring that pays."""
    statement = select(ScoreDayRow).where(ScoreDayRow.round_number == number, ScoreDayRow.is_final)
    return session.scalars(statement).one_or_none()


def list_days(session: Session, *, number: RoundNumber | None, final: bool) -> list[ScoreDayRow]:
    """List scorings by round and day."""
    statement = select(ScoreDayRow).order_by(ScoreDayRow.round_number, ScoreDayRow.day)
    if number is not None:
        statement = statement.where(ScoreDayRow.round_number == number)
    return list(session.scalars(statement.where(ScoreDayRow.is_final) if final else statement))


def list_scores(session: Session, *, number: RoundNumber | None, day: int | None, final: bool) -> list[ScoreRow]:
    """List scores by round, day and model."""
    statement = select(ScoreRow).order_by(ScoreRow.round_number, ScoreRow.day, ScoreRow.model_id)
    if number is not None:
        statement = statement.where(ScoreRow.round_number == number)
    if day is not None:
        statement = statement.where(ScoreRow.day == day)
    if final:
        statement = statement.join(
            ScoreDayRow, (ScoreDayRow.round_number == ScoreRow.round_number) & (ScoreDayRow.day == ScoreRow.day)
        ).where(ScoreDayRow.is_final)
    return list(session.scalars(statement))
