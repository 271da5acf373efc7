"""Where the features of a market come from when they are asked for."""

from dataclasses import dataclass
from typing import Protocol

from crowdalpha.market.arrays import BoolArray, Float32Array, IntArray
from crowdalpha.market.features.compute import compute_features
from crowdalpha.market.features.declaration import Feature
from crowdalpha.market.fundamentals import Filings
from crowdalpha.market.prices import PricePanel

__all__ = ["ComputedFeatures", "FeatureSource", "StoredFeatures"]


class FeatureSource(Protocol):
    """Gives features of eras."""

    def block(self, first: int, last: int) -> Float32Array:
        """Give the eras from `first` up to but not with `last`: (n_eras, n_assets, n_features)."""
        ...


@dataclass(frozen=True, eq=False)
class ComputedFeatures:
    """Computes features from prices whenever they are asked for, and keeps none.

    Parameters
    ----------
    panel : PricePanel
        Prices of all days.
    features : tuple of Feature
        What to compute.
    era_rows : ndarray of shape (n_eras,), dtype=int64
        Day of each era.
    universe : ndarray of shape (n_eras, n_assets), dtype=bool
        Assets of each era.
    filings : Filings, optional
        Company reports.
    """

    panel: PricePanel
    features: tuple[Feature, ...]
    era_rows: IntArray
    universe: BoolArray
    filings: Filings | None = None

    def block(self, first: int, last: int) -> Float32Array:
        """Compute the eras from `first` up to but not with `last`."""
        eras = slice(first, last)
        return compute_features(
            self.panel,
            self.features,
            era_rows=self.era_rows[eras],
            member=self.universe[eras],
            filings=self.filings,
        )


@dataclass(frozen=True, eq=False)
class StoredFeatures:
    """Gives features that are there already, such as those of a market made by hand.

    Parameters
    ----------
    values : ndarray of shape (n_eras, n_assets, n_features), dtype=float32
        All of them.
    """

    values: Float32Array

    def block(self, first: int, last: int) -> Float32Array:
        """Give the eras from `first` up to but not with `last`."""
        return self.values[first:last]
