"""Features of prices and volumes, one module a group."""

from crowdalpha.market.features import distribution, liquidity, relative, reversal, trend, volatility
from crowdalpha.market.features.declaration import Column, Feature, compute_features

__all__ = ["FEATURES", "Column", "Feature", "compute_features"]

FEATURES: tuple[Feature, ...] = (
    *trend.FEATURES,
    *reversal.FEATURES,
    *volatility.FEATURES,
    *distribution.FEATURES,
    *liquidity.FEATURES,
    *relative.FEATURES,
)
