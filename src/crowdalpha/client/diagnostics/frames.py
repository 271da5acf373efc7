"""How a model scores on published eras, frames in, by the very functions that the server scores with."""

from collections.abc import Sequence
from dataclasses import dataclass

import narwhals as nw
import numpy as np
import polars as pl
import polars.selectors as cs
from narwhals.typing import IntoDataFrame
from numpy.typing import NDArray

from crowdalpha.client.diagnostics.rows import SplitRows, ValueTable, place
from crowdalpha.client.errors import DataRequestError
from crowdalpha.release.errors import PredictionFileError
from crowdalpha.scoring import ScoreSummary, era_scores, summarize

__all__ = ["SCORE_NAMES", "Diagnosis", "diagnose"]

SCORE_NAMES = ("corr", "mmc", "fnc", "cwmm", "max_exposure")
FEATURE_SCORES = ("fnc", "max_exposure")


@dataclass(frozen=True, slots=True, eq=False)
class Diagnosis:
    """Scores of one model, era by era.

    Parameters
    ----------
    eras : tuple of str
        Eras whose target is known and that were predicted, ascending.
    scores : dict of str to ndarray of shape (n_eras,), dtype=float64
        `corr`, `mmc` and `cwmm`, and with features `fnc` and `max_exposure`; NaN where a score is not defined.
    """

    eras: tuple[str, ...]
    scores: dict[str, NDArray[np.float64]]

    @property
    def summary(self) -> dict[str, ScoreSummary]:
        """Mean, standard deviation, Sharpe ratio and drawdown of each score over the eras."""
        return {name: summarize(values) for name, values in self.scores.items()}

    @property
    def frame(self) -> pl.DataFrame:
        """One row an era: `era` and a column a score."""
        return pl.DataFrame({"era": self.eras} | self.scores)


def diagnose(
    predictions: IntoDataFrame,
    truth: IntoDataFrame,
    *,
    meta_model: IntoDataFrame,
    features: Sequence[str] = (),
    target: str = "target",
) -> Diagnosis:
    """Score predictions of a published split, each era on its own.

    Parameters
    ----------
    predictions : DataFrame (pandas or polars)
        `id`, `prediction` and perhaps `era`; rows that `truth` does not have are left out.
    truth : DataFrame (pandas or polars)
        `id`, `era`, the target and the features; what `Dataset.read` gives.
    meta_model : DataFrame (pandas or polars)
        `id`, `prediction` (or `meta_model`) and perhaps `era`: what contribution is measured against; the example
        predictions of the data set, or past meta models.
    features : sequence of str, default=()
        Columns of `truth` that FNC neutralises to; none means no FNC and no exposure.
    target : str, default="target"
        Column of `truth`; rows where it is null are scored as `era_scores` does, eras where it mostly is are left out.

    Returns
    -------
    Diagnosis
        Scores of the eras that `predictions` has.

    Raises
    ------
    PredictionFileError
        If a column is missing, a row is given twice or has no finite value, or an era is predicted in part: in a live
        round every id counts, so here too.
    DataRequestError
        If `truth` lacks a column, or no era can be scored.

    Notes
    -----
    NaN policy: refuse in predictions; omit in the target; a missing feature counts as 2. Cost: that of `era_scores`,
    and a join where the rows of the frames differ. Rows are scored in their order in `truth`, so the last bits can
    differ from the server's, which sorts ids.
    """
    known = SplitRows.of(_truth(truth, ["id", "era", target, *features]), target=target, features=features)
    mine = place(_values(predictions, "predictions", ("prediction",)), known, source="truth", others=True)
    scored = known.scorable(mine)
    if not scored.any():
        raise DataRequestError(f"no predicted row has a known '{target}'; predict ids of the split")
    other = place(_values(meta_model, "meta_model", ("meta_model", "prediction")), known, source="truth", others=True)
    rows, (mine, other) = known.keep(scored, mine, other)
    rows.refuse_gaps(mine, name="predictions")
    rows.refuse_gaps(other, name="meta_model")
    found = era_scores(mine[:, None], rows.codes, target=rows.target, meta_model=other, features=rows.features)
    named = {name: getattr(found, name)[:, 0] for name in SCORE_NAMES if features or name not in FEATURE_SCORES}
    return Diagnosis(eras=rows.eras, scores=named)


def _truth(frame: IntoDataFrame, names: Sequence[str]) -> pl.DataFrame:
    source = nw.from_native(frame, eager_only=True)
    absent = [name for name in names if name not in source.columns]
    if absent:
        raise DataRequestError(f"truth: column '{absent[0]}' is missing; a pandas index is no column: reset_index()")
    return _columns(source, names)


def _values(frame: IntoDataFrame, name: str, choices: Sequence[str]) -> ValueTable:
    source = nw.from_native(frame, eager_only=True)
    column = next((choice for choice in choices if choice in source.columns), choices[-1])
    for needed in ("id", column):
        if needed not in source.columns:
            problem = "is missing; a pandas index is no column: reset_index()"
            raise PredictionFileError(name, problem, reason="headers", column=needed)
    keys = ["id", *(["era"] if "era" in source.columns else [])]
    return ValueTable.of(_columns(source, [*keys, column]), name=name, column=column)


def _columns(source: nw.DataFrame[IntoDataFrame], names: Sequence[str]) -> pl.DataFrame:
    """Take columns of a pandas or polars frame into polars, without pyarrow; NaN, pandas' gap, becomes null."""
    native = source.to_native()
    if isinstance(native, pl.DataFrame):
        frame = native.select(list(dict.fromkeys(names)))
    else:
        frame = pl.DataFrame([pl.Series(name, source[name].to_numpy(), strict=False) for name in dict.fromkeys(names)])
    return frame.with_columns(cs.float().fill_nan(None))
