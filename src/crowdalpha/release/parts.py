"""The eras of one split, one after the other: features, kinds of rows, targets known on the day of publication."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crowdalpha.market import Market
from crowdalpha.release.frames import (
    EraRows,
    feature_frame,
    horizon_days,
    stream_rows,
    target_is_known,
    target_values,
)
from crowdalpha.release.layout import Layout
from crowdalpha.release.obfuscation import ReleaseKey, era_label

__all__ = ["EraPart", "SplitBuilder"]


@dataclass(frozen=True, slots=True)
class EraPart:
    """One era as it is written.

    Parameters
    ----------
    era : int
        Index of the era.
    frame : DataFrame
        `id`, `era`, `data_type`, features and targets.
    bins : ndarray of shape (n_rows, n_features), dtype=int8
        The features again; -1 is missing.
    targets : ndarray of shape (n_rows, n_targets), dtype=float64
        The targets again, in the order of `SplitBuilder.targets`.
    due : bool
        Whether the main target is known.
    without_target : int
        Rows left out because their main target was due and cannot be computed.
    """

    era: int
    frame: pl.DataFrame
    bins: NDArray[np.int8]
    targets: NDArray[np.float64]
    due: bool
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
        Names and order of the features, and the policy.
    published : int
        Index of the era on whose day the data is published; no later data is read.
    target : str
        The target of the market that is `target` in the files.
    first_round : int, default=None
        The first era that was a live round; None where there was none yet.
    """

    market: Market
    key: ReleaseKey
    layout: Layout
    published: int
    target: str
    first_round: int | None = None

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of the targets: the main one, then the others by name where the policy publishes them."""
        if self.layout.policy.main_target_only:
            return (self.target,)
        return (self.target, *(name for name in sorted(self.market.targets) if name != self.target))

    def parts(self, eras: range, data_type: str, *, without: Collection[int] = ()) -> Iterator[EraPart]:
        """Give era after era; rows whose main target was due and is missing are left out: no due target is null.

        Parameters
        ----------
        eras : range
            Consecutive eras.
        data_type : str
            `train` or `validation`; eras whose main target is not due become `test`.
        without : collection of int, default=()
            Eras that are left out.

        Notes
        -----
        NaN policy: propagate, as null. Cost: O(assets * features * log assets) an era; a few eras are in memory.
        """
        runs, start = [], eras.start
        for stop in [*sorted(set(without) & set(eras)), eras.stop]:
            runs.append(range(start, stop))
            start = stop + 1
        for run in runs:
            for rows in stream_rows(self.market, key=self.key, layout=self.layout, eras=run):
                yield self._part(rows, data_type)

    def is_due(self, name: str, era: int) -> bool:
        """Tell whether the window of a target has ended."""
        return target_is_known(self.market, era=era, horizon=horizon_days(name), published=self.published)

    def is_known(self, name: str, era: int) -> bool:
        """Tell whether the target of an era may be in the files: its window has ended and the policy publishes it."""
        was_round = self.first_round is not None and era >= self.first_round
        return self.is_due(name, era) and not (was_round and self.layout.policy.withhold_rounds)

    def _part(self, rows: EraRows, data_type: str) -> EraPart:
        due = self.is_known(self.target, rows.era)
        values = np.column_stack([self._raw_target(name, rows.era) for name in self.targets])
        targets = target_values(values, rows, layout=self.layout, key=self.key)
        kept = ~np.isnan(targets[:, 0]) | (not due)
        targets, bins = targets[kept], rows.bins[kept]
        ids = pl.Series(rows.ids, dtype=pl.String).filter(pl.Series(kept)).to_list()
        frame = feature_frame(self.layout, ids=ids, eras=[era_label(rows.era)] * len(ids), bins=bins)
        kind = data_type if due else "test"
        frame = frame.insert_column(2, pl.Series("data_type", [kind] * len(ids), dtype=pl.String))
        return EraPart(
            era=rows.era,
            frame=frame.hstack(self._columns(targets)),
            bins=bins,
            targets=targets,
            due=due,
            without_target=int((~kept).sum()),
        )

    def _raw_target(self, name: str, era: int) -> NDArray[np.float64]:
        if not self.is_known(name, era):
            return np.full(len(self.market.panel.tickers), np.nan)
        values: NDArray[np.float64] = self.market.targets[name][era]
        return values

    def _columns(self, targets: NDArray[np.float64]) -> list[pl.Series]:
        by_name = dict(zip(self.targets, targets.T, strict=True))
        named = {"target": by_name[self.target]} | {f"target_{name}": by_name[name] for name in sorted(by_name)}
        return [
            pl.Series(name, values.astype(np.float32), dtype=pl.Float32, nan_to_null=True)
            for name, values in named.items()
        ]
