"""Hypothesis strategies for what a scorer takes: predictions, meta models, targets and features of one era.

Predictions are multiples of 1/8, so that shifts, scalings and cubes of them are exact and make or break no ties.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from crowdalpha.scoring import FloatArray

__all__ = ["Era", "eras", "features", "meta_models", "predictions", "targets"]

TARGET_LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)
FEATURE_LEVELS = 4
PREDICTION_STEP = 1 / 8
LARGEST_STEPS = 400


@dataclass(frozen=True, eq=False)
class Era:
    """One era of consistent arrays: the same assets in the same order in all of them."""

    predictions: FloatArray
    meta_model: FloatArray
    target: FloatArray
    features: FloatArray


def predictions(n_assets: int, n_models: int, *, ties: bool = True) -> st.SearchStrategy[FloatArray]:
    """Predictions of shape (n_assets, n_models), each model with two different values at least.

    Parameters
    ----------
    n_assets, n_models : int
        Rows, at least two, and columns.
    ties : bool, default=True
        Whether values may repeat within a model; without ties every column holds `n_assets` different values.

    Returns
    -------
    SearchStrategy of ndarrays of shape (n_assets, n_models), dtype=float64
        Multiples of 1/8.
    """
    return st.tuples(*(meta_models(n_assets, ties=ties) for _ in range(n_models))).map(np.column_stack)


def meta_models(n_assets: int, *, ties: bool = True) -> st.SearchStrategy[FloatArray]:
    """One column of predictions that is not constant.

    Parameters
    ----------
    n_assets : int
        Rows, at least two.
    ties : bool, default=True
        Whether values may repeat.

    Returns
    -------
    SearchStrategy of ndarrays of shape (n_assets,), dtype=float64
        Multiples of 1/8.
    """
    steps = st.integers(-LARGEST_STEPS, LARGEST_STEPS)
    column = npst.arrays(np.int64, n_assets, elements=steps, unique=not ties)
    return column.filter(_varies).map(lambda values: PREDICTION_STEP * values)


def targets(n_assets: int) -> st.SearchStrategy[FloatArray]:
    """Targets in five buckets from 0 to 1 that are not all equal.

    Parameters
    ----------
    n_assets : int
        Rows, at least two.

    Returns
    -------
    SearchStrategy of ndarrays of shape (n_assets,), dtype=float64
    """
    return npst.arrays(np.float64, n_assets, elements=st.sampled_from(TARGET_LEVELS)).filter(_varies)


def features(n_assets: int, n_features: int) -> st.SearchStrategy[FloatArray]:
    """Features in bins from 0 to 4; constant and equal ones occur.

    Parameters
    ----------
    n_assets, n_features : int
        Rows and columns.

    Returns
    -------
    SearchStrategy of ndarrays of shape (n_assets, n_features), dtype=float64
    """
    bins = npst.arrays(np.int8, (n_assets, n_features), elements=st.integers(0, FEATURE_LEVELS))
    return bins.map(lambda values: values.astype(np.float64))


@st.composite
def eras(draw: st.DrawFn, *, max_assets: int = 30, max_models: int = 3, ties: bool = True) -> Era:
    """One era of five to `max_assets` assets, with two features.

    Parameters
    ----------
    draw : DrawFn
        Given by hypothesis.
    max_assets, max_models : int
        Largest numbers of rows and of models.
    ties : bool, default=True
        Whether values may repeat within a model.

    Returns
    -------
    Era
    """
    n_assets, n_models = draw(st.integers(5, max_assets)), draw(st.integers(1, max_models))
    return Era(
        predictions=draw(predictions(n_assets, n_models, ties=ties)),
        meta_model=draw(meta_models(n_assets, ties=ties)),
        target=draw(targets(n_assets)),
        features=draw(features(n_assets, 2)),
    )


def _varies(values: FloatArray | npt.NDArray[np.int64]) -> bool:
    return bool(values.min() < values.max())
