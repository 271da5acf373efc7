"""What a round's method makes of its models, from the rounds before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from crowdalpha.ensemble import Method, PastEra, clean_predictions, learned_weights
from crowdalpha.rules.ids import ModelId, RoundNumber
from crowdalpha.rules.payout import QUANTUM
from crowdalpha.rules.weighing import to_quanta
from crowdalpha.server.blobs import BlobStore
from crowdalpha.server.rounds.frames import read_frame, read_matrix

__all__ = ["PastPosition", "PastRound", "Staked", "learn"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PastPosition:
    """A model in a resolved round: base units at risk, and recorded final CORR in 1e-9."""

    model_id: ModelId
    at_risk: int
    corr: int | None


@dataclass(frozen=True, slots=True)
class PastRound:
    """A resolved round; `positions` are in the order of the columns of its predictions."""

    number: RoundNumber
    closed_at: datetime
    resolved_at: datetime
    positions: tuple[PastPosition, ...]
    predictions_sha256: str
    targets_sha256: str


@dataclass(frozen=True, slots=True, eq=False)
class Staked:
    """The round that closes: its models, what they risk, and their raw predictions, one a column."""

    model_ids: tuple[ModelId, ...]
    at_risk: FloatArray
    predictions: FloatArray


def learn(past: Sequence[PastRound], *, blobs: BlobStore, now: Staked, method: Method) -> tuple[int, ...]:
    """Weigh the models of a round by its method, in 1e-9; zero without a stake, and where nothing can be said."""
    staked = np.flatnonzero(now.at_risk > 0)
    place = {now.model_ids[model]: column for column, model in enumerate(staked)}
    weights = np.zeros(len(now.model_ids))
    weights[staked] = learned_weights(
        [_era(each, place, blobs) for each in past],
        _known(past),
        signals=clean_predictions(now.predictions[:, staked]),
        stakes=now.at_risk[staked],
        method=method,
    )
    return to_quanta(weights)


def _known(past: Sequence[PastRound]) -> list[int]:
    """Count for each round the first ones that were resolved when it closed: they are learned from in their order."""
    resolved = list(accumulate((each.resolved_at for each in past), max))
    return [sum(at <= each.closed_at for at in resolved[:place]) for place, each in enumerate(past)]


def _era(past: PastRound, place: dict[ModelId, int], blobs: BlobStore) -> PastEra:
    """Read a past round for the models that are weighed now; the others are left out of it."""
    target = read_frame(blobs, past.targets_sha256)["target"].to_numpy()
    known = np.isfinite(target)
    values = read_matrix(blobs, past.predictions_sha256)[known]
    pairs = [(column, place[each.model_id]) for column, each in enumerate(past.positions) if each.model_id in place]
    columns, mine = np.array(pairs, dtype=np.intp).reshape(-1, 2).T
    said = ~np.isnan(values[:, columns]).all(axis=0)
    columns, mine = columns[said], mine[said]
    signals = np.full((len(values), len(place)), np.nan)
    signals[:, mine] = clean_predictions(values[:, columns])
    stakes, scores = np.zeros(len(place)), np.full(len(place), np.nan)
    stakes[mine] = [past.positions[column].at_risk for column in columns]
    scores[mine] = [_from_quanta(past.positions[column].corr) for column in columns]
    return PastEra(signals=signals, stakes=stakes, scores=scores, target=target[known])


def _from_quanta(recorded: int | None) -> float:
    return float("nan") if recorded is None else recorded / QUANTUM
