"""What the folder of a season proves: bundles and contribution records, and the files that they name by hash."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crowdalpha.ensemble import join_live
from crowdalpha.errors import InputError
from crowdalpha.rules.bundle import RoundBundle, read_bundle
from crowdalpha.rules.contribution import ContributionRecord, read_contributions
from crowdalpha.rules.ids import ModelId, RoundNumber
from crowdalpha.server.blobs import BlobStore, open_blobs

__all__ = ["SeasonEvidence", "read_evidence"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class SeasonEvidence:
    """The proofs of a season.

    Attributes
    ----------
    folder : Path
        Where they lie.
    bundles : tuple of RoundBundle
        By round.
    contributions : dict of RoundNumber to ContributionRecord
        Of the rounds that have them.
    blobs : BlobStore
        Holds the files.
    """

    folder: Path
    bundles: tuple[RoundBundle, ...]
    contributions: dict[RoundNumber, ContributionRecord]
    blobs: BlobStore

    def targets(self, bundle: RoundBundle) -> pl.DataFrame:
        """Read the final targets of a round, in the order of its live ids."""
        if bundle.resolved.targets_sha256 is None:
            raise InputError(f"{self.folder}: round {bundle.closed.round_number} names no targets")
        return pl.read_parquet(self.blobs.get(bundle.resolved.targets_sha256))

    def predictions(self, bundle: RoundBundle, ids: list[str]) -> FloatArray:
        """Read every submission of a round, models in the order of the snapshot; NaN where an id is missing."""
        values = np.full((len(ids), len(bundle.closed.snapshot)), np.nan)
        for column, row in enumerate(bundle.closed.snapshot):
            mine = pl.read_parquet(self.blobs.get(row.submission_sha256))
            values[:, column] = join_live(ids, mine["id"].to_list(), mine["prediction"].to_numpy())
        return values

    def names(self) -> dict[ModelId, str]:
        """Read the names of the models, where `summary.json` knows them; their numbers otherwise."""
        summary = self.folder / "summary.json"
        known = json.loads(summary.read_text(encoding="utf-8")).get("model_ids", {}) if summary.is_file() else {}
        taking_part = sorted({row.model_id for bundle in self.bundles for row in bundle.closed.snapshot})
        return {model_id: str(model_id) for model_id in taking_part} | {
            ModelId(model_id): name for name, model_id in known.items()
        }

    def find_model(self, name: str) -> ModelId:
        """Find a model by its name or its number; refuses with `InputError` one that no round has."""
        names = self.names()
        by_name = {known: model_id for model_id, known in names.items()}
        found = by_name.get(name, ModelId(int(name)) if name.isdecimal() else None)
        if found is None or found not in names:
            raise InputError(f"{self.folder}: no model {name!r} took part; choose from {', '.join(sorted(by_name))}")
        return found


def read_evidence(folder: Path) -> SeasonEvidence:
    """Read the proofs of a season.

    Parameters
    ----------
    folder : Path
        A season's folder: `evidence/*.json`, `contributions/*.json` where there are any, and `platform/blobs`.

    Returns
    -------
    SeasonEvidence
        In the order of the rounds.

    Raises
    ------
    InputError
        If there is no evidence, or a file is not what its place says.
    """
    files = sorted((folder / "evidence").glob("*.json"))
    if not files:
        raise InputError(f"{folder}: has no evidence/*.json; name the folder of a season that was played")
    if not (folder / "platform" / "blobs").is_dir():
        raise InputError(f"{folder}: has no platform/blobs, where the submissions lie that the evidence names")
    records = [read_contributions(path.read_bytes()) for path in sorted((folder / "contributions").glob("*.json"))]
    return SeasonEvidence(
        folder=folder,
        bundles=tuple(read_bundle(path.read_bytes()) for path in files),
        contributions={record.round_number: record for record in records},
        blobs=open_blobs(None, folder=folder / "platform" / "blobs"),
    )
