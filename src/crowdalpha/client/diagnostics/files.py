"""Files of a participant and of the operator, read for a diagnosis: only the columns that it needs."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import polars as pl
from polars.exceptions import PanicException, PolarsError

from crowdalpha.client.diagnostics.rows import SplitRows, ValueTable
from crowdalpha.client.errors import DataRequestError
from crowdalpha.release.errors import ManifestError, PredictionFileError
from crowdalpha.release.manifest import MANIFEST_NAME, Manifest, file_entry, read_manifest

__all__ = ["PublishedData", "read_values"]

SPLIT = "validation.parquet"
EXAMPLE = "validation_example_preds.parquet"
FEATURES = "features.json"
META_MODEL = "meta_model.parquet"
_PARQUET_MAGIC = b"PAR1"


@dataclass(frozen=True, slots=True)
class PublishedData:
    """A published data set of which only the files in use are verified.

    Parameters
    ----------
    directory : Path
        The folder.
    manifest : Manifest
        What it says of the files.
    """

    directory: Path
    manifest: Manifest

    @classmethod
    def open(cls, directory: Path) -> Self:
        """Read the manifest.

        Raises
        ------
        ManifestError
            If there is none, or it is unusable.
        DataRequestError
            If it is not that of a data set.
        """
        manifest = read_manifest(directory)
        if manifest.kind != "dataset":
            raise DataRequestError(
                f"{directory / MANIFEST_NAME}: a {manifest.kind} folder has no targets; name that of the data set"
            )
        return cls(directory, manifest)

    def rows(self, *, feature_set: str, target: str) -> SplitRows:
        """Read the validation rows.

        Raises
        ------
        ManifestError
            If a file is not what the manifest says.
        DataRequestError
            If there is no such feature set or target.
        """
        content = json.loads(self.verified(FEATURES).read_bytes())
        sets, targets = content["feature_sets"], content["targets"]
        if feature_set not in sets:
            raise DataRequestError(f"{FEATURES}: there is no feature set '{feature_set}'; there are {', '.join(sets)}")
        if target not in targets:
            raise DataRequestError(f"{FEATURES}: there is no target '{target}'; there are {', '.join(targets)}")
        features = sets[feature_set]
        path = self.verified(SPLIT)
        frame = pl.scan_parquet(path, glob=False).select("id", "era", target, *features).collect()
        return SplitRows.of(frame, target=target, features=features)

    @property
    def example(self) -> Path:
        """The predictions of the example model on the validation rows."""
        return self.verified(EXAMPLE)

    @property
    def meta_model(self) -> Path | None:
        """Past meta models, where the folder has them."""
        entry = self.manifest.files.get(META_MODEL)
        if entry is not None:
            return self.verified(META_MODEL) if entry.rows else None
        path = self.directory / META_MODEL
        return path if path.is_file() else None

    def verified(self, name: str) -> Path:
        """Compare a file with its entry in the manifest.

        Raises
        ------
        ManifestError
            If it is not listed, missing or different.
        """
        entry = self.manifest.files.get(name)
        path = self.directory / name
        if entry is None or not path.is_file():
            raise ManifestError(name, f"missing in {self.directory}; build or download the folder again")
        if file_entry(path, rows=entry.rows) != entry:
            raise ManifestError(name, "its SHA-256 is not the one in the manifest; build or download the folder again")
        return path


def read_values(path: Path, *, columns: tuple[str, ...] = ("prediction",)) -> ValueTable:
    """Read a file of values, CSV or Parquet, told apart by the first bytes.

    Parameters
    ----------
    path : Path
        With `id`, perhaps `era`, and the values; other columns are not read.
    columns : tuple of str, default=("prediction",)
        Names that the values may have; the first that is there counts.

    Returns
    -------
    ValueTable

    Raises
    ------
    PredictionFileError
        If it cannot be read, or a row is unusable; names file, column, first bad row and what to do.
    """
    name = path.name
    try:
        with path.open("rb") as stream:
            head = stream.read(len(_PARQUET_MAGIC))
    except OSError as error:
        raise PredictionFileError(
            str(path), f"cannot be read: {error.strerror}; check the path", reason="file"
        ) from error
    if not head:
        raise PredictionFileError(name, f"is empty; it needs the columns id and {columns[0]}", reason="file")
    try:
        frame = _parquet(path, name, columns) if head == _PARQUET_MAGIC else _csv(path, name, columns)
    except (PolarsError, PanicException, OSError) as error:
        kind = "Parquet" if head == _PARQUET_MAGIC else "CSV"
        raise PredictionFileError(
            name, f"is not {kind} that can be read: {_one_line(error)}; write it again", reason="file"
        ) from error
    return ValueTable.of(frame, name=name, column=frame.columns[-1])


def _parquet(path: Path, name: str, columns: tuple[str, ...]) -> pl.DataFrame:
    wanted = _wanted(list(pl.read_parquet_schema(path)), name, columns)
    return pl.scan_parquet(path, glob=False).select(wanted).collect()


def _csv(path: Path, name: str, columns: tuple[str, ...]) -> pl.DataFrame:
    found = pl.read_csv(path, n_rows=0, infer_schema=False, glob=False).columns
    return pl.read_csv(path, columns=_wanted(found, name, columns), infer_schema=False, glob=False).select(
        _wanted(found, name, columns)
    )


def _wanted(found: list[str], name: str, columns: tuple[str, ...]) -> list[str]:
    values = next((column for column in columns if column in found), None)
    absent = "id" if "id" not in found else columns[0] if values is None else None
    if values is None or absent is not None:
        raise PredictionFileError(
            name,
            f"is missing; found {', '.join(found[:8]) or 'none'}: rename or add it",
            reason="headers",
            column=absent,
        )
    return ["id", *(["era"] if "era" in found else []), values]


def _one_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")
