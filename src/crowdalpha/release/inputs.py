"""A digest of what a folder is made from, so that building it again can tell whether it is already there."""

import hashlib
import hmac
import json

import numpy as np
import polars as pl

from crowdalpha.market import Market
from crowdalpha.release.example import ExampleModel
from crowdalpha.release.frames import horizon_days, target_is_known
from crowdalpha.release.obfuscation import ReleaseKey

__all__ = ["dataset_inputs", "live_inputs"]

# Raised whenever the same inputs give other files.
LAYOUT_VERSION = 1


def dataset_inputs(market: Market, *, key: ReleaseKey, version: str, published: int, target: str) -> str:
    """Digest everything that a data set depends on, which is nothing after the day of publication."""
    end = published + 1
    digest = _start(market, key, ["dataset", version, str(published), target])
    for array in (market.era_rows[:end], market.universe[:end], market.features[:end]):
        digest.update(np.ascontiguousarray(array).tobytes())
    for name in sorted(market.targets):
        horizon = horizon_days(name)
        known = [era for era in range(end) if target_is_known(market, era=era, horizon=horizon, published=published)]
        digest.update(np.ascontiguousarray(market.targets[name][: len(known)]).tobytes())
    return digest.hexdigest()


def live_inputs(
    market: Market,
    *,
    key: ReleaseKey,
    era: int,
    round_number: int,
    example: ExampleModel,
    meta_model: pl.DataFrame | None,
) -> str:
    """Digest everything that the folder of a live round depends on."""
    digest = _start(market, key, ["live", str(era), str(round_number)])
    for array in (market.universe[era], market.features[era]):
        digest.update(np.ascontiguousarray(array).tobytes())
    digest.update(example.to_bytes())
    if meta_model is not None:
        digest.update(meta_model.write_csv().encode())
    return digest.hexdigest()


def _start(market: Market, key: ReleaseKey, facts: list[str]) -> hmac.HMAC:
    digest = hmac.new(key.digest("inputs"), digestmod=hashlib.sha256)
    groups = {name: list(features) for name, features in market.feature_groups.items()}
    names = [LAYOUT_VERSION, facts, list(market.feature_names), groups, sorted(market.targets)]
    digest.update(json.dumps([*names, list(market.panel.tickers)]).encode())
    return digest
