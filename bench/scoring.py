"""Scores of one era against numerai-tools: string ids on its side, as its users have them, arrays on ours."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numerai_tools import scoring as peer

from bench.measure import FloatArray, Row, compare
from crowdalpha import scoring

N_ASSETS = 5_000
N_MODELS = 1_000
N_NEUTRALIZED = 200
N_FEATURES = 300
# The peer's loop over features takes minutes for all models: it gets the first few.
N_LOOPED = 4
SEED = 20_260_101
BUCKETS = np.repeat([0.0, 0.25, 0.5, 0.75, 1.0], [250, 1000, 2500, 1000, 250])


@dataclass(frozen=True, eq=False)
class Sample:
    """One era as the peer wants it and as we want it: the same numbers."""

    predictions: pd.DataFrame
    meta_model: pd.Series
    target: pd.Series
    features: pd.DataFrame


def array(part: pd.DataFrame | pd.Series) -> FloatArray:
    return np.ascontiguousarray(part.to_numpy(dtype=np.float64))


def sample(seed: int = SEED) -> Sample:
    """A synthetic era: bins with common factors, models that know a little, half of them rounded into ties."""
    rng = np.random.default_rng(seed)
    ids = pd.Index([f"n{number:015x}" for number in np.sort(rng.choice(2**50, N_ASSETS, replace=False))], name="id")
    factors = rng.normal(size=(N_ASSETS, 10))
    raw = factors @ rng.normal(size=(10, N_FEATURES)) + 3.0 * rng.normal(size=(N_ASSETS, N_FEATURES))
    bins = np.floor(5 * scoring.tie_kept_rank(raw))
    signal = bins @ rng.normal(size=N_FEATURES)
    target = np.empty(N_ASSETS)
    target[np.argsort(signal / signal.std() + 10 * rng.normal(size=N_ASSETS))] = BUCKETS
    predictions = bins @ rng.normal(size=(N_FEATURES, N_MODELS)) + 10 * rng.normal(size=(N_ASSETS, N_MODELS))
    predictions[:, ::2] = np.round(predictions[:, ::2])
    names = [f"model_{number}" for number in range(N_MODELS)]
    return Sample(
        predictions=pd.DataFrame(predictions, index=ids, columns=names),
        meta_model=pd.Series(scoring.gaussianize(predictions).mean(axis=1), index=ids, name="meta_model"),
        target=pd.Series(target, index=ids, name="target"),
        features=pd.DataFrame(bins, index=ids, columns=[f"feature_{number}" for number in range(N_FEATURES)]),
    )


def run() -> list[Row]:
    era = sample()
    predictions, meta_model = array(era.predictions), array(era.meta_model)
    target, features = array(era.target), array(era.features)
    some = era.predictions.iloc[:, :N_NEUTRALIZED]
    some_array = np.ascontiguousarray(predictions[:, :N_NEUTRALIZED])
    size = f"{N_MODELS:,} models x {N_ASSETS:,} assets"
    return [
        compare(
            f"CORR, {size}",
            lambda: peer.numerai_corr(era.predictions, era.target).to_numpy(),
            lambda: scoring.corr(predictions, target),
        ),
        compare(
            f"MMC, {size}",
            lambda: peer.correlation_contribution(era.predictions, era.meta_model, era.target).to_numpy(),
            lambda: scoring.mmc(predictions, meta_model, target),
        ),
        compare(
            f"FNC, {N_NEUTRALIZED} models x {N_FEATURES} features",
            lambda: peer.feature_neutral_corr(some, era.features, era.target).to_numpy(),
            lambda: scoring.fnc(some_array, features, target),
        ),
        compare(
            f"max exposure, {N_MODELS:,} models x {N_FEATURES} features",
            lambda: largest_exposures_of_peer(era),
            lambda: scoring.max_feature_exposure(features, predictions),
            share=N_LOOPED / N_MODELS,
        ),
    ]


def largest_exposures_of_peer(era: Sample) -> FloatArray:
    columns = [era.predictions.iloc[:, number] for number in range(N_LOOPED)]
    return np.array([peer.max_feature_correlation(column, era.features)[1] for column in columns])
