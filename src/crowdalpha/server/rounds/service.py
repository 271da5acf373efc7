"""The life of a round: open, close, resolve; or void.

Each step locks the round's row, does everything in the caller's one transaction, and answers a repeat with
what it answered first. Files are written before the transaction commits and never changed: what a killed
step left of them is found again under the same hash.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.rules.bundle import ClosedRecord, RoundBundle, Weighing, close_record, resolve_bundle
from crowdalpha.rules.calendar import RoundWindow
from crowdalpha.rules.errors import Conflict, IdempotencyConflict, NotFound, NothingAtRisk, RulebookError
from crowdalpha.rules.fixed import QUANTUM
from crowdalpha.rules.hashing import canonical_json, hash_of
from crowdalpha.rules.ids import ModelId, RoundNumber, TournamentId
from crowdalpha.rules.ledger import REWARDS, stake, unstake
from crowdalpha.rules.money import Amount, Unit
from crowdalpha.rules.payout import payout_factor
from crowdalpha.rules.rescore import rebuild_meta_model, score_names
from crowdalpha.rules.round import RoundState, advance
from crowdalpha.rules.rulebook import Rulebook
from crowdalpha.rules.settlement import Position, Settlement, settle
from crowdalpha.rules.stake import amount_at_risk
from crowdalpha.rules.weighing import weigh
from crowdalpha.server.blobs import BlobStore
from crowdalpha.server.datasets.service import get_dataset
from crowdalpha.server.db.tables import ClosingRow, ResolutionRow, RoundRow, ScoreDayRow
from crowdalpha.server.leaderboards.service import add_round as add_to_standings
from crowdalpha.server.ledger import service as ledger
from crowdalpha.server.log import get_log
from crowdalpha.server.models.service import accounts_of
from crowdalpha.server.rounds import frames, repository
from crowdalpha.server.rounds.history import PastPosition, PastRound, Staked, learn
from crowdalpha.server.rounds.universe import universe_of
from crowdalpha.server.rounds.values import (
    ClosedRound,
    FrozenPredictions,
    PositionView,
    Resolution,
    Round,
    closed_of,
    resolution_of,
    round_of,
)
from crowdalpha.server.stakes.service import release_due, stakes_of
from crowdalpha.server.tournaments.service import get_tournament

__all__ = [
    "ClosedRound",
    "FrozenPredictions",
    "PositionView",
    "Resolution",
    "Round",
    "close_round",
    "closed_record",
    "frozen_predictions",
    "get_round",
    "list_positions",
    "list_rounds",
    "live_ids",
    "meta_model",
    "open_round",
    "payout_factors",
    "read_files",
    "resolve_round",
    "start_scoring",
    "void_round",
]

log = get_log(__name__)

WHOLLY_CHANGED = (QUANTUM, QUANTUM)
"""Churn and turnover, in 1e-9, of a submission that nobody measured."""


def open_round(  # noqa: PLR0913  # everything that a round is bound to for life, fixed in one call
    session: Session,
    *,
    number: RoundNumber,
    tournament_id: TournamentId,
    rulebook: Rulebook,
    dataset_version: str,
    live_ids: Sequence[str],
    era: str,
    opens_at: datetime,
    closes_at: datetime,
    resolves_at: datetime,
    now: datetime,
    universe_sha256: str | None = None,
) -> Round:
    """Open a round, bound for life to these rules, this data and these times.

    A named round is given the `live_ids` and the hash of the universe file that `put_universe` stored.

    Raises
    ------
    NotFound
        If there is no such tournament, or the dataset was not published.
    Conflict
        If it is too early.
    RulebookError
        If the rulebook is of another kind than the tournament, or a named round has no universe, or too small a one.
    IdempotencyConflict
        If the number was opened with anything else.
    """
    tournament = get_tournament(session, tournament_id)
    window = RoundWindow(opens_at=opens_at, closes_at=closes_at, resolves_at=resolves_at)
    ids = list(live_ids)
    if not ids or len(set(ids)) != len(ids):
        raise InputError(f"round {number}: live_ids must be there, each once")
    if now < window.opens_at:
        raise Conflict(f"round {number} opens at {window.opens_at}, it is {now}")
    _demand_kind(number, tournament.kind, rulebook, n_live=len(ids), has_universe=universe_sha256 is not None)
    row = RoundRow(
        number=number,
        tournament_id=tournament.id,
        state=advance(RoundState.SCHEDULED, RoundState.OPEN).value,
        rulebook=rulebook.to_json(),
        rulebook_hash=rulebook.hash,
        dataset_version=get_dataset(session, dataset_version).version,
        era=era,
        live_ids_sha256=hash_of(ids),
        universe_sha256=universe_sha256,
        opens_at=window.opens_at,
        closes_at=window.closes_at,
        resolves_at=window.resolves_at,
    )
    wanted = round_of(row)
    if repository.add_round(session, row, live_ids=ids):
        log.info("round_opened", round=number, rulebook=row.rulebook_hash, dataset=dataset_version, era=era)
        return wanted
    opened = get_round(session, number)
    if replace(opened, state=wanted.state) != wanted:
        raise IdempotencyConflict(f"round:{number}")
    return opened


def close_round(session: Session, *, blobs: BlobStore, number: RoundNumber, now: datetime) -> ClosedRound:
    """Freeze each model's latest submission and stake, and build the meta model by the round's rulebook.

    A method that learns is told the rounds of the same tournament that were resolved when this one was due to close,
    however late it is closed.

    Raises
    ------
    Conflict
        If it is too early, sealed submissions were not opened, or nothing is at risk: the meta model is weighted by
        stake and has none then. Let somebody stake, or void the round.
    WrongState
        If the round is void.
    """
    row = _locked(session, number)
    closing = repository.find_closing(session, number)
    if closing is not None:
        return closed_of(closing, repository.list_positions(session, number), row.rulebook.unit)
    advance(row.state, RoundState.CLOSED)
    if now < row.closes_at:
        raise Conflict(f"round {number} closes at {row.closes_at}, it is {now}")
    unopened = repository.count_unopened(session, number)
    if unopened:
        raise Conflict(f"round {number} has {unopened} sealed submissions that were not opened; open them first")
    snapshot, changes = _freeze(session, row)
    hashes = [sha256 for _, _, sha256 in snapshot]
    ids = live_ids(session, number)
    values = read_files(blobs, row, hashes, live_ids=ids)
    weighings, learned_from = _weigh(session, blobs, row, snapshot, values)
    record = close_record(
        snapshot,
        round_number=number,
        rulebook=row.rulebook,
        dataset_version=row.dataset_version,
        manifest_sha256=get_dataset(session, row.dataset_version).manifest_sha256,
        era=row.era,
        meta_model_sha256=_build_meta_model(blobs, ids, values, _weights(snapshot, weighings)),
        weighings=weighings,
        learned_from=learned_from,
        universe_sha256=row.universe_sha256,
        changes=changes,
    )
    closing = repository.add_closing(
        session,
        record,
        closed_hash=blobs.put(canonical_json(record.to_json())),
        predictions_sha256=frames.put_matrix(blobs, values),
        now=now,
    )
    repository.set_state(session, number, RoundState.CLOSED)
    log.info("round_closed", round=number, models=len(snapshot), at_risk=record.total_at_risk, hash=closing.closed_hash)
    return closed_of(closing, repository.list_positions(session, number), row.rulebook.unit)


def resolve_round(session: Session, *, blobs: BlobStore, number: RoundNumber, now: datetime) -> Resolution:
    """Pay and burn what the final scores say, once, in one batch, and store the proof.

    Raises
    ------
    Conflict
        If it is too early, or the final scores are not there.
    WrongState
        If the round is not being scored.
    """
    row = _locked(session, number)
    done = repository.find_resolution(session, number)
    if done is not None:
        return resolution_of(done, row.rulebook.unit)
    advance(row.state, RoundState.RESOLVED)
    if now < row.resolves_at:
        raise Conflict(f"round {number} resolves at {row.resolves_at}, it is {now}")
    final = repository.find_final_day(session, number)
    if final is None:
        raise Conflict(f"round {number} has no final scores; score it with final=True first")
    ledger.hold_still(session)
    bundle, settlement = _settle(session, blobs, row, final)
    batch = ledger.post(session, batch_key=f"resolve:{number}", transfers=settlement.transfers, now=now)
    repository.add_payouts(session, number, settlement.outcomes)
    resolution = ResolutionRow(
        round_number=number,
        batch_id=batch.id,
        paid=settlement.paid.base,
        burned=settlement.burned.base,
        payout_factor=settlement.payout_factor,
        funding=settlement.funding,
        payout_root=bundle.resolved.payout_root,
        bundle_sha256=blobs.put(bundle.to_bytes()),
        resolved_at=now,
    )
    repository.add_resolution(session, resolution)
    repository.set_state(session, number, RoundState.RESOLVED)
    add_to_standings(session, number)
    release_due(session, unit=row.rulebook.unit, now=now)
    log.info("round_resolved", round=number, paid=str(settlement.paid), burned=str(settlement.burned))
    return resolution_of(resolution, row.rulebook.unit)


def void_round(session: Session, *, number: RoundNumber, now: datetime) -> Round:
    """End a round that pays and burns nothing; a repeat changes nothing."""
    row = _locked(session, number)
    if row.state is RoundState.VOID:
        return row
    voided = replace(row, state=advance(row.state, RoundState.VOID))
    repository.set_state(session, number, voided.state)
    release_due(session, unit=row.rulebook.unit, now=now)
    log.info("round_voided", round=number)
    return voided


def start_scoring(session: Session, *, number: RoundNumber) -> Round:
    """Move a closed round on to scoring, and keep others from moving it until this transaction ends.

    A round that is being scored, or resolved already, stays as it is.
    """
    row = _locked(session, number)
    if row.state in (RoundState.SCORING, RoundState.RESOLVED):
        return row
    scoring = replace(row, state=advance(row.state, RoundState.SCORING))
    repository.set_state(session, number, scoring.state)
    log.info("scoring_started", round=number)
    return scoring


def get_round(session: Session, number: RoundNumber) -> Round:
    """Read a round, or refuse with `NotFound`."""
    row = repository.find_round(session, number)
    if row is None:
        raise NotFound("round", number)
    return round_of(row)


def list_rounds(
    session: Session, *, state: RoundState | None = None, tournament_id: TournamentId | None = None
) -> list[Round]:
    """List rounds by number: all, in one state, of one tournament."""
    return [round_of(row) for row in repository.list_rounds(session, state=state, tournament_id=tournament_id)]


def list_positions(
    session: Session, *, number: RoundNumber | None = None, model_ids: Sequence[ModelId] | None = None
) -> list[PositionView]:
    """List what each model, or each of these, had at risk and what became of it, by round and model."""
    views = []
    for round_number, model_id, at_risk, change, code, scale in repository.list_positions_with_payouts(
        session, number=number, model_ids=model_ids
    ):
        unit = Unit(code, scale)
        delta = None if change is None else Amount(change, unit)
        views.append(PositionView(RoundNumber(round_number), ModelId(model_id), Amount(at_risk, unit), delta))
    return views


def payout_factors(session: Session, rounds: Sequence[Round]) -> dict[RoundNumber, int]:
    """Compute the payout factor of each of these rounds that is closed, in 1e-9."""
    totals = repository.list_totals_at_risk(session, [row.number for row in rounds])
    return {
        row.number: payout_factor(row.rulebook.threshold, Amount(totals[row.number], row.rulebook.unit))
        for row in rounds
        if row.number in totals
    }


def live_ids(session: Session, number: RoundNumber) -> tuple[str, ...]:
    """Read the ids that a submission must cover, in their order."""
    ids = repository.find_live_ids(session, number)
    if ids is None:
        raise NotFound("round", number)
    return tuple(ids)


def meta_model(session: Session, *, blobs: BlobStore, number: RoundNumber) -> pl.DataFrame:
    """Read the meta model of a closed round: columns `id` and `meta_model`."""
    return frames.read_frame(blobs, _closing(session, number).meta_model_sha256)


def closed_record(session: Session, *, blobs: BlobStore, number: RoundNumber) -> ClosedRecord:
    """Read what the close of a round fixed and published."""
    return ClosedRecord.model_validate_json(blobs.get(_closing(session, number).closed_hash))


def frozen_predictions(session: Session, *, blobs: BlobStore, number: RoundNumber) -> FrozenPredictions:
    """Read every submission that counts in a closed round, staked or not, by model."""
    positions = repository.list_positions(session, number)
    return FrozenPredictions(
        live_ids=live_ids(session, number),
        model_ids=tuple(ModelId(position.model_id) for position in positions),
        submission_sha256=tuple(position.submission_sha256 for position in positions),
        values=frames.read_matrix(blobs, _closing(session, number).predictions_sha256),
    )


def read_files(blobs: BlobStore, row: Round, sha256s: Sequence[str], *, live_ids: Sequence[str]) -> NDArray[np.float64]:
    """Read stored submissions of a round into the columns of one matrix."""
    if row.rulebook.kind == "named":
        universe = universe_of(blobs, row)
        return frames.read_named_submissions(blobs, sha256s, universe=universe, rulebook=row.rulebook)
    return frames.read_submissions(blobs, sha256s, live_ids=live_ids, rulebook=row.rulebook)


def _locked(session: Session, number: RoundNumber) -> Round:
    """Read a round as it is now and keep others from moving it until this transaction ends."""
    row = repository.find_round(session, number, lock=True)
    if row is None:
        raise NotFound("round", number)
    return round_of(row)


def _freeze(session: Session, row: Round) -> tuple[list[tuple[ModelId, Amount, str]], list[tuple[int, int]] | None]:
    """Freeze each model's latest submission and what it puts at risk; and how much each changed, where that counts."""
    counting = repository.list_counting_submissions(session, row.number)
    model_ids = [ModelId(model_id) for model_id, _ in counting]
    stakes = stakes_of(session, model_ids, unit=row.rulebook.unit)
    changes = _changes(session, row, counting)
    at_risk = [
        amount_at_risk(held, submitted=steady, rulebook=row.rulebook)
        for held, steady in zip(stakes, _within_limits(row.rulebook, changes, len(stakes)), strict=True)
    ]
    if not any(amount.base > 0 for amount in at_risk):
        raise NothingAtRisk(row.number)
    hashes = [sha256 for _, sha256 in counting]
    repository.add_positions(
        session, row.number, model_ids=model_ids, sha256s=hashes, at_risk=[amount.base for amount in at_risk]
    )
    return list(zip(model_ids, at_risk, hashes, strict=True)), changes


def _changes(session: Session, row: Round, counting: Sequence[tuple[int, str]]) -> list[tuple[int, int]] | None:
    """Read churn and turnover of the submissions that count, where the rulebook limits them."""
    if row.rulebook.change is None:
        return None
    measured = repository.list_changes(session, row.number)
    return [measured.get(pair, WHOLLY_CHANGED) for pair in counting]


def _within_limits(rulebook: Rulebook, changes: Sequence[tuple[int, int]] | None, n_models: int) -> list[bool]:
    rule = rulebook.change
    if rule is None or changes is None:
        return [True] * n_models
    return [not rule.is_broken_by(churn=churn, turnover=turnover) for churn, turnover in changes]


def _demand_kind(number: RoundNumber, kind: str, rulebook: Rulebook, *, n_live: int, has_universe: bool) -> None:
    """Refuse rules that the round could not be played by."""
    if rulebook.kind != kind:
        raise RulebookError(f"round {number}: the tournament is {kind} and the rulebook {rulebook.kind}; give its own")
    if has_universe != (kind == "named"):
        fix = "store its universe with put_universe" if kind == "named" else "leave the universe out"
        raise RulebookError(f"round {number} is of {kind} assets; {fix}")
    if has_universe and n_live < rulebook.min_assets:
        raise RulebookError(f"round {number} has {n_live} live assets and min_assets is {rulebook.min_assets}")


def _weigh(
    session: Session,
    blobs: BlobStore,
    row: Round,
    snapshot: Sequence[tuple[ModelId, Amount, str]],
    values: NDArray[np.float64],
) -> tuple[tuple[Weighing, ...] | None, tuple[RoundNumber, ...] | None]:
    """Weigh by the rulebook, and say which rounds the method learned from."""
    rule = row.rulebook.meta_model
    model_ids = [model_id for model_id, _, _ in snapshot]
    at_risk = np.array([amount.base for _, amount, _ in snapshot], dtype=np.float64)
    accounts = accounts_of(session, model_ids)
    if rule.method == "stake_weighted":
        return weigh(rule, at_risk, accounts=accounts), None
    past = _past_rounds(session, row)
    learned = learn(past, blobs=blobs, now=Staked(tuple(model_ids), at_risk, values), method=rule.method)
    return weigh(rule, at_risk, learned=learned, accounts=accounts), tuple(each.number for each in past)


def _past_rounds(session: Session, row: Round) -> list[PastRound]:
    """Read what is known of the rounds that were resolved when this one was due to close."""
    resolved = repository.list_resolved(session, tournament_id=row.tournament_id, by=row.closes_at)
    positions: dict[RoundNumber, list[PastPosition]] = {}
    numbers = [RoundNumber(each.number) for each, _, _, _ in resolved]
    for number, model_id, at_risk, corr in repository.list_past_positions(session, numbers):
        positions.setdefault(number, []).append(PastPosition(model_id, at_risk, corr))
    return [
        PastRound(
            number=RoundNumber(past.number),
            closed_at=past.closes_at,
            resolved_at=resolution.resolved_at,
            positions=tuple(positions[RoundNumber(past.number)]),
            predictions_sha256=closing.predictions_sha256,
            targets_sha256=final.targets_sha256,
        )
        for past, closing, resolution, final in resolved
    ]


def _weights(
    snapshot: Sequence[tuple[ModelId, Amount, str]], weighings: Sequence[Weighing] | None
) -> NDArray[np.float64]:
    if weighings is None:
        return np.array([amount.base for _, amount, _ in snapshot], dtype=np.float64)
    return np.array([each.weight for each in weighings], dtype=np.float64)


def _build_meta_model(
    blobs: BlobStore, ids: Sequence[str], values: NDArray[np.float64], weights: NDArray[np.float64]
) -> str:
    """Store the meta model of the models with weight; the others need not be ranked."""
    used = weights > 0
    return frames.put_meta_model(blobs, ids, rebuild_meta_model(values[:, used], weights[used]))


def _settle(session: Session, blobs: BlobStore, row: Round, final: ScoreDayRow) -> tuple[RoundBundle, Settlement]:
    """Compute payments and their proof from what was frozen at the close and the recorded final scores."""
    unit = row.rulebook.unit
    frozen = repository.list_positions(session, row.number)
    scores = {score.model_id: score for score in repository.list_scores(session, row.number, day=final.day)}
    model_ids = [ModelId(position.model_id) for position in frozen]
    stakes = ledger.balances_of(session, [stake(model_id) for model_id in model_ids], unit=unit)
    pending = ledger.balances_of(session, [unstake(model_id) for model_id in model_ids], unit=unit)
    positions = [
        Position(
            model_id=model_id,
            at_risk=Amount(position.at_risk, unit),
            scores={name: getattr(scores[model_id], name) for name in score_names(row.rulebook)},
            stake=held,
            unstake=leaving,
        )
        for model_id, position, held, leaving in zip(model_ids, frozen, stakes, pending, strict=True)
    ]
    pool = ledger.balance_of(session, REWARDS, unit=unit)
    settlement = settle(positions, number=row.number, rulebook=row.rulebook, pool=pool)
    bundle = resolve_bundle(
        closed_record(session, blobs=blobs, number=row.number),
        rulebook=row.rulebook,
        positions=positions,
        settlement=settlement,
        pool=pool,
        targets_sha256=final.targets_sha256,
    )
    return bundle, settlement


def _closing(session: Session, number: RoundNumber) -> ClosingRow:
    closing = repository.find_closing(session, number)
    if closing is None:
        raise Conflict(f"round {number} is {get_round(session, number).state}, and this needs its close")
    return closing
