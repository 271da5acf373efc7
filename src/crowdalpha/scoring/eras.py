"""All scores of many eras at once: one row an asset and era, an era code for each."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crowdalpha.errors import InputError
from crowdalpha.scoring import checks
from crowdalpha.scoring._features import features_of
from crowdalpha.scoring._projection import blas_on_one_thread
from crowdalpha.scoring._threads import split
from crowdalpha.scoring.arrays import FloatArray, IndexArray, IntegerArray
from crowdalpha.scoring.exposure import exposure_rows
from crowdalpha.scoring.rounds import RoundScores, round_scores

__all__ = ["EraScores", "era_rows", "era_scores"]

SCORES = ("corr", "mmc", "fnc", "cwmm", "max_exposure")


@dataclass(frozen=True, eq=False)
class EraScores:
    """Scores of shape (n_eras, n_models); NaN where a score is not defined.

    `eras` has the codes in ascending order. `exposures` has shape (n_eras, n_features, n_models) and is there if it
    was asked for.
    """

    eras: npt.NDArray[np.generic]
    corr: FloatArray
    mmc: FloatArray
    fnc: FloatArray
    cwmm: FloatArray
    max_exposure: FloatArray
    exposures: FloatArray | None = None


def era_scores(
    predictions: npt.ArrayLike,
    eras: npt.ArrayLike,
    *,
    target: npt.ArrayLike,
    meta_model: npt.ArrayLike | None = None,
    features: npt.ArrayLike | None = None,
    keep_exposures: bool = False,
) -> EraScores:
    """Score models era by era.

    Parameters
    ----------
    predictions : array-like of shape (n_rows, n_models)
        Any unit; within an era in ascending order of the ids.
    eras : array-like of shape (n_rows,)
        Code of each row's era: numbers, or text that is sorted as text.
    target : array-like of shape (n_rows,)
        NaN where there is none.
    meta_model : array-like of shape (n_rows,), optional
        What contribution is measured against; without it MMC and CWMM are NaN.
    features : array-like of shape (n_rows, n_features), optional
        Missing ones filled; signed bytes are fastest and are not copied as a whole. Without them FNC and exposures
        are NaN.
    keep_exposures : bool, default=False
        Give the exposure to every feature too.

    Returns
    -------
    EraScores

    Raises
    ------
    ShapeError, NonFiniteError, OverlapError, DistortionError
        As `round_scores`; the message names the era.

    Notes
    -----
    NaN policy: as `round_scores`. Cost: that of `round_scores` an era, eras on all processors.

    Examples
    --------
    >>> found = era_scores([[1], [2], [3], [1], [2], [3]], [1, 1, 1, 2, 2, 2], target=[0, 0.5, 1, 1, 0.5, 0])
    >>> found.eras, found.corr.round(3).ravel()
    (array([1, 2]), array([ 1., -1.]))
    """
    columns = checks.matrix(predictions, "predictions")
    wanted = checks.vector(target, "target")
    meta = None if meta_model is None else checks.vector(meta_model, "meta_model")
    matrix = None if features is None else _matrix(features)
    codes = np.asarray(eras)
    checks.same_rows(predictions=columns, target=wanted)
    for name, side in (("eras", codes), ("meta_model", meta), ("features", matrix)):
        if side is not None and len(side) != len(columns):
            raise checks.ShapeError(f"{name} has {len(side)} rows and predictions {len(columns)}; align them first")
    labels, rows_of = era_rows(codes)
    out = np.full((len(SCORES), len(labels), columns.shape[1]), np.nan)
    n_features = matrix.shape[1] if matrix is not None else 0
    exposures = np.full((len(labels), n_features, columns.shape[1]), np.nan) if keep_exposures else None

    def work(first: int, last: int) -> None:
        for era in range(first, last):
            rows = rows_of[era]
            part = None if matrix is None else matrix[rows]
            try:
                found = round_scores(
                    columns[rows], target=wanted[rows], meta_model=None if meta is None else meta[rows], features=part
                )
            except InputError as error:
                raise type(error)(f"era {labels[era]}: {error}") from error
            out[:, era] = _stacked(found)
            if exposures is not None and part is not None:
                prepared = features_of(checks.features(part, "features"))
                exposures[era, prepared.varies] = exposure_rows(prepared, columns[rows]).T

    with blas_on_one_thread():
        split(work, len(labels), values=(columns.shape[1] + n_features) * len(columns) // len(labels), grain=1)
    return EraScores(labels, out[0], out[1], out[2], out[3], out[4], exposures)


def era_rows(eras: npt.ArrayLike) -> tuple[npt.NDArray[np.generic], list[slice | IndexArray]]:
    """Find the rows of each era.

    Parameters
    ----------
    eras : array-like of shape (n_rows,)
        Code of each row's era.

    Returns
    -------
    tuple of an ndarray of shape (n_eras,) and a list of slices or index arrays
        The codes in ascending order, and the rows of each: slices where eras ascend already.

    Raises
    ------
    ShapeError
        If there are no rows or more than one dimension.

    Notes
    -----
    NaN policy: refuse. Cost: O(n_rows) where eras ascend, a stable sort else.

    Examples
    --------
    >>> era_rows([7, 7, 8])
    (array([7, 8]), [slice(0, 2, None), slice(2, 3, None)])
    """
    codes = np.asarray(eras)
    if codes.ndim != 1 or len(codes) == 0:
        raise checks.ShapeError(f"eras has shape {codes.shape}; it needs one code for each row")
    ascending = bool((codes[1:] >= codes[:-1]).all())
    order = None if ascending else np.argsort(codes, kind="stable")
    ordered = codes if order is None else codes[order]
    starts = np.concatenate([[0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1])
    ends = np.append(starts[1:], len(codes))
    if order is None:
        return ordered[starts], [slice(int(start), int(end)) for start, end in zip(starts, ends, strict=True)]
    return ordered[starts], [order[start:end] for start, end in zip(starts, ends, strict=True)]


def _matrix(features: npt.ArrayLike) -> FloatArray | IntegerArray:
    """Read features without a look at every value: eras are looked at one by one."""
    array = np.asarray(features)
    return array if array.dtype == np.int8 and array.ndim == 2 else checks.matrix(array, "features")  # noqa: PLR2004  # a matrix has two


def _stacked(scores: RoundScores) -> FloatArray:
    return np.stack([scores.corr, scores.mmc, scores.fnc, scores.cwmm, scores.max_exposure])
