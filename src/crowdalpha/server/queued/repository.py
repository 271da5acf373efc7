"""All SQL of waiting submissions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from crowdalpha.rules.ids import ModelId, RoundNumber
from crowdalpha.server.db.tables import WaitingSubmissionRow

__all__ = ["RollOver", "add", "decide", "list_of_model", "list_roll_overs", "list_waiting", "replace_waiting"]

WAITING = text("""
    SELECT waiting_submission.id
    FROM waiting_submission
    JOIN model ON model.id = waiting_submission.model_id
    WHERE waiting_submission.state = 'waiting' AND model.tournament_id = :tournament_id
        AND waiting_submission.received_at <= :now
    ORDER BY waiting_submission.id
    LIMIT :limit
    FOR UPDATE OF waiting_submission SKIP LOCKED
""")
ROLL_OVERS = text("""
    SELECT model.id AS model_id, earlier.sha256, earlier.filename
    FROM model
    JOIN LATERAL (
        SELECT submission.sha256, submission.filename
        FROM submission JOIN round ON round.number = submission.round_number
        WHERE submission.model_id = model.id AND NOT submission.is_late
            AND round.tournament_id = :tournament_id AND round.opens_at < :opens_at
        ORDER BY round.opens_at DESC, round.number DESC, submission.sequence DESC
        LIMIT 1
    ) AS earlier ON true
    WHERE model.tournament_id = :tournament_id AND model.rolls_over
        AND NOT EXISTS (SELECT 1 FROM submission WHERE model_id = model.id AND round_number = :number)
        AND NOT EXISTS (
            SELECT 1 FROM waiting_submission
            WHERE model_id = model.id AND round_number = :number AND origin = 'rolled_over'
        )
    ORDER BY model.id
    LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class RollOver:
    """A model that hands in nothing new, and its file of the round before."""

    model_id: ModelId
    sha256: str
    filename: str


def add(session: Session, row: WaitingSubmissionRow) -> None:
    """Insert a file."""
    session.add(row)
    session.flush()


def replace_waiting(session: Session, model_id: ModelId, *, now: datetime) -> None:
    """Take the place of what waited for a model."""
    statement = update(WaitingSubmissionRow).where(
        WaitingSubmissionRow.model_id == model_id, WaitingSubmissionRow.state == "waiting"
    )
    session.execute(statement.values(state="replaced", decided_at=now))


def list_of_model(session: Session, model_id: ModelId) -> list[WaitingSubmissionRow]:
    """List the files of a model, newest first."""
    statement = select(WaitingSubmissionRow).where(WaitingSubmissionRow.model_id == model_id)
    return list(session.scalars(statement.order_by(WaitingSubmissionRow.id.desc())))


def list_waiting(session: Session, *, tournament_id: int, now: datetime, limit: int) -> list[WaitingSubmissionRow]:
    """Lock the oldest files that wait in a tournament, but for those that another transaction deals with."""
    values = {"tournament_id": tournament_id, "now": now, "limit": limit}
    ids = list(session.scalars(WAITING, values))
    statement = select(WaitingSubmissionRow).where(WaitingSubmissionRow.id.in_(ids))
    return list(session.scalars(statement.order_by(WaitingSubmissionRow.id)))


def list_roll_overs(
    session: Session, *, number: RoundNumber, tournament_id: int, opens_at: datetime, limit: int
) -> Sequence[RollOver]:
    """List models that roll over and have nothing in a round, with their last file of a round before."""
    values = {"number": number, "tournament_id": tournament_id, "opens_at": opens_at, "limit": limit}
    return [RollOver(ModelId(row.model_id), row.sha256, row.filename) for row in session.execute(ROLL_OVERS, values)]


def decide(
    session: Session, waiting_id: int, *, state: str, number: RoundNumber, reason: str | None, now: datetime
) -> None:
    """Note what became of a file when its round opened."""
    statement = update(WaitingSubmissionRow).where(WaitingSubmissionRow.id == waiting_id)
    session.execute(statement.values(state=state, round_number=number, reason=reason, decided_at=now))
