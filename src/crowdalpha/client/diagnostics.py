"""How a model scores on published eras, by the very functions that the server scores with."""

from collections.abc import Sequence
from dataclasses import dataclass

import narwhals as nw
import numpy as np
import polars as pl
import polars.selectors as cs
from narwhals.typing import IntoDataFrame
from numpy.typing import NDArray

from crowdalpha.client.dataset import feature_matrix
from crowdalpha.client.errors import DataRequestError
from crowdalpha.scoring import ScoreSummary, round_scores, summarize

__all__ = ["SCORE_NAMES", "Diagnosis", "diagnose"]

SCORE_NAMES = ("corr", "mmc", "fnc", "cwmm", "max_exposure")
FEATURE_SCORES = ("fnc", "max_exposure")
_REFERENCE = "reference"


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
        `id`, `prediction` and perhaps `era`.
    truth : DataFrame (pandas or polars)
        `id`, `era`, the target and the features; what `Dataset.read` gives.
    meta_model : DataFrame (pandas or polars)
        `id`, `prediction` (or `meta_model`) and perhaps `era`: what contribution is measured against; the example
        predictions of the data set, or past meta models.
    features : sequence of str, default=()
        Columns of `truth` that FNC neutralises to; none means no FNC and no exposure.
    target : str, default="target"
        Column of `truth`; rows where it is null are left out.

    Returns
    -------
    Diagnosis
        Scores of the eras that `predictions` has.

    Raises
    ------
    DataRequestError
        If a column is missing, a row is given twice, no era can be scored, or an era is predicted in part: in a live
        round every id counts, so here too.

    Notes
    -----
    NaN policy: refuse in predictions; omit rows without target; a missing feature counts as 2. Cost: that of
    `round_scores` an era.
    """
    rows = _joined(predictions, truth, meta_model, features=features, target=target)
    eras, scores = [], []
    for era in rows.partition_by("era", maintain_order=True):
        eras.append(str(era["era"][0]))
        found = round_scores(
            era["prediction"].to_numpy()[:, None],
            meta_model=era[_REFERENCE].to_numpy(),
            target=era[target].cast(pl.Float64).to_numpy(),
            features=feature_matrix(era, tuple(features)).astype(np.float64) if features else None,
        )
        scores.append([float(getattr(found, name)[0]) for name in SCORE_NAMES])
    table = np.array(scores)
    named = {name: table[:, index] for index, name in enumerate(SCORE_NAMES)}
    return Diagnosis(
        eras=tuple(eras),
        scores={name: values for name, values in named.items() if features or name not in FEATURE_SCORES},
    )


def _joined(
    predictions: IntoDataFrame,
    truth: IntoDataFrame,
    meta_model: IntoDataFrame,
    *,
    features: Sequence[str],
    target: str,
) -> pl.DataFrame:
    known = _columns(truth, "truth", ["id", "era", target, *features]).filter(pl.col(target).is_not_null())
    mine = _values(predictions, "predictions", ("prediction",), known, name="prediction")
    other = _values(meta_model, "meta_model", ("meta_model", "prediction"), known, name=_REFERENCE)
    predicted = mine.filter(pl.col("prediction").is_not_null())["era"].unique()
    rows = mine.filter(pl.col("era").is_in(predicted.implode())).join(
        other.select("id", "era", _REFERENCE), on=["id", "era"]
    )
    if rows.height == 0:
        raise DataRequestError(f"no predicted row has a known '{target}'; predict ids of the split")
    for name, table in (("prediction", "predictions"), (_REFERENCE, "meta_model")):
        gaps = rows.filter(pl.col(name).is_null())
        if gaps.height:
            era, row_id = gaps["era"][0], gaps["id"][0]
            raise DataRequestError(f"{table}: era {era}, id '{row_id}' has no value; every row of an era needs one")
    return rows.sort("era", "id")


def _values(
    frame: IntoDataFrame, table: str, choices: Sequence[str], known: pl.DataFrame, *, name: str
) -> pl.DataFrame:
    """Give the rows of `known` with the value column of another frame, null where it has none."""
    present = nw.from_native(frame, eager_only=True).columns
    column = next((choice for choice in choices if choice in present), choices[-1])
    keys = ["id", "era"] if "era" in present else ["id"]
    values = _columns(frame, table, [*keys, column]).rename({column: name})
    if values.select(keys).is_duplicated().any():
        raise DataRequestError(f"{table}: an id is given twice; give each row once")
    return known.join(values.with_columns(pl.col(name).cast(pl.Float64)), on=keys, how="left")


def _columns(frame: IntoDataFrame, table: str, names: Sequence[str]) -> pl.DataFrame:
    """Take columns out of a pandas or polars frame into polars, without pyarrow; NaN, pandas' gap, becomes null."""
    source = nw.from_native(frame, eager_only=True)
    absent = [name for name in names if name not in source.columns]
    if absent:
        raise DataRequestError(f"{table}: column '{absent[0]}' is missing; a pandas index is no column: reset_index()")
    columns = [pl.Series(name, source[name].to_list(), strict=False) for name in dict.fromkeys(names)]
    return pl.DataFrame(columns).with_columns(cs.float().fill_nan(None))
