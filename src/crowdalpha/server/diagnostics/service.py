"""Ask for a diagnosis of a validation file, and read what came of it: each is a job of the workers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

import numpy as np
from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.rules.errors import NotFound
from crowdalpha.rules.hashing import Json
from crowdalpha.rules.ids import AccountId, ModelId, TournamentId
from crowdalpha.rules.round import RoundState
from crowdalpha.server.diagnostics.measuring import SERIES, Measured
from crowdalpha.server.jobs.service import Job, JobState, demand_quota, enqueue, find_job, get_job, list_jobs, retry_job
from crowdalpha.server.models.service import get_model
from crowdalpha.server.rounds.service import list_rounds
from crowdalpha.server.tournaments.service import get_tournament

__all__ = ["KIND", "Diagnosis", "get_diagnosis", "list_diagnoses", "measured_to_json", "request_diagnosis"]

KIND = "diagnosis"
"""Of the jobs."""

DEADLINE = timedelta(minutes=30)
QUOTA, WINDOW = 60, timedelta(hours=1)
MAX_LISTED = 500


@dataclass(frozen=True, slots=True, eq=False)
class Diagnosis:
    """A validation file and how far its diagnosis is; `measured` is there once it is done."""

    id: int
    account_id: AccountId
    model_id: ModelId
    filename: str
    sha256: str
    dataset: str
    state: JobState
    message: str | None
    requested_at: datetime
    finished_at: datetime | None
    measured: Measured | None


def request_diagnosis(session: Session, *, model_id: ModelId, filename: str, sha256: str, now: datetime) -> Diagnosis:
    """Leave a file of a model for the workers to diagnose on the data of the newest round.

    A file that was left before on the same data gives the same diagnosis, which is run again if it failed.

    Parameters
    ----------
    session : Session
        Of the caller, who commits.
    model_id : ModelId
        Whose predictions they are.
    filename : str
        What to call the file.
    sha256 : str
        Of the stored file.
    now : datetime
        Time of the request.

    Raises
    ------
    NotFound
        If there is no such model.
    InputError
        If the tournament is on named assets, or no round of it has opened.
    TooManyRequests
        If the account asked for too many in the last hour; failed ones do not count.
    """
    model = get_model(session, model_id)
    version = _data_of(session, model.tournament_id, now)
    key = f"{KIND}:{model_id}:{sha256}:{version}"
    job = find_job(session, key=key)
    if job is None:
        demand_quota(session, account_id=model.account_id, kind=KIND, limit=QUOTA, window=WINDOW, now=now)
        job = enqueue(
            session,
            kind=KIND,
            subject={"model_id": model_id, "filename": filename, "sha256": sha256, "dataset": version},
            account_id=model.account_id,
            deadline=DEADLINE,
            key=key,
            now=now,
        )
    elif job.state == "failed":
        job = retry_job(session, job_id=job.id, now=now)
    return _diagnosis(job)


def get_diagnosis(session: Session, diagnosis_id: int, *, account_id: AccountId) -> Diagnosis:
    """Read a diagnosis of an account; that of another is refused with `NotFound`, as one that is not there."""
    job = get_job(session, diagnosis_id)
    if job.kind != KIND or job.account_id != account_id:
        raise NotFound("diagnosis", diagnosis_id)
    return _diagnosis(job)


def list_diagnoses(session: Session, *, account_id: AccountId, model_id: ModelId | None = None) -> list[Diagnosis]:
    """List the last diagnoses of an account or of one of its models, newest first."""
    found = [_diagnosis(job) for job in list_jobs(session, kind=KIND, account_id=account_id, limit=MAX_LISTED)]
    return [each for each in found if model_id in (None, each.model_id)]


def _data_of(session: Session, tournament_id: TournamentId, now: datetime) -> str:
    """Name the dataset that the newest round of a tournament is bound to."""
    if get_tournament(session, tournament_id).kind == "named":
        raise InputError(
            "validation files of tournaments on named assets are not diagnosed here; score them against "
            "validation.parquet with crowdalpha.scoring.frames"
        )
    opened = [
        row.dataset_version
        for row in list_rounds(session, tournament_id=tournament_id)
        if row.opens_at <= now and row.state is not RoundState.VOID
    ]
    if not opened:
        raise InputError("no round of the tournament has opened, so that there is no data to diagnose on; wait for one")
    return opened[-1]


def measured_to_json(measured: Measured) -> dict[str, Json]:
    """Write what was measured as the result of a job; null stands for NaN."""
    series: dict[str, Json] = {
        name: [None if np.isnan(value) else repr(float(value)) for value in measured.series[name]] for name in SERIES
    }
    return {"eras": list(measured.eras), "series": series}


def _measured(result: Mapping[str, Json]) -> Measured:
    series = cast("Mapping[str, Sequence[str | None]]", result["series"])
    return Measured(
        eras=tuple(cast("Sequence[str]", result["eras"])),
        series={
            name: np.array([np.nan if text is None else float(text) for text in values])
            for name, values in series.items()
        },
    )


def _diagnosis(job: Job) -> Diagnosis:
    return Diagnosis(
        id=job.id,
        account_id=AccountId(job.account_id or 0),
        model_id=ModelId(int(str(job.subject["model_id"]))),
        filename=str(job.subject["filename"]),
        sha256=str(job.subject["sha256"]),
        dataset=str(job.subject["dataset"]),
        state=job.state,
        message=job.error_message,
        requested_at=job.created_at,
        finished_at=job.finished_at,
        measured=None if job.result is None or job.state != "done" else _measured(job.result),
    )
