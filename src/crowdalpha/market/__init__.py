"""From price files to eras: checks, point-in-time universe, factor exposures, features and targets."""

from crowdalpha.market.build import MIN_ASSETS, MIN_ERAS, Market, build_market, residual_returns
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
from crowdalpha.market.features import FEATURES, Feature
from crowdalpha.market.prices import UNKNOWN_SECTOR, PricePanel, read_panel
from crowdalpha.market.returns import carried_prices, daily_returns
from crowdalpha.market.targets import LAG_DAYS, PAYOUT_HORIZON_DAYS, Family, window_end
from crowdalpha.market.universe import WARM_UP_DAYS

__all__ = [
    "FEATURES",
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
    "Finding",
    "Market",
    "MarketDataError",
    "MarketTooShortError",
    "PanelShapeError",
    "PriceFileError",
    "PricePanel",
    "UniverseFileError",
    "build_market",
    "carried_prices",
    "daily_returns",
    "read_panel",
    "residual_returns",
    "window_end",
]
