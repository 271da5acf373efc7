"""The steps of the schedule as jobs: each is one call of a service in one transaction, safe to repeat."""

import io
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType

import polars as pl
from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.rules.errors import NothingAtRisk
from crowdalpha.rules.hashing import Json
from crowdalpha.rules.ids import RoundNumber
from crowdalpha.server.blobs import BlobStore
from crowdalpha.server.bootstrap import Platform
from crowdalpha.server.datasets.service import blob_of, get_dataset, live_version, publish
from crowdalpha.server.errors import TryLater
from crowdalpha.server.jobs.service import Job
from crowdalpha.server.log import get_log
from crowdalpha.server.queued.service import HandedIn, hand_in
from crowdalpha.server.rounds.service import (
    Round,
    close_round,
    get_round,
    list_rounds,
    live_ids,
    open_round,
    resolve_round,
    void_round,
)
from crowdalpha.server.rounds.universe import put_universe
from crowdalpha.server.schedule.feed import LIVE, UNIVERSE, LiveFolder, find_live, find_targets
from crowdalpha.server.schedule.service import Step, StepName, hold_round_numbers, plan_next, step_of
from crowdalpha.server.scores.service import score_round
from crowdalpha.server.sealed.service import list_offers, open_round_submissions, wipe_finished
from crowdalpha.server.tournaments.service import Tournament, get_tournament, list_tournaments
from crowdalpha.server.tournaments.timetable import (
    Timetable,
    read_timetable,
    sessions_between,
    sessions_from,
    window_on,
)
from crowdalpha.server.webhooks.service import Event, emit

__all__ = ["advance_schedule", "do_step", "run_step"]

log = get_log(__name__)

SEALED_SECRETS = "sealed"
"""Folder in the data folder with the secrets of the sealed track."""


def advance_schedule(platform: Platform, now: datetime) -> None:
    """Queue what is due in each tournament; what cannot be planned in one does not keep the others."""
    with platform.session() as session:
        tournaments = list_tournaments(session)
    for tournament in tournaments:
        try:
            with platform.session() as session:
                plan_next(session, tournament, now=now)
        except InputError as error:
            log.warning("schedule_refused", tournament=tournament.id, reason=str(error))


def run_step(platform: Platform, job: Job, now: datetime) -> Mapping[str, Json]:
    """Do the step of a job, and queue the next one that is due."""
    step = step_of(job)
    done = do_step(platform, step, now=now)
    with platform.session() as session:
        plan_next(session, get_tournament(session, step.tournament_id), now=now)
    return done


def do_step(platform: Platform, step: Step, *, now: datetime) -> Mapping[str, Json]:
    """Do one step of a tournament, each part of it in its own transaction; says what came of it."""
    with platform.session() as session:
        tournament = get_tournament(session, step.tournament_id)
    return STEPS[step.name](platform, step, tournament, now)


def _timetable(tournament: Tournament) -> Timetable:
    timetable = read_timetable(tournament.timetable)
    if timetable is None:
        raise InputError(f"tournament {tournament.id} has no timetable that says where its data are; give it one")
    return timetable


def _open(platform: Platform, step: Step, tournament: Tournament, now: datetime) -> Mapping[str, Json]:
    timetable = _timetable(tournament)
    with platform.session() as session:
        hold_round_numbers(session)
        rounds = list_rounds(session)
        mine = [each for each in rounds if each.tournament_id == tournament.id and each.opens_at >= step.at]
        number = mine[0].number if mine else RoundNumber(max((each.number for each in rounds), default=0) + 1)
        if not mine:
            live = find_live(timetable.feed, number=number, session=step.session)
            _open_on(session, platform.blobs, number, step, tournament, timetable, live, now=now)
            _tell(session, "round.opened", step, number, now=now)
    taken = 0
    handed = HandedIn(0, 0, is_done=False)
    while not handed.is_done:
        with platform.session() as session:
            handed = hand_in(session, blobs=platform.blobs, number=number, now=now, signing_key=platform.signing_key)
        taken += handed.taken
    return {"round": number, "handed_in": taken}


def _open_on(  # everything that a round is made of
    session: Session,
    blobs: BlobStore,
    number: RoundNumber,
    step: Step,
    tournament: Tournament,
    timetable: Timetable,
    live: LiveFolder,
    *,
    now: datetime,
) -> Round:
    rulebook = tournament.rulebook
    days = sessions_from(timetable, step.at, n=1 + rulebook.lag_days + rulebook.horizon_days)
    window = window_on(days, 0, rulebook=rulebook)
    if window is None or window.opens_at != step.at:
        raise InputError(f"the calendar no longer has a round on {step.session}, or ends before it would resolve")
    publish(session, blobs=blobs, directory=live.directory, version=live_version(number), now=now)
    universe = put_universe(blobs, (live.directory / UNIVERSE).read_bytes()) if tournament.kind == "named" else None
    ids = universe.live_ids if universe else pl.read_parquet(live.directory / LIVE, columns=["id"])["id"].to_list()
    return open_round(
        session,
        number=number,
        tournament_id=tournament.id,
        rulebook=rulebook,
        dataset_version=timetable.feed.dataset,
        live_ids=ids,
        era=live.era,
        opens_at=window.opens_at,
        closes_at=window.closes_at,
        resolves_at=window.resolves_at,
        now=now,
        universe_sha256=universe.sha256 if universe else None,
    )


def _close(platform: Platform, step: Step, _: Tournament, now: datetime) -> Mapping[str, Json]:
    """Close a round; one in which nothing is at risk cannot be played, and is void."""
    number, secrets = _number(step), platform.settings.data_dir / SEALED_SECRETS
    with platform.session() as session:
        if list_offers(session, number=number):
            open_round_submissions(session, blobs=platform.blobs, number=number, secrets=secrets, now=now)
    try:
        with platform.session() as session:
            closed = close_round(session, blobs=platform.blobs, number=number, now=now)
            _tell(session, "round.closed", step, number, now=now)
    except NothingAtRisk as reason:
        with platform.session() as session:
            void_round(session, number=number, now=now)
        return {"round": number, "void": str(reason)}
    finally:
        with platform.session() as session:
            wipe_finished(session, secrets=secrets, now=now)
    return {"round": number, "models": len(closed.model_ids), "at_risk": str(closed.total_at_risk)}


def _score(platform: Platform, step: Step, tournament: Tournament, now: datetime) -> Mapping[str, Json]:
    """Score a day; one without data is left out once there are data of a later one."""
    timetable = _timetable(tournament)
    number, first = _number(step), step.day or 1
    with platform.session() as session:
        row = get_round(session, number)
    day, targets = _newest_known(row, timetable, first=first, label=step.session, now=now)
    with platform.session() as session:
        scores = score_round(
            session,
            blobs=platform.blobs,
            number=number,
            targets=targets,
            features=_features(session, platform.blobs, row, timetable),
            day=day,
            final=day == row.rulebook.horizon_days,
            now=now,
        )
        _tell(session, "scores.published", step, number, now=now, day=day)
    return {"round": number, "day": day, "models": len(scores), "tournament": tournament.id}


def _resolve(platform: Platform, step: Step, _: Tournament, now: datetime) -> Mapping[str, Json]:
    number = _number(step)
    with platform.session() as session:
        done = resolve_round(session, blobs=platform.blobs, number=number, now=now)
        _tell(session, "round.resolved", step, number, now=now)
    return {"round": number, "paid": str(done.paid), "burned": str(done.burned)}


StepTask = Callable[[Platform, Step, Tournament, datetime], Mapping[str, Json]]
STEPS: Mapping[StepName, StepTask] = MappingProxyType(
    {"open": _open, "close": _close, "score": _score, "resolve": _resolve}
)


def _tell(session: Session, event: Event, step: Step, number: RoundNumber, *, now: datetime, **more: Json) -> None:
    """Tell webhooks of a step, when its transaction commits."""
    emit(session, event=event, tournament_id=step.tournament_id, payload={"round": number, **more}, now=now)


def _newest_known(
    row: Round, timetable: Timetable, *, first: int, label: str, now: datetime
) -> tuple[int, pl.DataFrame]:
    """Read the targets of the first day that has them."""
    days = sessions_between(timetable, row.opens_at, now)
    over = range(first, min(len(days) - 1 - row.rulebook.lag_days, row.rulebook.horizon_days) + 1)
    waiting: TryLater | None = None
    for day in over:
        try:
            return day, find_targets(timetable.feed, number=row.number, session=label, day=day)
        except TryLater as absent:
            waiting = waiting or absent
    raise waiting or InputError(f"round {row.number}: the calendar no longer has its day {first}")


def _features(session: Session, blobs: BlobStore, row: Round, timetable: Timetable) -> pl.DataFrame | None:
    """Read the features that FNC is neutral to, as they were published."""
    if timetable.feed.features is None or row.rulebook.kind == "named":
        return None
    sets = json.loads(blobs.get(blob_of(get_dataset(session, row.dataset_version), "features.json")))["feature_sets"]
    if timetable.feed.features not in sets:
        raise InputError(f"feed.features: dataset {row.dataset_version} has no set {timetable.feed.features!r}")
    content = blobs.get(blob_of(get_dataset(session, live_version(row.number)), LIVE))
    frame = pl.read_parquet(io.BytesIO(content), columns=["id", *sets[timetable.feed.features]])
    return pl.DataFrame({"id": list(live_ids(session, row.number))}).join(frame, on="id", maintain_order="left")


def _number(step: Step) -> RoundNumber:
    if step.number is None:
        raise InputError(f"step {step.key} names no round")
    return step.number
