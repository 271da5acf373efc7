"""Put money at risk and take it back.

A decrease leaves the stake at once and is free only when every round that was closed by then is resolved;
until then it takes no new risk and those rounds may still burn it. What they burn falls on the oldest
decrease first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from crowdalpha.rules.ids import AccountId, ModelId, RoundNumber
from crowdalpha.rules.ledger import FlowCode, Transfer, available, stake, unstake
from crowdalpha.rules.money import POINTS, Amount, Unit
from crowdalpha.rules.round import RoundState
from crowdalpha.rules.rulebook import Rulebook, default_rulebook
from crowdalpha.rules.stake import decreased, increased
from crowdalpha.server.db.tables import ReleaseRow
from crowdalpha.server.ledger import service as ledger
from crowdalpha.server.ledger.service import Batch
from crowdalpha.server.log import get_log
from crowdalpha.server.models.service import get_model, list_models
from crowdalpha.server.stakes import repository

__all__ = ["PendingRelease", "decrease", "increase", "pending_of", "release_due", "stake_of", "stakes_of"]

log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class PendingRelease:
    """A decrease that is not free yet: what was asked for, what burns left of it, and the round that it waits for."""

    id: int
    amount: Amount
    left: Amount
    wait_round: RoundNumber
    requested_at: datetime


def increase(
    session: Session, *, model_id: ModelId, amount: Amount, key: str, now: datetime, rulebook: Rulebook | None = None
) -> Batch:
    """Move free money of the model's owner into its stake; the next close puts it at risk.

    Parameters
    ----------
    session : Session
        Of the caller, who commits.
    model_id : ModelId
        The model to stake on.
    amount : Amount
        Above zero.
    key : str
        Chosen by the caller, once per wish: a repeat with the same amount changes nothing.
    now : datetime
        Time of the request.
    rulebook : Rulebook, optional
        Gives the minimum stake; the default rules otherwise.

    Raises
    ------
    NotFound, BelowMinimumStake, InsufficientBalance, IdempotencyConflict
    """
    owner = get_model(session, model_id).account_id
    transfer = Transfer(FlowCode.STAKE, available(owner), stake(model_id), amount, f"stake:{key}")
    ledger.hold_still(session)
    answered = ledger.find_answer(session, batch_key=transfer.key, transfers=[transfer])
    if answered is not None:
        return answered
    after = increased(_held(session, model_id, amount.unit), amount, rulebook=_rules(rulebook, amount.unit))
    batch = ledger.post(session, batch_key=transfer.key, transfers=[transfer], now=now)
    log.info("stake_increased", model_id=model_id, amount=str(amount), stake=str(after))
    return batch


def decrease(
    session: Session, *, model_id: ModelId, amount: Amount, key: str, now: datetime, rulebook: Rulebook | None = None
) -> Batch:
    """Take money out of a model's stake; it is free at once, or when the rounds that it may owe to are resolved.

    Parameters and errors are those of `increase`.
    """
    model = get_model(session, model_id)
    transfer = Transfer(FlowCode.UNSTAKE, stake(model_id), unstake(model_id), amount, f"unstake:{key}")
    active = repository.lock_active_rounds(session, tournament_id=model.tournament_id)
    ledger.hold_still(session)
    answered = ledger.find_answer(session, batch_key=transfer.key, transfers=[transfer])
    if answered is not None:
        return answered
    after = decreased(_held(session, model_id, amount.unit), amount, rulebook=_rules(rulebook, amount.unit))
    batch = ledger.post(session, batch_key=transfer.key, transfers=[transfer], now=now)
    release = ReleaseRow(
        model_id=model_id,
        unit=amount.unit.code,
        amount=amount.base,
        wait_round=max((number for number, state in active if state != RoundState.OPEN), default=0),
        requested_at=now,
    )
    repository.add_release(session, release)
    log.info("stake_decreased", model_id=model_id, amount=str(amount), stake=str(after), wait=release.wait_round)
    release_due(session, unit=amount.unit, now=now)
    return batch


def release_due(session: Session, *, unit: Unit = POINTS, now: datetime) -> Amount:
    """Free every decrease whose rounds are all resolved, and return how much that was.

    The caller holds the rounds that it just resolved; a repeat finds nothing that is due.
    """
    ledger.hold_still(session)
    oldest = repository.oldest_unresolved(session)
    models = {model.id: model for model in list_models(session)}
    pending = repository.list_pending(session, unit=unit.code)
    due = [
        (row, left)
        for row, left in _after_burns(session, pending, unit)
        if row.wait_round < oldest.get(models[ModelId(row.model_id)].tournament_id, row.wait_round + 1)
    ]
    if not due:
        return Amount.zero(unit)
    transfers = [_release(row, left, models[ModelId(row.model_id)].account_id) for row, left in due if left.base > 0]
    last_id = max(row.id for row, _ in due)  # a release is in one batch, so that its id names the batch
    ledger.post(session, batch_key=f"release:{last_id}", transfers=transfers, now=now)
    repository.mark_released(session, [row.id for row, _ in due], now=now)
    freed = Amount(sum(transfer.amount.base for transfer in transfers), unit)
    log.info("stakes_released", releases=len(due), amount=str(freed))
    return freed


def stake_of(session: Session, *, model_id: ModelId, unit: Unit = POINTS) -> Amount:
    """Read a model's active stake."""
    return ledger.balance_of(session, stake(model_id), unit=unit)


def stakes_of(session: Session, model_ids: Sequence[ModelId], *, unit: Unit = POINTS) -> list[Amount]:
    """Read the active stakes of several models at once, in their order."""
    return ledger.balances_of(session, [stake(model_id) for model_id in model_ids], unit=unit)


def pending_of(session: Session, *, model_id: ModelId, unit: Unit = POINTS) -> list[PendingRelease]:
    """List the decreases of a model that are not free yet, oldest first."""
    pending = repository.list_pending(session, unit=unit.code, model_id=model_id)
    return [
        PendingRelease(row.id, Amount(row.amount, unit), left, RoundNumber(row.wait_round), row.requested_at)
        for row, left in _after_burns(session, pending, unit)
    ]


def _after_burns(session: Session, pending: Sequence[ReleaseRow], unit: Unit) -> list[tuple[ReleaseRow, Amount]]:
    """Say how much is left of each pending decrease when each model's oldest bear what was burned."""
    model_ids = sorted({ModelId(row.model_id) for row in pending})
    held = ledger.balances_of(session, [unstake(model_id) for model_id in model_ids], unit=unit)
    burned = {model_id: -amount.base for model_id, amount in zip(model_ids, held, strict=True)}
    for row in pending:
        burned[ModelId(row.model_id)] += row.amount
    left: list[tuple[ReleaseRow, Amount]] = []
    for row in pending:
        lost = min(burned[ModelId(row.model_id)], row.amount)
        burned[ModelId(row.model_id)] -= lost
        left.append((row, Amount(row.amount - lost, unit)))
    return left


def _release(row: ReleaseRow, left: Amount, owner: AccountId) -> Transfer:
    return Transfer(FlowCode.RELEASE, unstake(ModelId(row.model_id)), available(owner), left, f"release:{row.id}")


def _held(session: Session, model_id: ModelId, unit: Unit) -> Amount:
    return stake_of(session, model_id=model_id, unit=unit)


def _rules(rulebook: Rulebook | None, unit: Unit) -> Rulebook:
    return default_rulebook(unit=unit) if rulebook is None else rulebook
