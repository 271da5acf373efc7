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
from crowdalpha.server.submissions.service import late_submissions

__all__ = [
    "MetaModelScore",
    "ModelScore",
    "ScoreOfDay",
    "Scoring",
    "list_meta_model_scores",
    "list_scores",
    "model_history",
    "score_round",
    "scorings_between",
]

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
    is_late: bool = False


@dataclass(frozen=True, slots=True)
class MetaModelScore:
    """Recorded correlation of the meta model itself on one day of a round."""

    number: RoundNumber
    day: int
    is_final: bool
    corr: int | None


@dataclass(frozen=True, slots=True, eq=False)
class _Field:
    """What is scored: one submission a column, late ones last and with nothing at risk."""

    model_ids: tuple[ModelId, ...]
    values: NDArray[np.float64]
    at_risk: NDArray[np.float64]
    n_late: int


@dataclass(frozen=True, slots=True)
class Scoring:
    """One scoring of a round, and when it was done."""

    number: RoundNumber
    day: int
    is_final: bool
    scored_at: datetime


@dataclass(frozen=True, slots=True)
class ScoreOfDay:
    """What one model scored on one day of a round, by name.

    `scores` are integers of 1e-9 and hold what is defined; `places` say what share of all models is below, ties counted
    half, and are there for the last scored day of each round.
    """

    scoring: Scoring
    scores: Mapping[str, int]
    places: Mapping[str, float]


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
    """Score every submission that counts, staked or not, and every late one, against the targets of a day.

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
    field = _field(session, blobs, row)
    meta_model = rounds.meta_model(session, blobs=blobs, number=number)["meta_model"].to_numpy()
    scores = rescore(field.values, meta_model=meta_model, target=target, features=matrix)
    if row.rulebook.kind == "named":
        scores = _with_named(blobs, row, field=field, target=target, scores=scores)
    scores = told_scores(session, row=row, model_ids=field.model_ids, scores=scores, final=final)
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
    repository.add_scores(
        session, number=number, day=day, model_ids=field.model_ids, scores=scores, n_late=field.n_late
    )
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


def _field(session: Session, blobs: BlobStore, row: rounds.Round) -> _Field:
    """Read every submission that counts, then those that came late."""
    frozen = rounds.frozen_predictions(session, blobs=blobs, number=row.number)
    late = late_submissions(session, row.number)
    at_risk = {view.model_id: view.at_risk.base for view in rounds.list_positions(session, number=row.number)}
    in_time = [float(at_risk[model_id]) for model_id in frozen.model_ids]
    values = frozen.values
    if late:
        read = rounds.read_files(blobs, row, [sha256 for _, sha256 in late], live_ids=frozen.live_ids)
        values = np.hstack([values, read])
    return _Field(
        model_ids=(*frozen.model_ids, *(model_id for model_id, _ in late)),
        values=values,
        at_risk=np.array([*in_time, *(0.0 for _ in late)]),
        n_late=len(late),
    )


def _with_named(
    blobs: BlobStore,
    row: rounds.Round,
    *,
    field: _Field,
    target: NDArray[np.float64],
    scores: Sequence[Mapping[str, int | None]],
) -> tuple[Mapping[str, int | None], ...]:
    """Add the scores that named rounds alone have."""
    universe = universe_of(blobs, row)
    named = score_named(
        field.values,
        at_risk=field.at_risk,
        exposures=NamedExposures(universe.neutralizers, universe.sample_weights),
        target=target,
    )
    return tuple({**one, **other} for one, other in zip(scores, named, strict=True))


def model_history(session: Session, *, model_id: ModelId, n_rounds: int) -> list[ScoreOfDay]:
    """List what a model scored in its last rounds, by round and day."""
    found = repository.list_of_model(session, model_id, n_rounds=n_rounds)
    last_days = {score.round_number: score.day for score, _ in found}
    places = repository.list_places(session, model_id, days=list(last_days.items()))
    return [
        ScoreOfDay(
            scoring=_scoring(day),
            scores={name: value for name in repository.NAMES if (value := getattr(score, name)) is not None},
            places={
                name: place
                for name, place in places.get((score.round_number, score.day), {}).items()
                if getattr(score, name) is not None
            },
        )
        for score, day in found
    ]


def scorings_between(session: Session, *, first: datetime, end: datetime) -> list[Scoring]:
    """List the scorings that were done from `first` to before `end`, in the order of doing."""
    return [_scoring(row) for row in repository.list_days_between(session, first=first, end=end)]


def _scoring(row: ScoreDayRow) -> Scoring:
    return Scoring(RoundNumber(row.round_number), row.day, row.is_final, row.scored_at)


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
        is_late=row.is_late,
    )
