"""What is noted when a market is built: features and sectors that are not there."""

from collections.abc import Iterable
from itertools import count

import numpy as np

from crowdalpha.market.arrays import BoolArray, Float32Array, IntArray
from crowdalpha.market.checks import Finding
from crowdalpha.market.features.declaration import Column, Feature
from crowdalpha.market.features.years import same_days
from crowdalpha.market.fundamentals import Filings
from crowdalpha.market.groups import Groups
from crowdalpha.market.prices import PricePanel

__all__ = ["note_empty_features", "note_empty_sectors", "usable_features"]


def usable_features(
    panel: PricePanel, features: Iterable[Feature], *, filings: Filings | None
) -> tuple[tuple[Feature, ...], Finding | None]:
    """Leave out the features that need what is not there.

    Parameters
    ----------
    panel : PricePanel
        Prices.
    features : iterable of Feature
        What is wanted.
    filings : Filings, optional
        Company reports.

    Returns
    -------
    features : tuple of Feature
        Those whose needs are met, in order.
    finding : Finding or None
        How many were left out, the first with what it needs.

    Notes
    -----
    NaN policy: a column without a value counts as not there. A feature that not even the last day has enough years
    for is left out; where the panel grows past that, an earlier version of a data set must go on without it. Cost:
    O(n_days * n_assets).
    """
    prices: tuple[Column, ...] = ("open", "high", "low", "volume")
    missing = {column for column in prices if bool(np.isnan(getattr(panel, column)).all())}
    missing |= {"sectors"} if len(Groups.of(panel.sector).names) < 2 else set()  # noqa: PLR2004  # two to compare
    missing |= {"countries"} if len(Groups.of(panel.country).names) < 2 else set()  # noqa: PLR2004  # two to compare
    missing |= {"filings"} if filings is None else set()
    wanted = tuple(features)
    last = np.array([len(panel.dates) - 1])
    longest = next(years for years in count() if same_days(panel.dates, last, years=years + 1)[0] < 0)
    left_out = [feature for feature in wanted if missing & set(feature.needs) or feature.years > longest]
    if not left_out:
        return wanted, None
    first = left_out[0]
    lacks = next((need for need in first.needs if need in missing), f"{first.years} years of prices")
    finding = Finding.of("feature_unusable", len(left_out), f"{first.name} needs {lacks}")
    return tuple(feature for feature in wanted if feature not in left_out), finding


def note_empty_features(features: tuple[Feature, ...], probes: Iterable[Float32Array]) -> Finding | None:
    """Count the features without any value.

    Parameters
    ----------
    features : tuple of Feature
        In the order of the last axis of the probes.
    probes : iterable of ndarray of shape (1, n_assets, n_features), dtype=float32
        Values of some eras.

    Returns
    -------
    Finding or None
        How many there are, and the first.

    Notes
    -----
    NaN policy: omit. Cost: O(n_assets * n_features) a probe.
    """
    empty = np.ones(len(features), dtype=np.bool_)
    for probe in probes:
        empty &= np.isnan(probe).all(axis=(0, 1))
    if not empty.any():
        return None
    return Finding.of("feature_empty", int(empty.sum()), features[int(empty.argmax())].name)


def note_empty_sectors(panel: PricePanel, era_rows: IntArray, universe: BoolArray) -> Finding | None:
    """Count the eras in which a sector that had members before has none.

    Parameters
    ----------
    panel : PricePanel
        Sectors and days.
    era_rows : ndarray of shape (n_eras,), dtype=int64
        Day of each era.
    universe : ndarray of shape (n_eras, n_assets), dtype=bool
        Members.

    Returns
    -------
    Finding or None
        How many pairs of era and sector there are, and the first.

    Notes
    -----
    NaN policy: refuse (there are none). Cost: O(n_eras * n_assets).
    """
    sectors = Groups.of(panel.sector)
    filled = sectors.sums(universe.astype(np.float64)) > 0
    vanished = np.logical_or.accumulate(filled, axis=0) & ~filled
    if not vanished.any():
        return None
    era, sector = np.argwhere(vanished)[0]
    return Finding.of("sector_empty", int(vanished.sum()), f"{sectors.names[sector]} on {panel.dates[era_rows[era]]}")
