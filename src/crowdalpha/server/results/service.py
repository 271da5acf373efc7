"""Read rounds, positions and scores, a page at a time; what is not out yet is refused here and nowhere else."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from crowdalpha.rules.errors import Conflict, NotFound
from crowdalpha.rules.ids import ModelId, RoundNumber, TournamentId
from crowdalpha.rules.money import Amount, Unit
from crowdalpha.rules.round import RoundState
from crowdalpha.server.results import repository

__all__ = [
    "DayView",
    "ModelScoreView",
    "PositionInRound",
    "RankedScore",
    "RoundScoreView",
    "RoundView",
    "current_rounds",
    "demand_closed",
    "demand_resolved",
    "get_view",
    "list_days",
    "list_model_scores",
    "list_positions",
    "list_round_scores",
    "list_views",
    "meta_model_file",
]

RankedScore = Literal["corr", "mmc", "fnc", "cwmm", "alpha", "mpc"]


@dataclass(frozen=True, slots=True)
class RoundView:
    """A round with what its close and its resolution fixed, None until then; scores and shares are in 1e-9."""

    number: RoundNumber
    tournament_id: TournamentId
    state: RoundState
    era: str
    dataset_version: str
    rulebook_hash: str
    unit: str
    opens_at: datetime
    closes_at: datetime
    resolves_at: datetime
    closed_at: datetime | None
    total_at_risk: Amount | None
    snapshot_root: str | None
    closed_hash: str | None
    meta_model_sha256: str | None
    final_day: int | None
    meta_model_corr: int | None
    targets_sha256: str | None
    resolved_at: datetime | None
    paid: Amount | None
    burned: Amount | None
    payout_factor: int | None
    payout_root: str | None
    bundle_sha256: str | None


@dataclass(frozen=True, slots=True)
class PositionInRound:
    """A model's part in a closed round; `paid` and `burned` are None until it is resolved."""

    number: RoundNumber
    model_id: ModelId
    model: str
    account: str
    submission_sha256: str
    at_risk: Amount
    paid: Amount | None
    burned: Amount | None


@dataclass(frozen=True, slots=True)
class DayView:
    """One scoring of a round; `corr` is that of the meta model, in 1e-9."""

    number: RoundNumber
    day: int
    is_final: bool
    corr: int | None
    scored_at: datetime


@dataclass(frozen=True, slots=True)
class RoundScoreView:
    """A model's scores on one day of a round, in 1e-9, and its place among them."""

    place: int
    number: RoundNumber
    day: int
    model_id: ModelId
    model: str
    account: str
    corr: int | None
    mmc: int | None
    fnc: int | None
    cwmm: int | None
    alpha: int | None
    mpc: int | None
    max_exposure: int | None
    is_late: bool


@dataclass(frozen=True, slots=True)
class ModelScoreView:
    """A model's scores on one day of a round, in 1e-9."""

    number: RoundNumber
    day: int
    model_id: ModelId
    is_final: bool
    corr: int | None
    mmc: int | None
    fnc: int | None
    cwmm: int | None
    alpha: int | None
    mpc: int | None
    max_exposure: int | None
    is_late: bool


def list_views(
    session: Session,
    *,
    tournament_id: TournamentId | None = None,
    state: RoundState | None = None,
    before: RoundNumber | None = None,
    limit: int = 100,
) -> list[RoundView]:
    """List rounds, newest first."""
    found = repository.list_views(
        session,
        tournament_id=tournament_id,
        state=None if state is None else state.value,
        before=before,
        limit=limit,
    )
    return [_view(row) for row in found]


def get_view(session: Session, number: RoundNumber) -> RoundView:
    """Read a round, or refuse with `NotFound`."""
    found = repository.list_views(session, number=number)
    if not found:
        raise NotFound("round", number)
    return _view(found[0])


def current_rounds(session: Session, *, tournament_id: TournamentId | None = None, now: datetime) -> list[RoundView]:
    """List the rounds that take submissions in time, newest first."""
    opened = list_views(session, tournament_id=tournament_id, state=RoundState.OPEN)
    return [view for view in opened if view.opens_at <= now < view.closes_at]


def list_positions(session: Session, number: RoundNumber, *, after: int = 0, limit: int = 100) -> list[PositionInRound]:
    """List what each model had at risk in a closed round and what became of it, by model.

    Raises
    ------
    NotFound
        If there is no such round.
    Conflict
        If it is not closed.
    """
    view = demand_closed(session, number)
    if view.total_at_risk is None:
        return []
    unit = view.total_at_risk.unit
    return [
        PositionInRound(
            **{
                **row,
                "at_risk": Amount(row["at_risk"], unit),
                "paid": _amount(row["paid"], unit),
                "burned": _amount(row["burned"], unit),
            }
        )
        for row in repository.list_positions(session, number=number, after=after, limit=limit)
    ]


def list_days(session: Session, number: RoundNumber) -> list[DayView]:
    """List the scorings of a round by day, or refuse with `NotFound`."""
    number = get_view(session, number).number
    return [DayView(**row) for row in repository.list_days(session, number=number)]


def list_round_scores(
    session: Session,
    number: RoundNumber,
    *,
    day: int | None = None,
    by: RankedScore = "corr",
    after: int = 0,
    limit: int = 100,
) -> list[RoundScoreView]:
    """List the scores of a day of a round, or of its last scored day, best first.

    Raises
    ------
    NotFound
        If there is no such round, or it was not scored on that day.
    """
    days = [each.day for each in list_days(session, number)]
    if day is None and not days:
        return []
    chosen = days[-1] if day is None else day
    if chosen not in days:
        raise NotFound(f"scoring of round {number} on day", chosen)
    found = repository.list_round_scores(session, number=number, day=chosen, by=by, after=after, limit=limit)
    return [RoundScoreView(**row) for row in found]


def list_model_scores(
    session: Session,
    model_id: ModelId,
    *,
    final: bool = True,
    before: tuple[int, int] | None = None,
    limit: int = 100,
) -> list[ModelScoreView]:
    """List the scores of a model, newest round and day first; with `final`, only those that pay."""
    found = repository.list_scores_of_model(session, model_id=model_id, final=final, before=before, limit=limit)
    return [ModelScoreView(**row) for row in found]


def demand_closed(session: Session, number: RoundNumber) -> RoundView:
    """Read a round that is closed; one that is not has nothing to show yet."""
    view = get_view(session, number)
    if view.closed_at is None:
        raise Conflict(f"round {number} is {view.state}; this is sealed until its close, due at {view.closes_at}")
    return view


def demand_resolved(session: Session, number: RoundNumber) -> RoundView:
    """Read a round that is resolved; one that is not has no proof yet."""
    view = get_view(session, number)
    if view.resolved_at is None:
        raise Conflict(f"round {number} is {view.state}; this is there once it is resolved, due at {view.resolves_at}")
    return view


def meta_model_file(session: Session, number: RoundNumber, *, delay: timedelta, now: datetime) -> str:
    """Give the hash of a round's meta model, once the delay after its close is over.

    Raises
    ------
    NotFound
        If there is no such round.
    Conflict
        If it is too early.
    """
    view = demand_closed(session, number)
    if view.closed_at is None or view.meta_model_sha256 is None or now < view.closed_at + delay:
        raise Conflict(f"the meta model of round {number} is published {delay} after its close at {view.closed_at}")
    return view.meta_model_sha256


def _view(row: RowMapping) -> RoundView:
    fields = dict(row)
    unit = Unit(row["unit"], fields.pop("scale"))
    for name in ("total_at_risk", "paid", "burned"):
        fields[name] = _amount(fields[name], unit)
    return RoundView(**{**fields, "state": RoundState(row["state"])})


def _amount(base: int | None, unit: Unit) -> Amount | None:
    return None if base is None else Amount(base, unit)
