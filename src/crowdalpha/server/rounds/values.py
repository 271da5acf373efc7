"""What the services of rounds return, and how it is read from rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from crowdalpha.rules.ids import ModelId, RoundNumber, TournamentId
from crowdalpha.rules.money import Amount, Unit
from crowdalpha.rules.round import RoundState
from crowdalpha.rules.rulebook import Rulebook, read_rulebook
from crowdalpha.server.db.tables import ClosingRow, PositionRow, ResolutionRow, RoundRow

__all__ = [
    "ClosedRound",
    "FrozenPredictions",
    "PositionView",
    "Resolution",
    "Round",
    "closed_of",
    "resolution_of",
    "round_of",
]


@dataclass(frozen=True, slots=True)
class Round:
    """One run of the contest and what it is bound to."""

    number: RoundNumber
    tournament_id: TournamentId
    state: RoundState
    rulebook: Rulebook
    dataset_version: str
    era: str
    live_ids_sha256: str
    universe_sha256: str | None
    opens_at: datetime
    closes_at: datetime
    resolves_at: datetime


@dataclass(frozen=True, slots=True)
class ClosedRound:
    """What the close fixed: every model with a valid submission, by id, and what it put at risk."""

    number: RoundNumber
    model_ids: tuple[ModelId, ...]
    at_risk: tuple[Amount, ...]
    total_at_risk: Amount
    snapshot_root: str
    closed_hash: str
    meta_model_sha256: str


@dataclass(frozen=True, slots=True, eq=False)
class FrozenPredictions:
    """The submissions that count, one a column; NaN where an id was left out."""

    live_ids: tuple[str, ...]
    model_ids: tuple[ModelId, ...]
    submission_sha256: tuple[str, ...]
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a round paid and burned, and where the proof of it is."""

    number: RoundNumber
    paid: Amount
    burned: Amount
    payout_root: str
    bundle_sha256: str


@dataclass(frozen=True, slots=True)
class PositionView:
    """A model's part in a round; `delta` is what it gained or lost, None until the round is resolved."""

    number: RoundNumber
    model_id: ModelId
    at_risk: Amount
    delta: Amount | None


def round_of(row: RoundRow) -> Round:
    """Read a round from its row."""
    return Round(
        number=RoundNumber(row.number),
        tournament_id=TournamentId(row.tournament_id),
        state=RoundState(row.state),
        rulebook=read_rulebook(row.rulebook),
        dataset_version=row.dataset_version,
        era=row.era,
        live_ids_sha256=row.live_ids_sha256,
        universe_sha256=row.universe_sha256,
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        resolves_at=row.resolves_at,
    )


def closed_of(closing: ClosingRow, positions: Sequence[PositionRow], unit: Unit) -> ClosedRound:
    """Read a close from its rows, positions in the order of the models."""
    return ClosedRound(
        number=RoundNumber(closing.round_number),
        model_ids=tuple(ModelId(position.model_id) for position in positions),
        at_risk=tuple(Amount(position.at_risk, unit) for position in positions),
        total_at_risk=Amount(closing.total_at_risk, unit),
        snapshot_root=closing.snapshot_root,
        closed_hash=closing.closed_hash,
        meta_model_sha256=closing.meta_model_sha256,
    )


def resolution_of(row: ResolutionRow, unit: Unit) -> Resolution:
    """Read a resolution from its row."""
    return Resolution(
        number=RoundNumber(row.round_number),
        paid=Amount(row.paid, unit),
        burned=Amount(row.burned, unit),
        payout_root=row.payout_root,
        bundle_sha256=row.bundle_sha256,
    )
