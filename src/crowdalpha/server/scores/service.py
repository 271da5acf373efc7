"""Score the submissions of a round, every day anew, and record what came out.

The scores are those of `crowdalpha.rules.rescore`, the recipe that the verifier runs too, recorded as integers of
1e-9. What pays is computed from the recorded integers alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from crowdalpha.rules.errors import Conflict, IdempotencyConflict
from crowdalpha.rules.ids import ModelId, RoundNumber
from crowdalpha.rules.named import NamedExposures, score_named
from crowdalpha.rules.rescore import rescore
from crowdalpha.rules.round import RoundState
from crowdalpha.server.blobs import BlobStore
from crowdalpha.server.db.tables import ScoreDayRow, ScoreRow
from crowdalpha.server.log import get_log
from crowdalpha.server.rounds import service as rounds
from crowdalpha.server.rounds.frames import put_frame, read_frame
from crowdalpha.server.rounds.universe import universe_of
from crowdalpha.server.scores import repository
from crowdalpha.server.scores.align import align_features, align_target
from crowdalpha.server.sealed.service import told_scores

__all__ = ["MetaModelScore", "ModelScore", "list_meta_model_scores", "list_scores", "score_round"]

log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class ModelScore:
    """Recorded scores of one model on one day of a round: integers of 1e-9, None where undefined."""

    number: RoundNumber
    day: int
    model_id: ModelId
    corr: int | None
    mmc: int | None
    fnc: int | None
    cwmm: int | None
    max_exposure: int | None
    alpha: int | None = None
    mpc: int | None = None


@dataclass(frozen=True, slots=True)
class MetaModelScore:
    """Recorded correlation of the meta model itself on one day of a round."""

    number: RoundNumber
    day: int
    is_final: bool
    corr: int | None


def score_round(
    session: Session,
    *,
    blobs: BlobStore,
    number: RoundNumber,
    targets: pl.DataFrame,
    features: pl.DataFrame | None,
    day: int,
    final: bool,
    now: datetime,
) -> list[ModelScore]:
    """Score every submission that counts, staked or not, against the targets of a day.

    Parameters
    ----------
    session : Session
        Of the caller, who commits.
    blobs : BlobStore
        Holds the submissions; takes the targets and features.
    number : RoundNumber
        A closed round.
    targets : DataFrame
        Columns `id` and `target`; live ids without a row, or null, are left out of every score, a fifth at most.
    features : DataFrame, optional
        Columns `id` and one a feature, for all live ids; without them `fnc` and `max_exposure` are not recorded.
    day : int
        Trading days since the round opened; each is scored once.
    final : bool
        Whether these are the scores that pay; there is one such day, and none after it.
    now : datetime
        Time of the scoring.

    Returns
    -------
    list of ModelScore
        By model; for a repeat of a scored day what was recorded first.

    Raises
    ------
    InputError
        If the targets or features do not fit the round.
    IdempotencyConflict
        If the day was scored with other targets.
    Conflict
        If the final scores are there already.
    WrongState
        If the round is not closed yet, or void.
    """
    row = rounds.start_scoring(session, number=number)
    ids = rounds.live_ids(session, number)
    target = align_target(targets, ids)
    stored = repository.find_day(session, number=number, day=day)
    if stored is not None:
        _demand_same(blobs, stored, target=target, final=final)
        return list_scores(session, number=number, day=day, final=False)
    if row.state is RoundState.RESOLVED or repository.find_final_day(session, number=number) is not None:
        raise Conflict(f"round {number} has its final scores; a correction is a new transfer, not a new score")
    matrix = None if features is None else align_features(features, ids)
    frozen = rounds.frozen_predictions(session, blobs=blobs, number=number)
    meta_model = rounds.meta_model(session, blobs=blobs, number=number)["meta_model"].to_numpy()
    scores = rescore(frozen.values, meta_model=meta_model, target=target, features=matrix)
    if row.rulebook.kind == "named":
        scores = _with_named(session, blobs, row, frozen=frozen, target=target, scores=scores)
    scores = told_scores(session, row=row, model_ids=frozen.model_ids, scores=scores, final=final)
    scored = ScoreDayRow(
        round_number=number,
        day=day,
        is_final=final,
        targets_sha256=_put_target(blobs, ids, target),
        features_sha256=None if features is None else put_frame(blobs, features),
        meta_model_corr=_own_corr(meta_model, target),
        scored_at=now,
    )
    repository.add_day(session, scored)
    repository.add_scores(session, number=number, day=day, model_ids=frozen.model_ids, scores=scores)
    log.info("round_scored", round=number, day=day, final=final, models=len(scores), meta_model=scored.meta_model_corr)
    return list_scores(session, number=number, day=day, final=False)


def list_scores(
    session: Session, *, number: RoundNumber | None = None, day: int | None = None, final: bool = True
) -> list[ModelScore]:
    """List recorded scores by round, day and model; with `final`, only those that pay."""
    return [_score(row) for row in repository.list_scores(session, number=number, day=day, final=final)]


def list_meta_model_scores(
    session: Session, *, number: RoundNumber | None = None, final: bool = True
) -> list[MetaModelScore]:
    """List the meta model's own recorded correlation by round and day; with `final`, of the final days alone."""
    return [
        MetaModelScore(RoundNumber(row.round_number), row.day, row.is_final, row.meta_model_corr)
        for row in repository.list_days(session, number=number, final=final)
    ]


def _with_named(
    session: Session,
    blobs: BlobStore,
    row: rounds.Round,
    *,
    frozen: rounds.FrozenPredictions,
    target: NDArray[np.float64],
    scores: Sequence[Mapping[str, int | None]],
) -> tuple[Mapping[str, int | None], ...]:
    """Add the scores that named rounds alone have."""
    universe = universe_of(blobs, row)
    at_risk = {view.model_id: view.at_risk.base for view in rounds.list_positions(session, number=row.number)}
    named = score_named(
        frozen.values,
        at_risk=np.array([at_risk[model_id] for model_id in frozen.model_ids], dtype=np.float64),
        exposures=NamedExposures(universe.neutralizers, universe.sample_weights),
        target=target,
    )
    return tuple({**one, **other} for one, other in zip(scores, named, strict=True))


def _own_corr(meta_model: NDArray[np.float64], target: NDArray[np.float64]) -> int | None:
    """Score the meta model as if it were a submission."""
    return rescore(meta_model[:, np.newaxis], meta_model=meta_model, target=target)[0]["corr"]


def _put_target(blobs: BlobStore, ids: Sequence[str], target: NDArray[np.float64]) -> str:
    return put_frame(blobs, pl.DataFrame({"id": list(ids), "target": target}))


def _demand_same(blobs: BlobStore, stored: ScoreDayRow, *, target: NDArray[np.float64], final: bool) -> None:
    """Compare values and not hashes: another version of the writer may give the same values other bytes."""
    before = read_frame(blobs, stored.targets_sha256)["target"].to_numpy()
    if stored.is_final != final or not np.array_equal(before, target, equal_nan=True):
        raise IdempotencyConflict(f"score:{stored.round_number}:{stored.day}")


def _score(row: ScoreRow) -> ModelScore:
    return ModelScore(
        number=RoundNumber(row.round_number),
        day=row.day,
        model_id=ModelId(row.model_id),
        corr=row.corr,
        mmc=row.mmc,
        fnc=row.fnc,
        cwmm=row.cwmm,
        max_exposure=row.max_exposure,
        alpha=row.alpha,
        mpc=row.mpc,
    )
