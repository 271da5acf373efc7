"""Diagnose a validation file in a worker."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import polars as pl

from crowdalpha.errors import InputError
from crowdalpha.rules.hashing import Json
from crowdalpha.server.blobs import BlobStore
from crowdalpha.server.bootstrap import Platform
from crowdalpha.server.datasets.service import Dataset, get_dataset
from crowdalpha.server.diagnostics.measuring import measure
from crowdalpha.server.diagnostics.service import measured_to_json
from crowdalpha.server.jobs.service import Job

__all__ = ["run_diagnosis"]

FEATURE_SETS = ("medium", "small", "all")
"""Sets that FNC neutralises to, the first that the data has."""

VALIDATION, EXAMPLE = "validation.parquet", "validation_example_preds.parquet"


def run_diagnosis(platform: Platform, job: Job, _: datetime) -> Mapping[str, Json]:
    """Score a file against the validation part of the data that its owner saw."""
    with platform.session() as session:
        dataset = get_dataset(session, str(job.subject["dataset"]))
    features = _features(platform.blobs, dataset)
    with TemporaryDirectory(prefix="crowdalpha-diagnosis-") as folder:
        columns = ["id", "era", "target", *features]
        validation = _table(platform.blobs, dataset, VALIDATION, Path(folder), columns)
        example = None
        if EXAMPLE in dataset.files:
            example = _table(platform.blobs, dataset, EXAMPLE, Path(folder), ["id", "prediction"])
    measured = measure(
        platform.blobs.get(str(job.subject["sha256"])),
        name=str(job.subject["filename"]),
        validation=validation,
        example=example,
        features=features,
    )
    return measured_to_json(measured)


def _features(blobs: BlobStore, dataset: Dataset) -> Sequence[str]:
    if "features.json" not in dataset.files:
        return []
    sets = cast("Mapping[str, Sequence[str]]", json.loads(blobs.get(dataset.files["features.json"]))["feature_sets"])
    return next((sets[name] for name in FEATURE_SETS if name in sets), [])


def _table(blobs: BlobStore, dataset: Dataset, name: str, folder: Path, columns: Sequence[str]) -> pl.DataFrame:
    """Read some columns of a file; it is written to disk first, because memory does not hold all of it."""
    if name not in dataset.files:
        raise InputError(f"dataset {dataset.version} has no {name} to diagnose with")
    sha256, path = dataset.files[name], folder / name
    with path.open("wb") as file:
        for chunk in blobs.chunks(sha256, start=0, end=blobs.size(sha256)):
            file.write(chunk)
    return pl.read_parquet(path, columns=list(columns), glob=False)
