"""Targets and features in the order of a round's live ids."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crowdalpha.errors import InputError

__all__ = ["MIDDLE_BIN", "align_features", "align_target"]

MIDDLE_BIN = 2.0
"""Stands for a missing feature: the middle of the bins 0 to 4."""


def align_target(targets: pl.DataFrame, live_ids: Sequence[str]) -> NDArray[np.float64]:
    """Put targets in the order of the live ids; NaN where one is not known.

    Raises
    ------
    InputError
        If a column is missing, an id is repeated or not live, a value is infinite, or none is known.
    """
    values = _aligned(targets, ["target"], live_ids, name="targets")[:, 0]
    if np.isinf(values).any() or not np.isfinite(values).any():
        raise InputError("targets: column target must hold finite numbers, and at least one")
    return values


def align_features(features: pl.DataFrame, live_ids: Sequence[str]) -> NDArray[np.float64]:
    """Put features, every column but `id`, in the order of the live ids; the middle bin where one is missing.

    Raises
    ------
    InputError
        If there is no feature, an id is repeated or not live, or a live id has no row.
    """
    names = [name for name in features.columns if name != "id"]
    if not names or features.height < len(live_ids):
        raise InputError(f"features: {features.height} rows and {len(names)} features; give all {len(live_ids)} ids")
    values = _aligned(features, names, live_ids, name="features")
    return np.nan_to_num(values, nan=MIDDLE_BIN)


def _aligned(frame: pl.DataFrame, columns: Sequence[str], live_ids: Sequence[str], *, name: str) -> NDArray[np.float64]:
    for column in ("id", *columns):
        if column not in frame.columns:
            raise InputError(f"{name}: column {column} is missing; found {', '.join(frame.columns)}")
    repeated = frame["id"].is_duplicated()
    if repeated.any():
        raise InputError(f"{name}: id {frame['id'].filter(repeated)[0]} is there twice; give each id once")
    live = pl.DataFrame({"id": list(live_ids)}, schema={"id": pl.String})
    foreign = frame.join(live, on="id", how="anti")
    if foreign.height:
        raise InputError(f"{name}: id {foreign['id'][0]} is not among the live ids of the round")
    joined = live.join(frame.select("id", *columns), on="id", how="left", maintain_order="left")
    return joined.select(pl.col(columns).cast(pl.Float64).fill_null(float("nan"))).to_numpy().astype(np.float64)
