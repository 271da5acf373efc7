"""All SQL of scores."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select, text, tuple_
from sqlalchemy.orm import Session, aliased

from crowdalpha.rules.ids import ModelId, RoundNumber
from crowdalpha.server.db.tables import ScoreDayRow, ScoreRow

__all__ = [
    "add_day",
    "add_scores",
    "find_day",
    "find_final_day",
    "list_days",
    "list_days_between",
    "list_of_model",
    "list_places",
    "list_scores",
]

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


def list_days_between(session: Session, *, first: datetime, end: datetime) -> list[ScoreDayRow]:
    """List the scorings that were done from `first` to before `end`, in the order of doing."""
    statement = select(ScoreDayRow).where(ScoreDayRow.scored_at >= first, ScoreDayRow.scored_at < end)
    return list(session.scalars(statement.order_by(ScoreDayRow.scored_at, ScoreDayRow.round_number, ScoreDayRow.day)))


def list_of_model(session: Session, model_id: ModelId, *, n_rounds: int) -> list[tuple[ScoreRow, ScoreDayRow]]:
    """List a model's scores of its last rounds, with the scoring that they are of, by round and day."""
    last = (
        select(ScoreRow.round_number)
        .where(ScoreRow.model_id == model_id)
        .distinct()
        .order_by(ScoreRow.round_number.desc())
        .limit(n_rounds)
    )
    statement = (
        select(ScoreRow, ScoreDayRow)
        .join(ScoreDayRow, (ScoreDayRow.round_number == ScoreRow.round_number) & (ScoreDayRow.day == ScoreRow.day))
        .where(ScoreRow.model_id == model_id, ScoreRow.round_number.in_(last))
        .order_by(ScoreRow.round_number, ScoreRow.day)
    )
    return [(score, day) for score, day in session.execute(statement)]


def list_places(
    session: Session, model_id: ModelId, *, days: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], dict[str, float]]:
    """Say for each (round, day) what share of all models a model is above, ties counted half."""
    mine, other = aliased(ScoreRow), aliased(ScoreRow)
    shares = [
        (
            func.count().filter(getattr(other, name) < getattr(mine, name))
            + func.count().filter(getattr(other, name) == getattr(mine, name)) / 2.0
        )
        / func.nullif(func.count(getattr(other, name)), 0)
        for name in NAMES
    ]
    statement = (
        select(mine.round_number, mine.day, *shares)
        .join(other, (other.round_number == mine.round_number) & (other.day == mine.day))
        .where(mine.model_id == model_id, tuple_(mine.round_number, mine.day).in_(days))
        .group_by(mine.round_number, mine.day)
    )
    return {
        (number, day): {name: float(share) for name, share in zip(NAMES, found, strict=True) if share is not None}
        for number, day, *found in session.execute(statement)
    }
