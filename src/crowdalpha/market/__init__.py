"""From price files to eras: checks, point-in-time universe, factor exposures, features and targets."""

from crowdalpha.market.adapters import PriceSource
from crowdalpha.market.agreement import signal_kept, target_correlations
from crowdalpha.market.build import MIN_ASSETS, MIN_ERAS, Market, build_market, feature_sets, residual_returns
from crowdalpha.market.checks import (
    RULES,
    CheckReport,
    Finding,
    MarketDataError,
    MarketTooShortError,
    PanelShapeError,
    PriceFileError,
    UniverseFileError,
)
from crowdalpha.market.features import FEATURE_SETS, FEATURES, Feature, compute_features
from crowdalpha.market.features.source import FeatureSource, StoredFeatures
from crowdalpha.market.fundamentals import Filings, FilingsFileError, read_filings
from crowdalpha.market.inspection import Inspection, inspect_prices
from crowdalpha.market.prices import UNKNOWN_SECTOR, PricePanel, read_panel
from crowdalpha.market.returns import carried_prices, daily_returns
from crowdalpha.market.targets import FAMILIES, LAG_DAYS, PAYOUT_HORIZON_DAYS, Family, window_end
from crowdalpha.market.universe import WARM_UP_DAYS

__all__ = [
    "FAMILIES",
    "FEATURES",
    "FEATURE_SETS",
    "LAG_DAYS",
    "MIN_ASSETS",
    "MIN_ERAS",
    "PAYOUT_HORIZON_DAYS",
    "RULES",
    "UNKNOWN_SECTOR",
    "WARM_UP_DAYS",
    "CheckReport",
    "Family",
    "Feature",
    "FeatureSource",
    "Filings",
    "FilingsFileError",
    "Finding",
    "Inspection",
    "Market",
    "MarketDataError",
    "MarketTooShortError",
    "PanelShapeError",
    "PriceFileError",
    "PricePanel",
    "PriceSource",
    "StoredFeatures",
    "UniverseFileError",
    "build_market",
    "carried_prices",
    "compute_features",
    "daily_returns",
    "feature_sets",
    "inspect_prices",
    "read_filings",
    "read_panel",
    "residual_returns",
    "signal_kept",
    "target_correlations",
    "window_end",
]
