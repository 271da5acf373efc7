"""All numbers of a diagnosis, era by era: scores, exposures, churn."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from crowdalpha.client.diagnostics.rows import FloatArray, SplitRows
from crowdalpha.scoring import ConstantError, churn, era_rows, era_scores, gaussianize

__all__ = ["Measures", "measure"]

# Below this share of common ids two eras are not compared.
LEAST_SHARED = 0.5
# Scores are recorded in billionths; what is smaller is rounding, and adding 0 takes the sign off a zero.
SCORE_DIGITS = 9
CHURN_UNDEFINED = "not defined: ids are new in each era"
CHURN_ONE_ERA = "not defined: there is one era only"


@dataclass(frozen=True, slots=True, eq=False)
class Measures:
    """What was measured in each era; every array has one row an era and NaN where a number is not defined.

    Parameters
    ----------
    series : dict of str to ndarray of shape (n_eras,)
        `corr`, `fnc`, `bmc` (contribution against the benchmark), `mmc` (against the meta model), `max_exposure`,
        `with_benchmark` (correlation of the powered signals of both, 1 for equal ranks), `cwmm`, `churn`, and `corr`,
        `fnc` and `max_exposure` of the benchmark after `benchmark_`.
    exposures : ndarray of shape (n_eras, n_features)
        Correlation of the predictions with each feature.
    churn_note : str
        Why there is no churn; empty if there is.
    """

    series: dict[str, FloatArray]
    exposures: FloatArray
    churn_note: str


def measure(rows: SplitRows, mine: FloatArray, *, benchmark: FloatArray, meta_model: FloatArray) -> Measures:
    """Score the predictions and the benchmark on every era.

    Parameters
    ----------
    rows : SplitRows
        Rows to score, of whole eras.
    mine, benchmark : ndarray of shape (n_rows,)
        Predictions, complete.
    meta_model : ndarray of shape (n_rows,)
        NaN where there is none; eras with a gap have no MMC.

    Returns
    -------
    Measures

    Notes
    -----
    Cost: that of `era_scores` for two models.
    """
    both = np.stack([mine, benchmark]).T
    found = era_scores(
        both,
        rows.codes,
        target=rows.target,
        meta_model=_signal(rows, benchmark),
        features=rows.features,
        keep_exposures=rows.features is not None,
    )
    contribution, likeness = _against_meta_model(rows, mine, meta_model)
    changes, note = _churn(rows, mine)
    scores = {
        "corr": found.corr[:, 0],
        "fnc": found.fnc[:, 0],
        "bmc": found.mmc[:, 0],
        "mmc": contribution,
        "max_exposure": found.max_exposure[:, 0],
        "with_benchmark": found.cwmm[:, 0],
        "cwmm": likeness,
        "benchmark_corr": found.corr[:, 1],
        "benchmark_fnc": found.fnc[:, 1],
        "benchmark_max_exposure": found.max_exposure[:, 1],
    }
    series = {name: np.round(values, SCORE_DIGITS) + 0.0 for name, values in scores.items()} | {"churn": changes}
    exposures = np.empty((len(rows.eras), 0)) if found.exposures is None else found.exposures[:, :, 0]
    return Measures(series=series, exposures=exposures, churn_note=note)


def _signal(rows: SplitRows, values: FloatArray) -> FloatArray:
    """Gaussianize the values of each era and raise them to 3/2: contribution ranks them again and does not change."""
    out = np.empty_like(values)
    for era in era_rows(rows.codes)[1]:
        out[era] = gaussianize(values[era])
    out *= np.sqrt(np.abs(out))
    return out


def _against_meta_model(rows: SplitRows, mine: FloatArray, meta_model: FloatArray) -> tuple[FloatArray, FloatArray]:
    contribution, likeness = np.full((2, len(rows.eras)), np.nan)
    covered = rows.counts(np.isnan(meta_model)) == 0
    if covered.any():
        part, (one, other) = replace(rows, features=None).keep(covered, mine, meta_model)
        found = era_scores(one[:, None], part.codes, target=part.target, meta_model=other)
        contribution[covered], likeness[covered] = found.mmc[:, 0], found.cwmm[:, 0]
    return contribution, likeness


def _churn(rows: SplitRows, mine: FloatArray) -> tuple[FloatArray, str]:
    """Compare each era with the one before on the ids that both have; where the first two share none, none do."""
    changes = np.full(len(rows.eras), np.nan)
    if len(rows.eras) == 1:
        return changes, CHURN_ONE_ERA
    _, rows_of = era_rows(rows.codes)
    hashes = rows.ids.hash().to_numpy()
    if not len(np.intersect1d(hashes[rows_of[0]], hashes[rows_of[1]])):
        return changes, CHURN_UNDEFINED
    for era in range(1, len(rows.eras)):
        before, after = rows_of[era - 1], rows_of[era]
        changes[era] = _change(hashes[before], mine[before], hashes[after], mine[after])
    return changes, ""


def _change(
    first_ids: NDArray[np.uint64], first: FloatArray, second_ids: NDArray[np.uint64], second: FloatArray
) -> float:
    shared, one, other = np.intersect1d(first_ids, second_ids, assume_unique=True, return_indices=True)
    if len(shared) < LEAST_SHARED * max(len(first_ids), len(second_ids)):
        return np.nan
    try:
        return churn(first[one], second[other])
    except ConstantError:
        return np.nan
