"""All features of a block of eras, a few eras at a time, on all processors."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from crowdalpha.market.arrays import BoolArray, Float32Array, FloatArray, IntArray
from crowdalpha.market.checks import MarketDataError
from crowdalpha.market.features.declaration import Feature
from crowdalpha.market.features.view import LONGEST_SPAN, View
from crowdalpha.market.features.years import EarlierYears
from crowdalpha.market.fundamentals import Filings
from crowdalpha.market.history import history_of
from crowdalpha.market.prices import PricePanel

__all__ = ["compute_features", "fill_features"]

LARGEST = float(np.finfo(np.float32).max)
"""Features are kept as float32: what does not fit is as good as infinite."""
CELLS_AT_ONCE = 20_000
"""Eras times assets that one thread holds sums of: they stay near the processor, and memory stays small."""
MOST_ERAS_AT_ONCE = 40


def compute_features(
    panel: PricePanel,
    features: Sequence[Feature],
    *,
    era_rows: IntArray,
    member: BoolArray,
    filings: Filings | None = None,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Float32Array:
    """Compute features of some eras.

    Parameters
    ----------
    panel : PricePanel
        Prices of all days.
    features : sequence of Feature
        What to compute.
    era_rows : ndarray of shape (n_eras,), dtype=int64
        Day of each era, ascending, none before `LONGEST_SPAN` days.
    member : ndarray of shape (n_eras, n_assets), dtype=bool
        Universe; other assets get NaN.
    filings : Filings, optional
        Company reports.
    threads : int, optional
        Threads; by default one a processor.
    progress : callable, optional
        Told the share that is done.

    Returns
    -------
    ndarray of shape (n_eras, n_assets, n_features), dtype=float32
        Raw values; NaN where undefined, never infinite.

    Raises
    ------
    MarketDataError
        If an era has fewer than `LONGEST_SPAN` days up to it.

    Notes
    -----
    NaN policy: omit. Cost: O(n_eras * n_assets * (n_series * LONGEST_SPAN + n_features)); beside the result, memory
    does not grow with the number of eras. Each value is the same to the last bit whatever block it is computed in
    and on however many threads, and depends on the days of its own window alone.
    """
    out = np.empty((*member.shape, len(features)), dtype=np.float32)
    fill_features(
        out,
        panel,
        features,
        era_rows=era_rows,
        member=member,
        filings=filings,
        threads=threads,
        progress=progress,
    )
    return out


def fill_features(
    out: FloatArray | Float32Array,
    panel: PricePanel,
    features: Sequence[Feature],
    *,
    era_rows: IntArray,
    member: BoolArray,
    filings: Filings | None = None,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> None:
    """Do what `compute_features` does, into an array of the caller, in single or double precision.

    Parameters
    ----------
    out : ndarray of shape (n_eras, n_assets, n_features), dtype=float32 or float64
        Written to.
    panel, features, era_rows, member, filings, threads, progress
        As for `compute_features`.

    Raises
    ------
    MarketDataError
        If an era has fewer than `LONGEST_SPAN` days up to it.

    Notes
    -----
    NaN policy: omit. Cost: as `compute_features`.
    """
    if len(era_rows) and era_rows[0] < LONGEST_SPAN - 1:
        raise MarketDataError(f"an era on day {era_rows[0]} has no {LONGEST_SPAN} days up to it; start later")
    step = max(1, min(MOST_ERAS_AT_ONCE, CELLS_AT_ONCE // max(member.shape[1], 1)))
    blocks = [slice(first, first + step) for first in range(0, len(era_rows), step)]
    groups = _by_group(features)

    def work(block: slice) -> None:
        _fill(out[block], panel, groups, rows=era_rows[block], member=member[block], filings=filings)

    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        for done, _ in enumerate(pool.map(work, blocks), start=1):
            if progress is not None:
                progress(done / len(blocks))


def _by_group(features: Sequence[Feature]) -> list[list[tuple[int, Feature]]]:
    """Features of one group with their places: they share most sums, which are dropped after each group."""
    names = dict.fromkeys(feature.group for feature in features)
    return [[pair for pair in enumerate(features) if pair[1].group == name] for name in names]


def _fill(
    out: FloatArray | Float32Array,
    panel: PricePanel,
    groups: list[list[tuple[int, Feature]]],
    *,
    rows: IntArray,
    member: BoolArray,
    filings: Filings | None,
) -> None:
    first = int(rows[0]) + 1 - LONGEST_SPAN
    history = history_of(panel, first=first, end=int(rows[-1]) + 1)
    state = None if filings is None else filings.state(panel, rows)
    years = EarlierYears(panel, rows)
    # many zeros and missing values meet in logs and ratios; what comes of them is masked below
    with np.errstate(divide="ignore", invalid="ignore"):
        for group in groups:
            view = View(history, ends=rows - first, filings=state, years=years)
            for place, feature in group:
                value = feature.compute(view)
                out[:, :, place] = np.where(member & (np.abs(value) <= LARGEST), value, np.nan)
