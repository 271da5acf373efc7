"""Tournaments on named assets: universe, submissions by ticker, coverage, limits of change, data files."""

from crowdalpha.release.named.assets import named_target_frame, named_universe, orthonormal_exposures
from crowdalpha.release.named.change import Change, measure_change, submitted_era
from crowdalpha.release.named.coverage import REASONS, CountryCoverage, Coverage, DroppedRow
from crowdalpha.release.named.errors import NamedUniverseError
from crowdalpha.release.named.files import build_named, build_named_live
from crowdalpha.release.named.names import AssetNames
from crowdalpha.release.named.published import NamedData
from crowdalpha.release.named.submission import (
    MIN_ASSETS,
    Examined,
    NamedPredictions,
    examine_named,
    read_named_predictions,
)
from crowdalpha.release.named.tickers import Match, TickerIndex
from crowdalpha.release.named.universe import NamedUniverse, read_universe

__all__ = [
    "MIN_ASSETS",
    "REASONS",
    "AssetNames",
    "Change",
    "CountryCoverage",
    "Coverage",
    "DroppedRow",
    "Examined",
    "Match",
    "NamedData",
    "NamedPredictions",
    "NamedUniverse",
    "NamedUniverseError",
    "TickerIndex",
    "build_named",
    "build_named_live",
    "examine_named",
    "measure_change",
    "named_target_frame",
    "named_universe",
    "orthonormal_exposures",
    "read_named_predictions",
    "read_universe",
    "submitted_era",
]
