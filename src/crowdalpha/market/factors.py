"""Known risks of each asset: market, country, sector and style, from what was known on the day."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from crowdalpha.market.arrays import BoolArray, FloatArray
from crowdalpha.market.features.channels import log_value
from crowdalpha.market.features.declaration import Feature, over
from crowdalpha.market.features.relative import market_beta
from crowdalpha.market.features.trend import momentum, momentum_but_last_month
from crowdalpha.market.features.view import View
from crowdalpha.market.features.volatility import volatility
from crowdalpha.market.features.volume import traded_value_trend
from crowdalpha.market.groups import Groups, row_sums
from crowdalpha.market.prices import PricePanel
from crowdalpha.market.windows import median

__all__ = ["STYLES", "FactorExposures", "FactorKind", "factor_exposures", "standardize_members", "usable_styles"]

FactorKind = Literal["market", "country", "sector", "style"]
WINSOR_LIMIT = 3.0


def _size(view: View, days: int) -> FloatArray:
    return view.each(median, days, log_value)


def _log_volatility(view: View, days: int) -> FloatArray:
    level = volatility(view, days)
    positive = level > 0
    return np.where(positive, np.log(np.where(positive, level, 1.0)), np.nan)


STYLES: tuple[Feature, ...] = (
    *over((60,), "size", _size, group="style", needs=("close", "volume")),
    *over((252,), "momentum", momentum_but_last_month, group="style"),
    *over((20,), "reversal", momentum, group="style"),
    *over((60,), "volatility", _log_volatility, group="style"),
    *over((252,), "liquidity", traded_value_trend, group="style", needs=("close", "volume")),
    *over((252,), "beta", market_beta, group="style"),
)


@dataclass(frozen=True)
class FactorExposures:
    """Exposures of all eras.

    Parameters
    ----------
    names : tuple of str
        `market`, then `country:…`, `sector:…` and `style:…`.
    kinds : tuple of FactorKind
        Kind of each.
    values : ndarray of shape (n_eras, n_assets, n_factors), dtype=float64
        Ones for the market, dummies for country and sector, z-scores for styles; NaN outside the universe.
        Dummies are complete: those of countries sum to the market column, and those of sectors.
    n_missing : int
        Styles of members that could not be computed and are 0.
    """

    names: tuple[str, ...]
    kinds: tuple[FactorKind, ...]
    values: FloatArray
    n_missing: int


def factor_exposures(panel: PricePanel, raw_styles: FloatArray, *, member: BoolArray) -> FactorExposures:
    """Put the exposures of each era's assets together.

    Parameters
    ----------
    panel : PricePanel
        Countries and sectors of n_assets.
    raw_styles : ndarray of shape (n_eras, n_assets, n_styles), dtype=float64
        Values of `usable_styles(panel)`.
    member : ndarray of shape (n_eras, n_assets), dtype=bool
        Universe.

    Returns
    -------
    FactorExposures
        Market, every country and sector of the panel, and the styles.

    Notes
    -----
    Styles: `size` is the log of the median traded value of 60 days; `momentum` the log return of days 252 to 21
    before; `reversal` that of the last 20; `volatility` the log of the 60-day volatility; `liquidity` the mean
    log traded value of 20 days less that of 252 (how much more than usual, so that it does not repeat size);
    `beta` the slope on the equal-weight market over 252 days. `size` and `liquidity` are left out where a panel
    has no volume. NaN policy: a style that cannot be computed is 0, the mean, and counted.
    Cost: O(n_eras * n_assets * n_factors).
    """
    names: list[str] = ["market"]
    kinds: list[FactorKind] = ["market"]
    columns = [np.ones((len(panel.tickers), 1))]
    labels: tuple[tuple[FactorKind, Groups], ...] = (
        ("country", Groups.of(panel.country)),
        ("sector", Groups.of(panel.sector)),
    )
    for kind, groups in labels:
        columns.append(groups.dummies())
        names += [f"{kind}:{name}" for name in groups.names]
        kinds += [kind for _ in groups.names]
    styles = usable_styles(panel)
    names += [f"style:{style.name}" for style in styles]
    kinds += ["style" for _ in styles]
    values = np.empty((*member.shape, len(names)))
    n_fixed = len(names) - len(styles)
    values[:, :, :n_fixed] = np.concatenate(columns, axis=1)
    values[~member, :n_fixed] = np.nan
    for column in range(len(styles)):
        values[:, :, n_fixed + column] = standardize_members(raw_styles[:, :, column], member)
    return FactorExposures(
        names=tuple(names),
        kinds=tuple(kinds),
        values=values,
        n_missing=int(np.isnan(raw_styles[member]).sum()),
    )


def usable_styles(panel: PricePanel) -> tuple[Feature, ...]:
    """List the styles whose columns the panel has.

    Parameters
    ----------
    panel : PricePanel
        Prices.

    Returns
    -------
    tuple of Feature
        Those of `STYLES` that can be computed; without volume, all but size and liquidity.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets).
    """
    has_volume = not bool(np.isnan(panel.dollar_volume).all())
    return tuple(style for style in STYLES if has_volume or "volume" not in style.needs)


def standardize_members(raw: FloatArray, member: BoolArray) -> FloatArray:
    """Turn raw styles into z-scores within each era's universe.

    Parameters
    ----------
    raw : ndarray of shape (n_eras, n_assets), dtype=float64
        One style; NaN where it could not be computed.
    member : ndarray of shape (n_eras, n_assets), dtype=bool
        Universe.

    Returns
    -------
    ndarray of shape (n_eras, n_assets), dtype=float64
        Z-scores whose raw scores were cut at 3 deviations, scored again after the cut; 0 where `raw` is missing
        or equal for all; NaN outside the universe.

    Notes
    -----
    NaN policy: a missing style is 0. Cost: O(n_eras * n_assets).

    Examples
    --------
    >>> standardize_members(np.array([[1.0, 3.0, np.nan, 9.0]]), np.array([[True, True, True, False]]))
    array([[-1.,  1.,  0., nan]])
    """
    seen = member & ~np.isnan(raw)
    clipped = np.clip(_z_scores(raw, seen), -WINSOR_LIMIT, WINSOR_LIMIT)
    return np.where(member, _z_scores(clipped, seen), np.nan)


def _z_scores(values: FloatArray, seen: BoolArray) -> FloatArray:
    count = np.maximum(row_sums(seen.astype(np.float64)), 1.0)[:, None]
    mean = row_sums(np.where(seen, values, 0.0))[:, None] / count
    centred = np.where(seen, values - mean, 0.0)
    spread = np.sqrt(row_sums(centred**2)[:, None] / count)
    # equal values leave only rounding of their mean behind: no spread, no score
    flat = spread <= np.finfo(np.float64).eps * 8 * np.abs(mean)
    return np.where(flat, 0.0, centred / np.where(flat, 1.0, spread))
