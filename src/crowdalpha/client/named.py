"""A round on named assets from the participant's side: read it, write a file by ticker, check it as the server will."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from narwhals.typing import IntoSeries
from numpy.typing import NDArray

from crowdalpha.client.errors import DataRequestError
from crowdalpha.client.predictions import write_predictions
from crowdalpha.release.manifest import Manifest, verify_manifest
from crowdalpha.release.named import (
    MIN_ASSETS,
    Change,
    Examined,
    NamedUniverse,
    examine_named,
    measure_change,
    read_named_predictions,
    read_universe,
    submitted_era,
)

__all__ = ["NamedRound", "write_named_predictions"]


class NamedRound:
    """The published folder of one named round, verified against its manifest once, when it is opened.

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
    frame : DataFrame
        Names, day and features of the live assets.
    universe : NamedUniverse
        Every known name, and what scores need of the live assets.
    example : DataFrame
        Submission of the example model.

    Raises
    ------
    ManifestError
        If the folder is not what its manifest says.
    DataRequestError
        If it is no folder of a named round.
    """

    def __init__(self, directory: Path) -> None:
        self.manifest: Manifest = verify_manifest(directory)
        if self.manifest.kind != "live" or "universe.parquet" not in self.manifest.files:
            raise DataRequestError(f"{directory} is no folder of a named round; open it with LiveRound or Dataset")
        self.number = int(self.manifest.facts["round"])
        self.frame: pl.DataFrame = pl.read_parquet(directory / "live.parquet", glob=False)
        self.example: pl.DataFrame = pl.read_parquet(directory / "live_example_preds.parquet", glob=False)
        self.universe: NamedUniverse = read_universe(directory / "universe.parquet")

    def check(self, content: bytes | Path, *, min_assets: int = MIN_ASSETS, min_overlap: float = 0.0) -> Examined:
        """Resolve every row of a file and report, with the code that the server runs.

        Parameters
        ----------
        content : bytes or Path
            The file, CSV or Parquet.
        min_assets : int, default=100
            As in the rulebook.
        min_overlap : float in [0, 1], default=0.0
            As in the rulebook.

        Returns
        -------
        Examined
            The coverage, and under `problem` why the file would be refused, if it would.

        Raises
        ------
        PredictionFileError
            If the file cannot be read at all.

        Notes
        -----
        NaN policy: omit, and report. Cost: O(rows).
        """
        return examine_named(content, universe=self.universe, min_assets=min_assets, min_overlap=min_overlap)

    def change(
        self,
        content: bytes | Path,
        earlier: Sequence[tuple["NamedRound", bytes | Path]],
        *,
        max_churn: float | None = None,
        max_turnover: float | None = None,
    ) -> Change:
        """Measure how much a file changes from those of rounds before, as the server will.

        Parameters
        ----------
        content : bytes or Path
            The file for this round.
        earlier : sequence of (NamedRound, bytes or Path)
            The rounds that the rulebook looks back to and the file that counted in each; empty if you submitted to
            none of them, which counts as a whole change.
        max_churn, max_turnover : float, optional
            The limits of the rulebook.

        Returns
        -------
        Change
            Figures, limits and verdict.

        Raises
        ------
        PredictionFileError
            If a file breaks a rule.

        Notes
        -----
        NaN policy: an asset without value gets the middle rank. Cost: as `crowdalpha.release.named.measure_change`.
        """
        pairs = [(self, content), *earlier]
        eras = [
            submitted_era(each.universe, read_named_predictions(file, universe=each.universe, min_assets=1).values)
            for each, file in pairs
        ]
        return measure_change(eras[0], eras[1:], max_churn=max_churn, max_turnover=max_turnover)


def write_named_predictions(
    names: Sequence[str] | IntoSeries,
    values: Sequence[float] | NDArray[np.number] | IntoSeries,
    *,
    column: str = "numerai_ticker",
) -> bytes:
    """Write a file for a named round.

    Parameters
    ----------
    names : sequence of str, or a pandas or polars Series
        Names of one kind, each once.
    values : sequence of float, ndarray, or a pandas or polars Series
        One number from 0 to 1 a name.
    column : str, default="numerai_ticker"
        Kind of the names: a column of `live.parquet` such as `ticker` or `symbol`.

    Returns
    -------
    bytes
        Parquet with that column and `signal`, rows by name.

    Raises
    ------
    PredictionFileError
        If the lengths differ, a name is repeated or empty, or a value is no finite number.

    Notes
    -----
    NaN policy: refuse. Cost: O(n log n).

    Examples
    --------
    >>> pl.read_parquet(io.BytesIO(write_named_predictions(["ETH", "BTC"], [0.2, 0.9], column="symbol"))).rows()
    [('BTC', 0.9), ('ETH', 0.2)]
    """
    written = pl.read_parquet(io.BytesIO(write_predictions(names, values)))
    buffer = io.BytesIO()
    written.rename({"id": column, "prediction": "signal"}).write_parquet(buffer, compression="zstd")
    return buffer.getvalue()
