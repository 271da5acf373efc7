"""Features of prices, volumes and reports, a module for each kind."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from crowdalpha.market.checks import MarketDataError
from crowdalpha.market.features import (
    distribution,
    fundamentals,
    liquidity,
    relative,
    reversal,
    seasonality,
    trend,
    volatility,
    volume,
)
from crowdalpha.market.features.compute import compute_features
from crowdalpha.market.features.declaration import Column, Feature, Tier

__all__ = ["FEATURES", "FEATURE_SETS", "Column", "Feature", "Tier", "compute_features", "features_named"]

FEATURES: tuple[Feature, ...] = (
    *trend.FEATURES,
    *reversal.FEATURES,
    *volatility.FEATURES,
    *distribution.FEATURES,
    *liquidity.FEATURES,
    *volume.FEATURES,
    *seasonality.FEATURES,
    *relative.FEATURES,
    *fundamentals.FEATURES,
)
FEATURE_SETS: Mapping[Tier, tuple[str, ...]] = MappingProxyType(
    {
        "small": tuple(feature.name for feature in FEATURES if feature.tier == "small"),
        "medium": tuple(feature.name for feature in FEATURES if feature.tier != "all"),
        "all": tuple(feature.name for feature in FEATURES),
    }
)
"""Names by set, nested."""


def features_named(names: Sequence[str] | None) -> tuple[Feature, ...]:
    """Look features up, in the order of `FEATURES`.

    Parameters
    ----------
    names : sequence of str or None
        Which; None is all.

    Returns
    -------
    tuple of Feature
        Those of the names.

    Raises
    ------
    MarketDataError
        If there is none of a name.

    Notes
    -----
    NaN policy: refuse (there are none). Cost: O(n_features).

    Examples
    --------
    >>> [feature.window for feature in features_named(["return_5", "momentum_60"])]
    [60, 5]
    """
    if names is None:
        return FEATURES
    wanted = set(names)
    unknown = sorted(wanted - {feature.name for feature in FEATURES})
    if unknown:
        raise MarketDataError(f"there is no feature {unknown[0]!r}; see crowdalpha.market.FEATURES for the names")
    return tuple(feature for feature in FEATURES if feature.name in wanted)
