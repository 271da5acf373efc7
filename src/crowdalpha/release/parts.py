"""The eras of one split, put together: features, kinds of rows, and the targets known on the day of publication."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crowdalpha.market import Market
from crowdalpha.release.frames import (
    EraRows,
    Layout,
    binned_target,
    era_rows,
    feature_frame,
    horizon_days,
    target_is_known,
)
from crowdalpha.release.obfuscation import ReleaseKey, era_label

__all__ = ["Part", "SplitBuilder"]


@dataclass(frozen=True, slots=True)
class Part:
    """One split as it is written.

    Parameters
    ----------
    frame : DataFrame
        `id`, `era`, `data_type`, features and targets.
    bins : ndarray of shape (n_rows, n_features), dtype=int8
        The features again; -1 is missing.
    target : ndarray of shape (n_rows,), dtype=float64
        The main target again.
    without_target : int
        Rows left out because their main target was due and cannot be computed.
    """

    frame: pl.DataFrame
    bins: NDArray[np.int8]
    target: NDArray[np.float64]
    without_target: int


@dataclass(frozen=True, slots=True)
class SplitBuilder:
    """Gathers the eras of a split.

    Parameters
    ----------
    market : Market
        What is published.
    key : ReleaseKey
        The operator's secret.
    layout : Layout
        Names and order of the features.
    published : int
        Index of the era on whose day the data is published; no later data is read.
    target : str
        The target of the market that is `target` in the files.
    """

    market: Market
    key: ReleaseKey
    layout: Layout
    published: int
    target: str

    def part(self, eras: Sequence[int], data_type: str) -> Part:
        """Gather eras; rows whose main target was due and is missing are left out, so that no due target is null.

        Notes
        -----
        NaN policy: propagate, as null. Cost: O(eras * assets * features * log assets).
        """
        blocks = [era_rows(self.market, key=self.key, layout=self.layout, era=era) for era in eras]
        targets = {name: [self._targets(name, rows) for rows in blocks] for name in sorted(self.market.targets)}
        due = [self._is_known(self.target, rows.era) for rows in blocks]
        keep = [~np.isnan(main) | (not known) for main, known in zip(targets[self.target], due, strict=True)]
        kept = np.concatenate(keep)
        columns = {name: np.concatenate(values)[kept] for name, values in targets.items()}
        bins = np.concatenate([rows.bins for rows in blocks])[kept]
        ids = pl.Series([row_id for rows in blocks for row_id in rows.ids]).filter(pl.Series(kept)).to_list()
        counts = [int(mask.sum()) for mask in keep]
        labels = np.repeat([era_label(era) for era in eras], counts).tolist()
        kinds = np.repeat([data_type if known else "test" for known in due], counts).tolist()
        frame = feature_frame(self.layout, ids=ids, eras=labels, bins=bins)
        frame = frame.insert_column(2, pl.Series("data_type", kinds, dtype=pl.String))
        return Part(
            frame=frame.hstack(self._target_columns(columns)),
            bins=bins,
            target=columns[self.target],
            without_target=int((~kept).sum()),
        )

    def _is_known(self, name: str, era: int) -> bool:
        return target_is_known(self.market, era=era, horizon=horizon_days(name), published=self.published)

    def _targets(self, name: str, rows: EraRows) -> NDArray[np.float64]:
        if not self._is_known(name, rows.era):
            return np.full(len(rows.ids), np.nan)
        return binned_target(self.market.targets[name][rows.era], rows.assets)

    def _target_columns(self, columns: dict[str, NDArray[np.float64]]) -> list[pl.Series]:
        named = {"target": columns[self.target]} | {f"target_{name}": values for name, values in columns.items()}
        return [
            pl.Series(name, values.astype(np.float32), dtype=pl.Float32, nan_to_null=True)
            for name, values in named.items()
        ]
