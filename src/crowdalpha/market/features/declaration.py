"""How a feature is declared, and how all of them are computed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from crowdalpha.market.arrays import BoolArray, FloatArray, IntArray
from crowdalpha.market.history import History

__all__ = ["Column", "Feature", "compute_features"]

# features are kept as float32: what does not fit is as good as infinite
LARGEST = float(np.finfo(np.float32).max)
Column = Literal["close", "open", "high", "low", "volume"]


@dataclass(frozen=True)
class Feature:
    """One number an asset and day, from the days up to that day.

    Parameters
    ----------
    name : str
        Name for the operator; participants see another.
    group : str
        What kind of information it is.
    window : int
        Days it sees, its own day included; it is handed no others.
    needs : tuple of Column
        Columns of the price file without which it is missing.
    compute : callable
        Maps a history of `window` days to an array (n_assets,); NaN where undefined.
    """

    name: str
    group: str
    window: int
    needs: tuple[Column, ...]
    compute: Callable[[History], FloatArray]


def compute_features(
    history: History,
    features: Sequence[Feature],
    *,
    era_rows: IntArray,
    member: BoolArray,
    progress: Callable[[float], None] | None = None,
) -> FloatArray:
    """Compute features for all eras.

    Parameters
    ----------
    history : History
        Daily arrays of all days.
    features : sequence of Feature
        What to compute.
    era_rows : ndarray of shape (n_eras,), dtype=int64
        Day of each era.
    member : ndarray of shape (n_eras, n_assets), dtype=bool
        Universe; other assets get NaN.
    progress : callable, optional
        Told the share that is done, era by era.

    Returns
    -------
    ndarray of shape (n_eras, n_assets, n_features), dtype=float64
        Raw values; NaN where undefined, never infinite.

    Notes
    -----
    NaN policy: omit. Cost: O(n_eras * n_features * window * n_assets); each feature is handed its own days and
    no others, so that it cannot look ahead or depend on what lies further back.
    """
    values = np.full((len(era_rows), member.shape[1], len(features)), np.nan)
    for era, row in enumerate(era_rows):
        windows = {n_days: history.upto(int(row), n_days=n_days) for n_days in {feature.window for feature in features}}
        for column, feature in enumerate(features):
            value = feature.compute(windows[feature.window])
            values[era, :, column] = np.where(member[era] & (np.abs(value) <= LARGEST), value, np.nan)
        if progress is not None:
            progress((era + 1) / len(era_rows))
    return values
