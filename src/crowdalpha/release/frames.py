"""Rows of a market as published rows: one era at a time, arrays inside, polars frames at the edge."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crowdalpha.market import Market, window_end
from crowdalpha.release.errors import ReleaseError
from crowdalpha.release.obfuscation import (
    MISSING_BIN,
    ReleaseKey,
    bin_features,
    bin_target,
    choose_feature_sets,
    era_label,
)

__all__ = [
    "SET_SIZES",
    "EraRows",
    "Layout",
    "asset_index",
    "era_rows",
    "feature_frame",
    "horizon_days",
    "members",
    "target_frame",
    "target_is_known",
]

SET_SIZES = {"small": 12, "medium": 24}
ALL_FEATURES = "all"


@dataclass(frozen=True, slots=True)
class Layout:
    """Which hidden name each feature has, in which order they are published, and the feature sets.

    Parameters
    ----------
    names : tuple of str
        Hidden names in published order.
    columns : ndarray of shape (n_features,), dtype=intp
        The market's feature behind each of `names`.
    sets : dict of str to tuple of str
        `small`, `medium` and `all`, nested, each in published order.
    """

    names: tuple[str, ...]
    columns: NDArray[np.intp]
    sets: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, market: Market, key: ReleaseKey) -> Self:
        """Derive the layout of a market under a key; it does not depend on the era."""
        hidden = key.feature_names(market.feature_names)
        position = {name: index for index, name in enumerate(market.feature_names)}
        groups = list(market.feature_groups.values())
        chosen = choose_feature_sets(key, groups, sizes=list(SET_SIZES.values()))
        sets = {
            name: tuple(sorted(hidden[real] for real in members_of_set))
            for name, members_of_set in zip(SET_SIZES, chosen, strict=True)
        }
        names = tuple(hidden.values())
        columns = np.array([position[real] for real in hidden], dtype=np.intp)
        return cls(names=names, columns=columns, sets=sets | {ALL_FEATURES: names})

    def indices(self, feature_set: str) -> NDArray[np.intp]:
        """Give the positions of a feature set among `names`."""
        position = {name: index for index, name in enumerate(self.names)}
        return np.array([position[name] for name in self.sets[feature_set]], dtype=np.intp)


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
    """

    era: int
    ids: list[str]
    assets: NDArray[np.intp]
    bins: NDArray[np.int8]


def members(market: Market, *, key: ReleaseKey, era: int) -> NDArray[np.intp]:
    """Give the assets of an era in published order.

    Raises
    ------
    ReleaseError
        If the market has no such era or nothing traded in it.
    """
    if not 0 <= era < len(market.era_rows):
        raise ReleaseError(f"the market has no era {era}; its eras are 0 to {len(market.era_rows) - 1}")
    inside = np.flatnonzero(market.universe[era])
    if inside.size == 0:
        raise ReleaseError(f"era {era_label(era)} has no assets; check the universe of that week")
    return inside[key.row_order(era, inside.size)]


def era_ids(market: Market, *, key: ReleaseKey, era: int, assets: Iterable[int]) -> list[str]:
    """Give the ids of assets in an era."""
    return key.row_ids(era, [market.panel.tickers[asset] for asset in assets])


def era_rows(market: Market, *, key: ReleaseKey, layout: Layout, era: int) -> EraRows:
    """Bin, name, identify and shuffle the rows of one era.

    Raises
    ------
    ReleaseError
        If the market has no such era or nothing traded in it.
    """
    assets = members(market, key=key, era=era)
    bins = bin_features(market.features[era][assets][:, layout.columns])
    return EraRows(era=era, ids=era_ids(market, key=key, era=era, assets=assets.tolist()), assets=assets, bins=bins)


def feature_frame(layout: Layout, *, ids: Sequence[str], eras: Sequence[str], bins: NDArray[np.int8]) -> pl.DataFrame:
    """Put published rows into a frame of `id`, `era` and one int8 column a feature, null where missing."""
    frame = pl.DataFrame([pl.Series("id", ids, dtype=pl.String), pl.Series("era", eras, dtype=pl.String)])
    columns = np.ascontiguousarray(bins.T)
    features = pl.DataFrame(dict(zip(layout.names, columns, strict=True)), schema=dict.fromkeys(layout.names, pl.Int8))
    return frame.hstack(features.select(pl.all().replace(MISSING_BIN, None)))


def target_frame(market: Market, *, key: ReleaseKey, era: int, values: NDArray[np.floating]) -> pl.DataFrame:
    """Bin a target and give it under the ids of the era.

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

    Returns
    -------
    DataFrame
        `id` and `target` (float64 in 0, .25, .5, .75, 1; null where the return is unknown), one row for each asset of
        the era, in published order.

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
    assets = members(market, key=key, era=era)
    ids = era_ids(market, key=key, era=era, assets=assets.tolist())
    target = pl.Series("target", binned_target(values, assets), dtype=pl.Float64, nan_to_null=True)
    return pl.DataFrame([pl.Series("id", ids, dtype=pl.String), target])


def binned_target(values: NDArray[np.floating], assets: NDArray[np.intp]) -> NDArray[np.float64]:
    """Bin a target over the assets of an era; ties are broken by the market's order, not the published one.

    Notes
    -----
    NaN policy: propagate. Cost: O(n_assets log n_assets).
    """
    inside = np.sort(assets)
    everywhere = np.full(len(values), np.nan)
    everywhere[inside] = bin_target(values[inside])
    return everywhere[assets]


def asset_index(market: Market, *, key: ReleaseKey, era: int) -> pl.DataFrame:
    """Give the asset behind each id of an era; for the operator alone.

    Returns
    -------
    DataFrame
        `id` and `asset` (int64, position in `market.panel.tickers`), in published order.

    Raises
    ------
    ReleaseError
        If the market has no such era or nothing traded in it.
    """
    assets = members(market, key=key, era=era)
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
