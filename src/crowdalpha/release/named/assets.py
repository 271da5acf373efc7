"""From a market to what a named round needs of it: universe, weights, exposures, targets by name."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crowdalpha.market import Market, PricePanel
from crowdalpha.market.targets import factor_basis
from crowdalpha.release.errors import ReleaseError
from crowdalpha.release.named.names import AssetNames
from crowdalpha.release.named.universe import NEUTRALIZER, WEIGHT, NamedUniverse
from crowdalpha.release.obfuscation import bin_target, era_label

__all__ = ["live_exposures", "named_target_frame", "named_universe", "orthonormal_exposures", "sample_weights"]

FloatArray = NDArray[np.float64]

VALUE_DAYS = 60
LARGEST_WEIGHT = 4.0
"""Weights lie between a quarter of and four times the middle one."""
RECENT_DAYS = 20
"""A known asset that did not trade on any of so many last days is delisted."""


def sample_weights(panel: PricePanel, row: int, live: NDArray[np.intp]) -> FloatArray:
    """Tell how much of each asset can be held: the root of what is traded of it, within bounds.

    Parameters
    ----------
    panel : PricePanel
        Traded values.
    row : int
        Day; later ones are not read.
    live : ndarray of shape (n_live,), dtype=intp
        Assets.

    Returns
    -------
    ndarray of shape (n_live,), dtype=float64
        Mean 1. The root of the median traded value of 60 days, cut at a quarter of and four times its own median; an
        asset without traded values counts as the smallest. All 1 where the panel has no volume.

    Notes
    -----
    NaN policy: omit. Cost: O(n_live).
    """
    value = panel.dollar_volume[max(0, row + 1 - VALUE_DAYS) : row + 1, live]
    seen = ~np.isnan(value).all(axis=0)
    if not seen.any():
        return np.ones(len(live))
    root = np.zeros(len(live))
    root[seen] = np.sqrt(np.nanmedian(value[:, seen], axis=0))
    middle = float(np.median(root[seen]))
    if middle == 0:
        return np.ones(len(live))
    cut = np.clip(root, middle / LARGEST_WEIGHT, middle * LARGEST_WEIGHT)
    weights: FloatArray = cut / cut.mean()
    return weights


def orthonormal_exposures(exposures: FloatArray, weights: FloatArray) -> FloatArray:
    """Turn factor exposures into neutralizers N that span the same and have N' diag(v) N = I.

    Parameters
    ----------
    exposures : ndarray of shape (n_assets, n_factors), dtype=float64
        Finite; collinear columns are allowed.
    weights : ndarray of shape (n_assets,), dtype=float64
        v, above zero.

    Returns
    -------
    ndarray of shape (n_assets, rank), dtype=float64
        Neutralizers; weights made with them have no exposure to any factor.

    Notes
    -----
    NaN policy: refuse. Cost: O(n_assets * n_factors**2).

    Examples
    --------
    >>> weights = np.array([1.0, 4.0])
    >>> columns = orthonormal_exposures(np.array([[1.0, 2.0], [1.0, 2.0]]), weights)
    >>> (columns.T @ (weights[:, None] * columns)).round(12)
    array([[1.]])
    """
    roots = np.sqrt(weights)[:, None]
    # factors that are nearly collinear leave a basis that is not orthonormal to the last digits
    basis, _ = np.linalg.qr(factor_basis(exposures * roots))
    neutralizers: FloatArray = basis / roots
    return neutralizers


def live_exposures(market: Market, era: int, assets: NDArray[np.intp]) -> tuple[FloatArray, FloatArray]:
    """Give the sample weights and the neutralizers of assets in an era.

    Parameters
    ----------
    market : Market
        Traded values and factor exposures.
    era : int
        Position of the era.
    assets : ndarray of shape (n_rows,), dtype=intp
        Members of the era, in any order.

    Returns
    -------
    tuple of (ndarray of shape (n_rows,), ndarray of shape (n_rows, rank)), dtype=float64
        As `sample_weights` and `orthonormal_exposures` give them.

    Notes
    -----
    NaN policy: refuse. Cost: O(n_rows * n_factors**2).
    """
    weights = sample_weights(market.panel, int(market.era_rows[era]), assets)
    return weights, orthonormal_exposures(market.factor_exposures[era][assets], weights)


def named_universe(market: Market, *, era: int, names: AssetNames) -> NamedUniverse:
    """Put the universe of a named round together, from what was known on its day.

    Parameters
    ----------
    market : Market
        Prices, members and factor exposures.
    era : int
        Position of the era, from 0.
    names : AssetNames
        What the assets are called.

    Returns
    -------
    NamedUniverse
        Live are the members of the era; outside are other assets that traded in the last 20 days, delisted those that
        did before. Assets without any price so far are not there.

    Raises
    ------
    ReleaseError
        If there is no such era, two assets have one name on its day, or it has no more assets than factors.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets).
    """
    if not 0 <= era < market.n_eras:
        raise ReleaseError(f"the market has no era {era}; its eras are 0 to {market.n_eras - 1}")
    row = int(market.era_rows[era])
    traded = ~np.isnan(market.panel.close[: row + 1])
    member = market.universe[era]
    recent = traded[-RECENT_DAYS:].any(axis=0)
    status = np.select([member, recent], ["live", "outside"], "delisted")
    live = np.flatnonzero(member)
    weights, neutralizers = live_exposures(market, era, live)
    if neutralizers.shape[1] >= len(live):
        raise ReleaseError(
            f"era {era_label(era)} has {len(live)} assets and {neutralizers.shape[1]} factors; nothing would be left "
            "after neutralization: use a larger market or fewer factors"
        )
    named = names.on(market.panel, market.panel.dates[row]).with_columns(status=pl.Series(status, dtype=pl.String))
    columns = _spread(np.column_stack([weights, neutralizers]), live, len(member))
    labels = [WEIGHT, *(f"{NEUTRALIZER}{factor}" for factor in range(neutralizers.shape[1]))]
    numbers = pl.DataFrame(dict(zip(labels, columns.T, strict=True)), nan_to_null=True)
    frame = named.hstack(numbers).filter(pl.Series(traded.any(axis=0)))
    return NamedUniverse.of(frame, name=f"universe of era {era_label(era)}")


def named_target_frame(market: Market, *, era: int, names: AssetNames, values: FloatArray) -> pl.DataFrame:
    """Bin a target and give it under the names of the era: what a named round is scored on.

    Parameters
    ----------
    market : Market
        Members of the era.
    era : int
        Position of the era.
    names : AssetNames
        What the assets are called.
    values : ndarray of shape (n_assets,), dtype=float64
        Residual returns of all assets of the market, as `residual_returns` gives them.

    Returns
    -------
    DataFrame
        `id` and `target` (0, .25, .5, .75, 1; null where the return is unknown), one row a live asset, by id.

    Raises
    ------
    ReleaseError
        If there is no such era, or not one value an asset.

    Notes
    -----
    NaN policy: propagate, as null. Cost: O(n_assets log n_assets).
    """
    if not 0 <= era < market.n_eras or values.shape != (len(market.panel.tickers),):
        raise ReleaseError(
            f"era {era} with values of shape {values.shape}; the market has eras 0 to {market.n_eras - 1} "
            f"and {len(market.panel.tickers)} assets"
        )
    member = market.universe[era]
    day = market.panel.dates[int(market.era_rows[era])]
    ids = names.on(market.panel, day)[names.key].filter(pl.Series(member))
    target = pl.Series(bin_target(values[member]), dtype=pl.Float64, nan_to_null=True)
    return pl.DataFrame({"id": ids, "target": target}).sort("id")


def _spread(values: FloatArray, rows: NDArray[np.intp], n_rows: int) -> FloatArray:
    """Put values of some rows in their places among all; NaN elsewhere."""
    spread = np.full((n_rows, values.shape[1]), np.nan)
    spread[rows] = values
    return spread
