"""All SQL of rounds, with what they read of submissions and scores."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crowdalpha.rules.bundle import ClosedRecord
from crowdalpha.rules.ids import ModelId, RoundNumber, TournamentId
from crowdalpha.rules.round import RoundState
from crowdalpha.rules.settlement import Outcome
from crowdalpha.server.db.tables import (
    ClosingRow,
    LiveIdsRow,
    PayoutRow,
    PositionRow,
    ResolutionRow,
    RoundRow,
    ScoreDayRow,
    ScoreRow,
    SubmissionReportRow,
    SubmissionRow,
)

__all__ = [
    "add_closing",
    "add_payouts",
    "add_positions",
    "add_resolution",
    "add_round",
    "count_unopened",
    "find_closing",
    "find_final_day",
    "find_live_ids",
    "find_resolution",
    "find_round",
    "list_changes",
    "list_counting_submissions",
    "list_past_positions",
    "list_positions",
    "list_positions_with_payouts",
    "list_resolved",
    "list_rounds",
    "list_scores",
    "list_totals_at_risk",
    "set_state",
]

COUNTING = text("""
    SELECT DISTINCT ON (model_id) model_id, sha256 FROM submission
    WHERE round_number = :number AND NOT is_late
    ORDER BY model_id, sequence DESC
""")
UNOPENED = text("""
    SELECT count(*) FROM (
        SELECT DISTINCT ON (model_id) id FROM sealed_submission
        WHERE round_number = :number
        ORDER BY model_id, sequence DESC
    ) AS latest
    WHERE NOT EXISTS (SELECT FROM sealed_opening WHERE sealed_submission_id = latest.id)
""")
ADD_POSITIONS = text("""
    INSERT INTO position (round_number, model_id, submission_sha256, at_risk)
    SELECT :number, * FROM unnest(CAST(:model_ids AS bigint[]), CAST(:sha256s AS text[]), CAST(:at_risk AS bigint[]))
""")
ADD_PAYOUTS = text("""
    INSERT INTO round_payout (round_number, model_id, rate, earned, paid, burned, burned_pending)
    SELECT :number, * FROM unnest(
        CAST(:model_ids AS bigint[]), CAST(:rates AS bigint[]), CAST(:earned AS bigint[]),
        CAST(:paid AS bigint[]), CAST(:burned AS bigint[]), CAST(:burned_pending AS bigint[])
    )
""")


def add_round(session: Session, row: RoundRow, *, live_ids: Sequence[str]) -> bool:
    """Insert unless the number is there; says whether it was inserted."""
    values = {column.key: getattr(row, column.key) for column in RoundRow.__table__.columns}
    statement = insert(RoundRow).values(values).on_conflict_do_nothing().returning(RoundRow.number)
    if session.scalars(statement).one_or_none() is None:
        return False
    session.execute(insert(LiveIdsRow).values(round_number=row.number, ids=list(live_ids)))
    return True


def find_live_ids(session: Session, number: RoundNumber) -> list[str] | None:
    """Find the ids of a round, in their order."""
    return session.scalars(select(LiveIdsRow.ids).where(LiveIdsRow.round_number == number)).one_or_none()


def find_round(session: Session, number: RoundNumber, *, lock: bool = False) -> RoundRow | None:
    """Find a round as it is now, and with `lock` keep others from moving it until this transaction ends."""
    statement = select(RoundRow).where(RoundRow.number == number).execution_options(populate_existing=True)
    return session.scalars(statement.with_for_update() if lock else statement).one_or_none()


def set_state(session: Session, number: RoundNumber, state: RoundState) -> None:
    """Write the state of a round, which the caller has locked."""
    session.execute(update(RoundRow).where(RoundRow.number == number).values(state=state.value))


def list_rounds(session: Session, *, state: RoundState | None, tournament_id: int | None) -> list[RoundRow]:
    """List rounds by number: all, in one state, of one tournament."""
    statement = select(RoundRow).order_by(RoundRow.number)
    if state is not None:
        statement = statement.where(RoundRow.state == state.value)
    if tournament_id is not None:
        statement = statement.where(RoundRow.tournament_id == tournament_id)
    return list(session.scalars(statement))


def count_unopened(session: Session, number: RoundNumber) -> int:
    """Count the sealed submissions that nobody opened yet."""
    return int(session.scalars(UNOPENED, {"number": number}).one())


def list_counting_submissions(session: Session, number: RoundNumber) -> list[tuple[int, str]]:
    """List (model, hash) of each model's latest submission, by model."""
    return [(row.model_id, row.sha256) for row in session.execute(COUNTING, {"number": number})]


def list_changes(session: Session, number: RoundNumber) -> dict[tuple[int, str], tuple[int, int]]:
    """List (churn, turnover) of the uploads to a named round by model and hash of the content."""
    statement = (
        select(SubmissionRow.model_id, SubmissionRow.sha256, SubmissionReportRow.churn, SubmissionReportRow.turnover)
        .join(SubmissionReportRow, SubmissionReportRow.submission_id == SubmissionRow.id)
        .where(SubmissionRow.round_number == number)
        .order_by(SubmissionRow.sequence)
    )
    return {(model_id, sha256): (churn, turned) for model_id, sha256, churn, turned in session.execute(statement)}


def add_positions(
    session: Session,
    number: RoundNumber,
    *,
    model_ids: Sequence[ModelId],
    sha256s: Sequence[str],
    at_risk: Sequence[int],
) -> None:
    """Insert all positions of a round at once."""
    values = {"number": number, "model_ids": list(model_ids), "sha256s": list(sha256s), "at_risk": list(at_risk)}
    session.execute(ADD_POSITIONS, values)


def list_positions(session: Session, number: RoundNumber) -> list[PositionRow]:
    """List the positions of a round by model."""
    statement = select(PositionRow).where(PositionRow.round_number == number).order_by(PositionRow.model_id)
    return list(session.scalars(statement))


def add_closing(
    session: Session, record: ClosedRecord, *, closed_hash: str, predictions_sha256: str, now: datetime
) -> ClosingRow:
    """Insert what the close fixed."""
    row = ClosingRow(
        round_number=record.round_number,
        total_at_risk=sum(position.at_risk for position in list_positions(session, record.round_number)),
        snapshot_root=record.snapshot_root,
        closed_hash=closed_hash,
        predictions_sha256=predictions_sha256,
        meta_model_sha256=record.meta_model_sha256,
        closed_at=now,
    )
    session.add(row)
    session.flush()
    return row


def find_closing(session: Session, number: RoundNumber) -> ClosingRow | None:
    """Find what the close of a round fixed."""
    return session.get(ClosingRow, number)


def find_final_day(session: Session, number: RoundNumber) -> ScoreDayRow | None:
    """Find the scoring of a round that pays."""
    statement = select(ScoreDayRow).where(ScoreDayRow.round_number == number, ScoreDayRow.is_final)
    return session.scalars(statement).one_or_none()


def list_scores(session: Session, number: RoundNumber, *, day: int) -> list[ScoreRow]:
    """List the scores of a day by model."""
    statement = select(ScoreRow).where(ScoreRow.round_number == number, ScoreRow.day == day)
    return list(session.scalars(statement.order_by(ScoreRow.model_id)))


def add_payouts(session: Session, number: RoundNumber, outcomes: Sequence[Outcome]) -> None:
    """Insert all payouts of a round at once."""
    values = {
        "number": number,
        "model_ids": [outcome.model_id for outcome in outcomes],
        "rates": [outcome.rate for outcome in outcomes],
        "earned": [outcome.earned.base for outcome in outcomes],
        "paid": [outcome.paid.base for outcome in outcomes],
        "burned": [outcome.burned.base for outcome in outcomes],
        "burned_pending": [outcome.burned_pending.base for outcome in outcomes],
    }
    session.execute(ADD_PAYOUTS, values)


def add_resolution(session: Session, row: ResolutionRow) -> None:
    """Insert the resolution of a round."""
    session.add(row)
    session.flush()


def find_resolution(session: Session, number: RoundNumber) -> ResolutionRow | None:
    """Find the resolution of a round."""
    return session.get(ResolutionRow, number)


def list_resolved(
    session: Session, *, tournament_id: TournamentId, by: datetime
) -> list[tuple[RoundRow, ClosingRow, ResolutionRow, ScoreDayRow]]:
    """List rounds of a tournament that were resolved by a time, with what closed, resolved and finally scored them."""
    statement = (
        select(RoundRow, ClosingRow, ResolutionRow, ScoreDayRow)
        .join(ClosingRow, ClosingRow.round_number == RoundRow.number)
        .join(ResolutionRow, ResolutionRow.round_number == RoundRow.number)
        .join(ScoreDayRow, (ScoreDayRow.round_number == RoundRow.number) & ScoreDayRow.is_final)
        .where(RoundRow.tournament_id == tournament_id, ResolutionRow.resolved_at <= by)
        .order_by(RoundRow.closes_at, RoundRow.number)
    )
    return [(row, closing, resolution, final) for row, closing, resolution, final in session.execute(statement)]


def list_past_positions(
    session: Session, numbers: Sequence[RoundNumber]
) -> list[tuple[RoundNumber, ModelId, int, int | None]]:
    """List (round, model, at risk, final CORR) of scored rounds by round and model."""
    statement = (
        select(PositionRow.round_number, PositionRow.model_id, PositionRow.at_risk, ScoreRow.corr)
        .join(ScoreDayRow, (ScoreDayRow.round_number == PositionRow.round_number) & ScoreDayRow.is_final)
        .outerjoin(
            ScoreRow,
            (ScoreRow.round_number == PositionRow.round_number)
            & (ScoreRow.model_id == PositionRow.model_id)
            & (ScoreRow.day == ScoreDayRow.day),
        )
        .where(PositionRow.round_number.in_(numbers))
        .order_by(PositionRow.round_number, PositionRow.model_id)
    )
    return [
        (RoundNumber(number), ModelId(model_id), at_risk, corr)
        for number, model_id, at_risk, corr in session.execute(statement)
    ]


def list_positions_with_payouts(
    session: Session, *, number: RoundNumber | None, model_ids: Sequence[ModelId] | None = None
) -> list[tuple[int, int, int, int | None, str, int]]:
    """List (round, model, at risk, change or None, code and scale of the unit) by round and model."""
    change = PayoutRow.paid - PayoutRow.burned - PayoutRow.burned_pending
    unit = RoundRow.rulebook["unit"]
    code, scale = unit["code"].astext, unit["scale"].as_integer()
    statement = (
        select(PositionRow.round_number, PositionRow.model_id, PositionRow.at_risk, change, code, scale)
        .join(RoundRow, RoundRow.number == PositionRow.round_number)
        .outerjoin(
            PayoutRow,
            (PayoutRow.round_number == PositionRow.round_number) & (PayoutRow.model_id == PositionRow.model_id),
        )
        .order_by(PositionRow.round_number, PositionRow.model_id)
    )
    if number is not None:
        statement = statement.where(PositionRow.round_number == number)
    if model_ids is not None:
        statement = statement.where(PositionRow.model_id.in_(model_ids))
    return [tuple(row) for row in session.execute(statement)]


def list_totals_at_risk(session: Session, numbers: Sequence[RoundNumber]) -> dict[RoundNumber, int]:
    """List what is at risk in all in these rounds, those that are closed, in base units."""
    statement = select(ClosingRow.round_number, ClosingRow.total_at_risk).where(ClosingRow.round_number.in_(numbers))
    return {RoundNumber(number): total for number, total in session.execute(statement)}
