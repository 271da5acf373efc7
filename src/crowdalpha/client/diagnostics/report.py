"""The diagnosis of a prediction file on a published data set: read, align, score, read the figures."""

import re
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np

from crowdalpha.client.diagnostics.figures import Figures, figures_of
from crowdalpha.client.diagnostics.files import SPLIT, PublishedData, read_values
from crowdalpha.client.diagnostics.findings import Finding, findings_of
from crowdalpha.client.diagnostics.measures import measure
from crowdalpha.client.diagnostics.rows import FloatArray, SplitRows, ValueTable, place
from crowdalpha.client.errors import DataRequestError

__all__ = ["ModelReport", "diagnose_file"]

DAYS_PER_ERA = 5
_DAYS = re.compile(r"_(\d+)$")

NO_META_MODEL = "not defined: the data folder has no meta_model.parquet; --meta-model names one from a round's folder"
OTHER_ERAS = "not defined: {name} covers none of the scored eras"


@dataclass(frozen=True, slots=True, eq=False)
class ModelReport:
    """What is known of a model before it is submitted.

    Parameters
    ----------
    model, benchmark : str
        Names of the files.
    data, target, feature_set : str
        Version of the data set, the target, the feature set.
    figures : Figures
        Scores, exposures, intervals.
    findings : tuple of Finding
        What they mean.
    notes : dict of str to str
        Why something is not there, by the name of its series.
    """

    model: str
    benchmark: str
    data: str
    target: str
    feature_set: str
    figures: Figures
    findings: tuple[Finding, ...]
    notes: dict[str, str]


def diagnose_file(
    predictions: Path,
    *,
    data: Path,
    benchmark: Path | None = None,
    meta_model: Path | None = None,
    feature_set: str = "small",
    target: str = "target",
    tried: int = 1,
) -> ModelReport:
    """Diagnose a prediction file on the validation rows of a data set.

    Parameters
    ----------
    predictions : Path
        CSV or Parquet with `id`, `prediction` and perhaps `era`: every row of each era that it has.
    data : Path
        Folder of the data set.
    benchmark : Path, optional
        Like `predictions`; the example predictions of the data set by default.
    meta_model : Path, optional
        `id`, `meta_model` and perhaps `era`; `meta_model.parquet` in the folder by default, if it is there.
    feature_set : str, default="small"
        Features of FNC and the exposures.
    target : str, default="target"
        Column to score on.
    tried : int, default=1
        Models that were tried before this one was chosen, itself included.

    Returns
    -------
    ModelReport

    Raises
    ------
    PredictionFileError
        If a file of values is unusable; names file, column and row.
    ManifestError
        If the folder is not what its manifest says.
    DataRequestError
        If there is no such feature set or target, or no predicted era has a target.
    RangeError
        If `tried` is below 1.

    Notes
    -----
    NaN policy: refuse in predictions and benchmark; omit in the target; a missing feature counts as 2. The files in use
    are compared with the manifest, the others are not read. Cost: a few seconds for 2.5 million rows of 40 features.
    """
    published = PublishedData.open(data)
    mine, other = read_values(predictions), read_values(benchmark or published.example)
    past = meta_model or published.meta_model
    everything = published.rows(feature_set=feature_set, target=target)
    rows, columns = _aligned(everything, mine, other, past, target=target)
    measured = measure(rows, columns[0], benchmark=columns[1], meta_model=columns[2])
    figures = figures_of(
        rows.eras,
        measured.series,
        exposures=measured.exposures,
        feature_names=rows.feature_names,
        overlap=_overlap(str(published.manifest.facts.get("target", "")) if target == "target" else target),
        tried=tried,
    )
    notes = {"mmc": _meta_model_note(figures, past), "churn": measured.churn_note}
    return ModelReport(
        model=mine.name,
        benchmark=other.name,
        data=published.manifest.version,
        target=target,
        feature_set=feature_set,
        figures=figures,
        findings=findings_of(figures),
        notes={name: text for name, text in notes.items() if text},
    )


def _aligned(
    rows: SplitRows, mine: ValueTable, benchmark: ValueTable, meta_model: Path | None, *, target: str
) -> tuple[SplitRows, tuple[FloatArray, ...]]:
    """Keep the rows of the eras that are predicted, with the predictions, the benchmark and the meta model on them."""
    placed = place(mine, rows, source=SPLIT)
    scored = rows.scorable(placed)
    if not scored.any():
        raise DataRequestError(f"{mine.name}: no predicted era has a known '{target}' in {SPLIT}; predict earlier eras")
    against = place(benchmark, rows, source=SPLIT, others=True)
    if meta_model is None:
        past = np.full(len(placed), np.nan)
    else:
        past = place(
            read_values(meta_model, columns=("meta_model", "numerai_meta_model", "prediction")),
            rows,
            source=SPLIT,
            others=True,
        )
    kept, columns = rows.keep(scored, placed, against, past)
    kept.refuse_gaps(columns[0], name=mine.name)
    kept.refuse_gaps(columns[1], name=benchmark.name)
    return kept, columns


def _meta_model_note(figures: Figures, path: Path | None) -> str:
    if path is None:
        return NO_META_MODEL
    return OTHER_ERAS.format(name=path.name) if np.isnan(figures.series["mmc"]).all() else ""


def _overlap(target: str) -> int:
    """Count the weekly eras that a target spans, by the days in its name; 1 if it has none."""
    days = _DAYS.search(target)
    return ceil(int(days[1]) / DAYS_PER_ERA) if days else 1
