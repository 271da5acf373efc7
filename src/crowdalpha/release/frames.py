"""Rows of a market as published rows: one era at a time, arrays inside, polars frames at the edge."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crowdalpha.market import Market, window_end
from crowdalpha.release.errors import ReleaseError
from crowdalpha.release.layout import Layout
from crowdalpha.release.obfuscation import ReleaseKey, bin_target, era_label
from crowdalpha.release.pipeline import obfuscate, obfuscate_targets
from crowdalpha.release.steps import MISSING_BIN

__all__ = [
    "EraRows",
    "Layout",
    "asset_index",
    "era_rows",
    "feature_frame",
    "horizon_days",
    "members",
    "stream_rows",
    "target_frame",
    "target_is_known",
    "target_values",
]

BLOCK_CELLS = 50_000_000
MOST_ERAS_AT_ONCE = 64
"""Raw features in memory at once: 200 MB, and no more than so many eras, whatever the size of the market."""


@dataclass(frozen=True, slots=True)
class EraRows:
    """The published rows of one era, in published order.

    Parameters
    ----------
    era : int
        Index of the era in the market.
    ids : list of str
        One id a row.
    assets : ndarray of shape (n_rows,), dtype=intp
        The asset of each row; operator only.
    bins : ndarray of shape (n_rows, n_features), dtype=int8
        Columns as in the layout; -1 is missing.
    groups : ndarray of shape (n_rows,), dtype=intp
        The group of each row; operator only.
    """

    era: int
    ids: list[str]
    assets: NDArray[np.intp]
    bins: NDArray[np.int8]
    groups: NDArray[np.intp]


def members(market: Market, *, key: ReleaseKey, era: int, layout: Layout | None = None) -> NDArray[np.intp]:
    """Give the published assets of an era in published order.

    Parameters
    ----------
    market : Market
        Where the universe comes from.
    key : ReleaseKey
        Decides the order, and who is published where not all are.
    era : int
        Index of the era.
    layout : Layout, default=None
        How many are published; None means all.

    Raises
    ------
    ReleaseError
        If the market has no such era, nothing traded in it, or it has fewer assets than the version has rows.
    """
    if not 0 <= era < len(market.era_rows):
        raise ReleaseError(f"the market has no era {era}; its eras are 0 to {len(market.era_rows) - 1}")
    inside = np.flatnonzero(market.universe[era])
    if inside.size == 0:
        raise ReleaseError(f"era {era_label(era)} has no assets; check the universe of that week")
    if layout is not None and era in layout.chosen:
        inside = layout.chosen[era]
    elif layout is not None and layout.rows is not None:
        if inside.size < layout.rows:
            raise ReleaseError(
                f"era {era_label(era)} has {inside.size} assets and this version publishes {layout.rows} rows an era; "
                "check the prices of that week, or publish a new version with fewer rows"
            )
        inside = np.sort(inside[key.row_order(era, inside.size)[: layout.rows]])
    return inside[key.row_order(era, inside.size)]


def era_ids(market: Market, *, key: ReleaseKey, era: int, assets: Iterable[int]) -> list[str]:
    """Give the ids of assets in an era."""
    return key.row_ids(era, [market.panel.tickers[asset] for asset in assets])


def era_rows(market: Market, *, key: ReleaseKey, layout: Layout, era: int) -> EraRows:
    """Obfuscate, name, identify and shuffle the rows of one era.

    Raises
    ------
    ReleaseError
        As `members`.
    """
    return _rows(market, _raw(market, era, era + 1)[0], key=key, layout=layout, era=era)


def stream_rows(market: Market, *, key: ReleaseKey, layout: Layout, eras: range) -> Iterator[EraRows]:
    """Give the rows of consecutive eras, one after the other; few of them are in memory at once.

    Raises
    ------
    ReleaseError
        As `members`.
    """
    cells = len(market.panel.tickers) * len(market.feature_names)
    step = min(max(BLOCK_CELLS // cells, 1), MOST_ERAS_AT_ONCE)
    for first in range(eras.start, eras.stop, step):
        last = min(first + step, eras.stop)
        for era, raw in zip(range(first, last), _raw(market, first, last), strict=True):
            yield _rows(market, raw, key=key, layout=layout, era=era)


def _raw(market: Market, first: int, last: int) -> NDArray[np.float32]:
    """Compute raw features of some eras; eras before and after are not touched."""
    for era in (first, last - 1):
        if not 0 <= era < len(market.era_rows):
            raise ReleaseError(f"the market has no era {era}; its eras are 0 to {len(market.era_rows) - 1}")
    return market.feature_block(first, last)


def _rows(market: Market, raw: NDArray[np.float32], *, key: ReleaseKey, layout: Layout, era: int) -> EraRows:
    assets = members(market, key=key, era=era, layout=layout)
    order = np.argsort(np.argsort(assets))  # place of each published row among the assets in the market's order
    done = obfuscate(raw[np.sort(assets)], layout=layout, key=key, era=era)
    ids = era_ids(market, key=key, era=era, assets=assets.tolist())
    return EraRows(era=era, ids=ids, assets=assets, bins=done.bins[order], groups=done.groups[order])


def feature_frame(layout: Layout, *, ids: Sequence[str], eras: Sequence[str], bins: NDArray[np.int8]) -> pl.DataFrame:
    """Put published rows into a frame of `id`, `era` and one int8 column a feature, null where missing."""
    frame = pl.DataFrame([pl.Series("id", ids, dtype=pl.String), pl.Series("era", eras, dtype=pl.String)])
    columns = np.ascontiguousarray(bins.T)
    features = pl.DataFrame(dict(zip(layout.names, columns, strict=True)), schema=dict.fromkeys(layout.names, pl.Int8))
    gaps = [name for name, gap in zip(layout.names, (bins == MISSING_BIN).any(axis=0), strict=True) if gap]
    return frame.hstack(features.with_columns(pl.col(gaps).replace(MISSING_BIN, None)))


def target_values(
    values: NDArray[np.floating], rows: EraRows, *, layout: Layout, key: ReleaseKey
) -> NDArray[np.float64]:
    """Bin targets of an era and take them through the steps of the policy.

    Parameters
    ----------
    values : ndarray of shape (n_assets, n_targets), dtype=float64
        Raw targets of all assets of the market; the first column pays.
    rows : EraRows
        The rows of the era.
    layout : Layout
        The policy.
    key : ReleaseKey
        The operator's secret.

    Returns
    -------
    ndarray of shape (n_rows, n_targets), dtype=float64
        0 to 1 in published order; NaN where unknown.

    Notes
    -----
    NaN policy: propagate, or the middle where the policy fills. Ties are broken by the market's order, not the
    published one. Cost: O(n_assets log n_assets) a target.
    """
    inside = np.argsort(rows.assets)
    done = obfuscate_targets(
        values[rows.assets[inside]],
        rows.groups[inside],
        layout=layout,
        key=key,
        era=rows.era,
        ids=[rows.ids[place] for place in inside],
    )
    published = np.empty_like(done)
    published[inside] = done
    return published


def target_frame(
    market: Market, *, key: ReleaseKey, era: int, values: NDArray[np.floating], layout: Layout | None = None
) -> pl.DataFrame:
    """Bin a target and give it under the ids of the era: the truth that a round is scored on, whatever is published.

    Parameters
    ----------
    market : Market
        Where the universe and the tickers come from.
    key : ReleaseKey
        The key that the era was published under.
    era : int
        Index of the era.
    values : ndarray of shape (n_assets,), dtype=float64
        Residual returns of all assets of the market, as `residual_returns` gives them.
    layout : Layout, default=None
        Of the version, where it does not publish all assets.

    Returns
    -------
    DataFrame
        `id` and `target` (float64 in 0, .25, .5, .75, 1; null where the return is unknown), one row for each
        published asset of the era, in published order.

    Raises
    ------
    ReleaseError
        If the market has no such era or `values` is not one number an asset.

    Notes
    -----
    NaN policy: propagate, as null. Cost: O(n_assets log n_assets).
    """
    n_assets = len(market.panel.tickers)
    if values.shape != (n_assets,):
        raise ReleaseError(f"the target of era {era_label(era)} has shape {values.shape}, not ({n_assets},)")
    assets = members(market, key=key, era=era, layout=layout)
    ids = era_ids(market, key=key, era=era, assets=assets.tolist())
    inside = np.sort(assets)
    everywhere = np.full(n_assets, np.nan)
    everywhere[inside] = bin_target(values[inside])
    target = pl.Series("target", everywhere[assets], dtype=pl.Float64, nan_to_null=True)
    return pl.DataFrame([pl.Series("id", ids, dtype=pl.String), target])


def asset_index(market: Market, *, key: ReleaseKey, era: int, layout: Layout | None = None) -> pl.DataFrame:
    """Give the asset behind each id of an era; for the operator alone.

    Parameters
    ----------
    market : Market
        Where the universe comes from.
    key : ReleaseKey
        The key that the era was published under.
    era : int
        Index of the era.
    layout : Layout, default=None
        Of the version, where it does not publish all assets.

    Returns
    -------
    DataFrame
        `id` and `asset` (int64, position in `market.panel.tickers`), in published order.

    Raises
    ------
    ReleaseError
        If the market has no such era or nothing traded in it.
    """
    assets = members(market, key=key, era=era, layout=layout)
    ids = era_ids(market, key=key, era=era, assets=assets.tolist())
    return pl.DataFrame([pl.Series("id", ids, dtype=pl.String), pl.Series("asset", assets.astype(np.int64))])


def horizon_days(target: str) -> int:
    """Read the horizon from the name of a target.

    Raises
    ------
    ReleaseError
        If the name is not `<family>_<days>`.

    Examples
    --------
    >>> horizon_days("neutral_20")
    20
    """
    family, _, days = target.rpartition("_")
    if not family or not days.isdecimal():
        raise ReleaseError(f"target '{target}' is not named <family>_<days>")
    return int(days)


def target_is_known(market: Market, *, era: int, horizon: int, published: int) -> bool:
    """Tell whether the window of an era's target has ended on the day of publication.

    Parameters
    ----------
    market : Market
        Where the days of the eras come from.
    era, published : int
        Index of the era, and of the era on whose day the data is published.
    horizon : int
        Length of the target in trading days, after the market's lag.
    """
    end = window_end(int(market.era_rows[era]), horizon_days=horizon)
    return end <= int(market.era_rows[published])
