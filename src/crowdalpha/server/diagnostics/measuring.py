"""Scores of a validation file era by era, by the functions that score live rounds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crowdalpha.release import PredictionFileError, read_predictions
from crowdalpha.scoring import era_scores
from crowdalpha.server.scores.align import MIDDLE_BIN

__all__ = ["SERIES", "Measured", "measure"]

SERIES = ("corr", "bmc", "fnc", "max_exposure", "with_example", "example_corr")
"""What is measured in each era; `bmc` and `with_example` are against the published example predictions."""

MAX_BYTES, MAX_ROWS = 1 << 28, 10_000_000
LEAST_KNOWN = 0.8
"""Share of an era's targets that must be known: the scorer refuses less."""
ANY_OVERLAP = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Scores by era, in order; NaN where a score is not defined."""

    eras: tuple[str, ...]
    series: Mapping[str, NDArray[np.float64]]


def measure(
    content: bytes, *, name: str, validation: pl.DataFrame, example: pl.DataFrame | None, features: Sequence[str]
) -> Measured:
    """Score the predictions of a file on every era that they cover.

    Parameters
    ----------
    content : bytes
        A prediction file; ids that the validation part does not have are left out.
    name : str
        What to call the file in messages.
    validation : DataFrame
        `id`, `era`, `target` and the features; ids are there once.
    example : DataFrame, optional
        `id` and `prediction` of the published example.
    features : sequence of str
        Columns that FNC neutralises to.

    Raises
    ------
    PredictionFileError
        If the file breaks a rule, covers an era in part, or covers no era whose targets are known.

    Notes
    -----
    NaN policy: refuse in predictions; omit in the target; a missing feature counts as the middle bin. Cost: that of
    `era_scores`.
    """
    known = pl.col("target").is_not_null().mean().over("era") >= LEAST_KNOWN
    rows = validation.filter(known).sort("era", "id")
    if rows.is_empty():
        raise PredictionFileError(name, "the data has no validation rows with known targets yet", reason="ids")
    read = read_predictions(
        content,
        live_ids=rows["id"].to_list(),
        name=name,
        min_overlap=ANY_OVERLAP,
        max_bytes=MAX_BYTES,
        max_rows=MAX_ROWS,
    )
    rows = rows.with_columns(prediction=pl.Series(read.values).fill_nan(None))
    share = pl.col("prediction").is_not_null().mean().over("era")
    part = rows.filter((share > 0) & (share < 1))
    if not part.is_empty():
        era, missing = part.filter(pl.col("prediction").is_null()).select("era", "id").row(0)
        raise PredictionFileError(name, f"era {era} is there in part; id {missing} lacks", reason="ids", column="id")
    return _scored(rows.filter(share == 1), example, features)


def _scored(rows: pl.DataFrame, example: pl.DataFrame | None, features: Sequence[str]) -> Measured:
    if example is not None:
        named = example.select("id", example="prediction")
        rows = rows.join(named, on="id", how="left", maintain_order="left")
    base = None if example is None or rows["example"].null_count() else rows["example"].to_numpy()
    columns = [rows["prediction"].to_numpy()] + ([] if base is None else [base])
    found = era_scores(
        np.column_stack(columns),
        rows["era"].to_numpy(),
        target=rows["target"].cast(pl.Float64).fill_null(float("nan")).to_numpy(),
        meta_model=base,
        features=rows.select(pl.col(features).fill_null(int(MIDDLE_BIN))).to_numpy() if features else None,
    )
    nothing = np.full(len(found.eras), np.nan)
    series = {
        "corr": found.corr[:, 0],
        "bmc": found.mmc[:, 0],
        "fnc": found.fnc[:, 0],
        "max_exposure": found.max_exposure[:, 0],
        "with_example": found.cwmm[:, 0],
        "example_corr": nothing if base is None else found.corr[:, 1],
    }
    return Measured(tuple(str(era) for era in found.eras), series)
