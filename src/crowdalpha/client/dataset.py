"""Published folders as a participant opens them: a data set, and the folder of a live round."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crowdalpha.client.errors import DataRequestError
from crowdalpha.release.example import ExampleModel
from crowdalpha.release.manifest import Manifest, verify_manifest

__all__ = ["MISSING_VALUE", "Dataset", "LiveRound", "Split", "feature_matrix"]

Split = Literal["train", "validation", "live"]

MISSING_VALUE = 2.0
SPLITS: tuple[Split, ...] = ("train", "validation", "live")
_KEYS = ("id", "era", "data_type")


class Dataset:
    """A published data set, verified against its manifest once, when it is opened.

    Parameters
    ----------
    directory : Path
        The folder that the operator published.

    Attributes
    ----------
    manifest : Manifest
        What was verified.
    features : dict of str to tuple of str
        Feature sets: `small`, `medium` and `all`, each in the next.
    targets : tuple of str
        `target`, which pays, and the others.

    Raises
    ------
    ManifestError
        If the folder is not what its manifest says.
    DataRequestError
        If it is the folder of a live round.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.manifest: Manifest = verify_manifest(directory)
        if self.manifest.kind != "dataset":
            raise DataRequestError(f"{directory} holds a {self.manifest.kind} folder; open it with LiveRound")
        content = json.loads((directory / "features.json").read_bytes())
        self.features: dict[str, tuple[str, ...]] = {
            name: tuple(members) for name, members in content["feature_sets"].items()
        }
        self.targets: tuple[str, ...] = tuple(content["targets"])

    def read(self, split: Split, *, feature_set: str = "small", eras: int | None = None) -> pl.DataFrame:
        """Read one split.

        Parameters
        ----------
        split : {"train", "validation", "live"}
            Rows of `validation` whose target is not known yet have `data_type` `test` and null targets.
        feature_set : str, default="small"
            Which feature columns.
        eras : int, default=None
            Only the last so many eras of the split; None means all.

        Returns
        -------
        DataFrame
            `id`, `era`, `data_type`, the features (int8, null where missing) and, but for `live`, the targets.

        Raises
        ------
        DataRequestError
            If there is no such split or feature set, or `eras` is not positive.
        """
        rows = self._scan(split, feature_set)
        if eras is not None and eras < 1:
            raise DataRequestError(f"eras is {eras}; ask for at least one, or None for all")
        if eras is not None:
            last = rows.select(pl.col("era").unique().sort().tail(eras)).collect().to_series()
            rows = rows.filter(pl.col("era") >= last.item(0))
        return rows.collect()

    def iter_eras(self, split: Split, *, feature_set: str = "all") -> Iterator[pl.DataFrame]:
        """Read one split era by era: memory does not grow with their number.

        Parameters
        ----------
        split : {"train", "validation", "live"}
            As in `read`.
        feature_set : str, default="all"
            Which feature columns.

        Yields
        ------
        DataFrame
            The rows of an era, as `read` gives them; the oldest era first.

        Raises
        ------
        DataRequestError
            If there is no such split or feature set.
        """
        rows = self._scan(split, feature_set)
        for era in rows.select(pl.col("era").unique().sort()).collect().to_series():
            yield rows.filter(pl.col("era") == era).collect()

    def benchmarks(self, split: Split) -> pl.DataFrame:
        """Read the predictions of the operator's benchmark models: `id`, `era` and a column a model, 0 to 1.

        Each era was predicted by models fitted on eras before it; the first eras of `train` have none.
        """
        return pl.read_parquet(self.directory / f"{split}_benchmark_models.parquet", glob=False)

    @property
    def meta_model(self) -> pl.DataFrame:
        """Past meta models whose target is known: `id`, `era`, `data_type`, `numerai_meta_model`; may be empty."""
        return pl.read_parquet(self.directory / "meta_model.parquet", glob=False)

    def example(self, split: Literal["validation", "live"]) -> pl.DataFrame:
        """Read the predictions of the example model: `id` and `prediction`."""
        return pl.read_parquet(self.directory / f"{split}_example_preds.parquet", glob=False)

    @property
    def example_model(self) -> ExampleModel:
        """The example model, as fitted by the operator on `train`."""
        return ExampleModel.from_bytes((self.directory / "example_model.json").read_bytes())

    def matrix(
        self, frame: pl.DataFrame, feature_set: str = "small", *, missing: float = MISSING_VALUE
    ) -> NDArray[np.float32]:
        """Take the features of a set out of a frame.

        Parameters
        ----------
        frame : DataFrame
            Rows with those columns, from `read` or a live round.
        feature_set : str, default="small"
            Which columns, in the order of `features[feature_set]`.
        missing : float, default=2.0
            What a missing bin becomes; NaN keeps it missing.

        Returns
        -------
        ndarray of shape (n_rows, n_features), dtype=float32
            0 to 4.

        Raises
        ------
        DataRequestError
            If there is no such set or a column is not in the frame.
        """
        return feature_matrix(frame, self._set(feature_set), missing=missing)

    def _scan(self, split: Split, feature_set: str) -> pl.LazyFrame:
        if split not in SPLITS:
            raise DataRequestError(f"there is no split '{split}'; there are {', '.join(SPLITS)}")
        columns = [*_KEYS, *self._set(feature_set), *(self.targets if split != "live" else ())]
        return pl.scan_parquet(self.directory / f"{split}.parquet", glob=False).select(columns)

    def _set(self, name: str) -> tuple[str, ...]:
        if name not in self.features:
            raise DataRequestError(f"there is no feature set '{name}'; there are {', '.join(self.features)}")
        return self.features[name]


class LiveRound:
    """The published folder of one round, verified against its manifest once, when it is opened.

    Parameters
    ----------
    directory : Path
        The folder that the operator published.

    Attributes
    ----------
    manifest : Manifest
        What was verified.
    number : int
        Number of the round.
    era : str
        Its era.
    frame : DataFrame
        `id`, `era`, `data_type` and all features.
    example : DataFrame
        `id` and `prediction` of the example model.
    meta_model : DataFrame or None
        `era`, `id` and `meta_model` of past rounds, where the operator publishes them.

    Raises
    ------
    ManifestError
        If the folder is not what its manifest says.
    DataRequestError
        If it is no folder of a live round.
    """

    def __init__(self, directory: Path) -> None:
        self.manifest: Manifest = verify_manifest(directory)
        if self.manifest.kind != "live":
            raise DataRequestError(f"{directory} holds a {self.manifest.kind} folder; open it with Dataset")
        self.number = int(self.manifest.facts["round"])
        self.era = str(self.manifest.facts["era"])
        self.frame: pl.DataFrame = pl.read_parquet(directory / "live.parquet", glob=False)
        self.example: pl.DataFrame = pl.read_parquet(directory / "live_example_preds.parquet", glob=False)
        past = "meta_model.parquet"
        self.meta_model = pl.read_parquet(directory / past, glob=False) if past in self.manifest.files else None

    @property
    def ids(self) -> list[str]:
        """Ids to predict, in the order of the file."""
        return self.frame["id"].to_list()


def feature_matrix(
    frame: pl.DataFrame, features: tuple[str, ...], *, missing: float = MISSING_VALUE
) -> NDArray[np.float32]:
    """Take feature columns out of a frame, with missing bins filled.

    Raises
    ------
    DataRequestError
        If a column is not in the frame.
    """
    absent = [name for name in features if name not in frame.columns]
    if absent:
        raise DataRequestError(f"the frame has no column '{absent[0]}'; read it with the feature set that has it")
    filled = frame.select(pl.col(features).cast(pl.Float32).fill_null(missing))
    return np.ascontiguousarray(filled.to_numpy(), dtype=np.float32)
