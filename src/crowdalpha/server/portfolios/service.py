"""Record what the meta model of each round was turned into, and what every model was worth to its book."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.portfolio import PortfolioSolution
from crowdalpha.rules.contribution import (
    BookInputs,
    ContributionRecord,
    ContributionRow,
    contribute,
    draw_seed,
    recorded_weights,
)
from crowdalpha.rules.errors import Conflict, IdempotencyConflict, NotFound
from crowdalpha.rules.hashing import sha256_hex
from crowdalpha.rules.ids import ModelId, RoundNumber
from crowdalpha.rules.money import Amount, Unit
from crowdalpha.rules.round import RoundState
from crowdalpha.rules.rulebook import ReferenceBookRule
from crowdalpha.server.blobs import BlobStore
from crowdalpha.server.db.tables import ContributionRoundRow, PortfolioRow
from crowdalpha.server.log import get_log
from crowdalpha.server.portfolios import repository
from crowdalpha.server.rounds.frames import put_frame, read_frame
from crowdalpha.server.rounds.service import Round, closed_record, frozen_predictions, get_round

__all__ = [
    "BookReturn",
    "ModelContribution",
    "Rebalancing",
    "get_rebalancing",
    "get_weights",
    "list_book_returns",
    "list_contributions",
    "list_rebalancings",
    "rebalance",
    "record_contributions",
]

log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class Rebalancing:
    """The portfolio that a round led to; `relaxed` names the limits that could not all be held."""

    number: RoundNumber
    status: str
    relaxed: tuple[str, ...]
    weights_sha256: str
    nav: Amount


@dataclass(frozen=True, slots=True)
class ModelContribution:
    """What one model was worth to a round's reference book: integers of 1e-9, None where undefined."""

    number: RoundNumber
    model_id: ModelId
    tc: int | None
    tc_error: int | None
    attributed: int | None
    mpc: int | None


@dataclass(frozen=True, slots=True)
class BookReturn:
    """What the reference book of a round earned before costs, in 1e-9, and where the proof lies."""

    number: RoundNumber
    book_return: int
    inputs_sha256: str
    record_sha256: str


def rebalance(
    session: Session,
    *,
    blobs: BlobStore,
    number: RoundNumber,
    solution: PortfolioSolution,
    nav: Amount,
    now: datetime,
    assets: Sequence[str] | None = None,
) -> Rebalancing:
    """Record the weights chosen for a closed round, once.

    Parameters
    ----------
    session : Session
        Of the caller, who commits.
    blobs : BlobStore
        Takes the weights.
    number : RoundNumber
        The round whose meta model was used.
    solution : PortfolioSolution
        What the optimizer answered.
    nav : Amount
        Value of the portfolio just before.
    now : datetime
        Time of the decision.
    assets : sequence of str, optional
        One name a weight; the place in the universe otherwise.

    Raises
    ------
    Conflict
        If other weights or another value were recorded for the round.
    """
    number = get_round(session, number).number
    names = [str(place) for place in range(len(solution.weights))] if assets is None else list(assets)
    if len(names) != len(solution.weights):
        raise InputError(f"round {number}: {len(names)} assets for {len(solution.weights)} weights; name each once")
    row = PortfolioRow(
        round_number=number,
        status=solution.status,
        relaxed=list(solution.relaxed),
        weights_sha256=_put_weights(blobs, names, solution.weights),
        unit=nav.unit.code,
        nav=nav.base,
        nav_scale=nav.unit.scale,
        rebalanced_at=now,
    )
    wanted = _rebalancing(row)
    if repository.add(session, row):
        log.info("portfolio_rebalanced", round=number, status=row.status, relaxed=row.relaxed, nav=str(nav))
        return wanted
    stored = repository.find(session, number)
    if stored is None or _rebalancing(stored) != wanted:
        raise Conflict(f"round {number} was rebalanced to other weights; they are not replaced")
    return wanted


def get_weights(session: Session, *, blobs: BlobStore, number: RoundNumber) -> pl.DataFrame:
    """Read the weights of a round: columns `asset` and `weight`, in the order of the universe."""
    return read_frame(blobs, get_rebalancing(session, number).weights_sha256)


def get_rebalancing(session: Session, number: RoundNumber) -> Rebalancing:
    """Read the portfolio that a round led to, or refuse with `NotFound`."""
    row = repository.find(session, number)
    if row is None:
        raise NotFound("portfolio of round", number)
    return _rebalancing(row)


def list_rebalancings(session: Session) -> list[Rebalancing]:
    """List every rebalancing by round."""
    return [_rebalancing(row) for row in repository.list_all(session)]


def record_contributions(
    session: Session, *, blobs: BlobStore, number: RoundNumber, inputs: BookInputs, now: datetime
) -> BookReturn:
    """Compute what every model was worth to the round's reference book, and record it, once.

    Parameters
    ----------
    session : Session
        Of the caller, who commits.
    blobs : BlobStore
        Holds the submissions; takes the inputs and the record.
    number : RoundNumber
        A round whose returns are known.
    inputs : BookInputs
        Risk, costs and realised returns, assets in the order of the live ids.
    now : datetime
        Time of the recording.

    Raises
    ------
    Conflict
        If the rulebook has no reference book, or it is too early.
    IdempotencyConflict
        If the contributions were recorded from other inputs.
    InputError
        If the inputs do not fit the round; the message names the asset.
    SolverError
        If a book is not certified; nothing is recorded then.
    """
    row = get_round(session, number)
    rule = row.rulebook.reference_book
    if rule is None:
        raise Conflict(f"round {number}: its rulebook has no reference_book to measure contributions on")
    if row.state not in (RoundState.SCORING, RoundState.RESOLVED) or now < row.resolves_at:
        raise Conflict(f"round {number} is {row.state}; its returns are known at {row.resolves_at}, it is {now}")
    done = repository.find_contribution_round(session, number)
    if done is not None:
        return _same_inputs(blobs, done, inputs)
    record = _contribute(session, blobs, row, rule, inputs)
    stored = ContributionRoundRow(
        round_number=number,
        inputs_sha256=blobs.put(inputs.to_bytes()),
        record_sha256=blobs.put(record.to_bytes()),
        book_return=record.book_return,
        recorded_at=now,
    )
    if repository.add_contributions(session, stored, rows=record.rows):
        log.info("contributions_recorded", round=number, models=len(record.rows), book_return=record.book_return)
        return _book_return(stored)
    # another transaction was faster
    return record_contributions(session, blobs=blobs, number=number, inputs=inputs, now=now)


def list_contributions(session: Session, *, number: RoundNumber | None = None) -> list[ModelContribution]:
    """List recorded contributions by round and model."""
    return [
        ModelContribution(
            number=RoundNumber(row.round_number),
            model_id=ModelId(row.model_id),
            tc=row.tc,
            tc_error=row.tc_error,
            attributed=row.attributed,
            mpc=row.mpc,
        )
        for row in repository.list_contributions(session, number=number)
    ]


def list_book_returns(session: Session) -> list[BookReturn]:
    """List what the reference book earned, by round."""
    return [_book_return(row) for row in repository.list_contribution_rounds(session)]


def _contribute(
    session: Session, blobs: BlobStore, row: Round, rule: ReferenceBookRule, inputs: BookInputs
) -> ContributionRecord:
    """Compute the contributions of a round and bind them to its close and to the inputs."""
    closed = closed_record(session, blobs=blobs, number=row.number)
    frozen = frozen_predictions(session, blobs=blobs, number=row.number)
    earned, figures = contribute(
        frozen.values,
        recorded_weights(closed, row.rulebook),
        rule=rule,
        seed=draw_seed(closed),
        inputs=inputs,
        assets=frozen.live_ids,
    )
    return ContributionRecord(
        round_number=row.number,
        rulebook_hash=row.rulebook.hash,
        closed_hash=closed.hash,
        inputs_sha256=sha256_hex(inputs.to_bytes()),
        book_return=earned,
        rows=tuple(
            ContributionRow.model_validate({"model_id": model_id, **each})
            for model_id, each in zip(frozen.model_ids, figures, strict=True)
        ),
    )


def _same_inputs(blobs: BlobStore, done: ContributionRoundRow, inputs: BookInputs) -> BookReturn:
    """Compare values and not hashes: another version of the writer may give the same values other bytes."""
    before = BookInputs.from_bytes(blobs.get(done.inputs_sha256))
    if not before.same_as(inputs):
        raise IdempotencyConflict(f"contributions:{done.round_number}")
    return _book_return(done)


def _book_return(row: ContributionRoundRow) -> BookReturn:
    return BookReturn(RoundNumber(row.round_number), row.book_return, row.inputs_sha256, row.record_sha256)


def _put_weights(blobs: BlobStore, assets: Sequence[str], weights: NDArray[np.float64]) -> str:
    return put_frame(blobs, pl.DataFrame({"asset": list(assets), "weight": weights}))


def _rebalancing(row: PortfolioRow) -> Rebalancing:
    return Rebalancing(
        number=RoundNumber(row.round_number),
        status=row.status,
        relaxed=tuple(row.relaxed),
        weights_sha256=row.weights_sha256,
        nav=Amount(row.nav, Unit(row.unit, row.nav_scale)),
    )
