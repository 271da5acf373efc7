"""Scores against numerai-tools: string ids on its side, as its users have them, arrays on ours."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from numerai_tools import scoring as peer
from scipy import linalg

from bench.measure import FloatArray, Limit, Row, compare
from crowdalpha import scoring

N_ASSETS = 5_000
N_MODELS = 1_000
N_FEATURES = 2_000
N_ERAS = 500
N_ERA_FEATURES = 300
# What would take the peer minutes: it gets the first few.
N_LOOPED = 2
N_CORRELATED = 20
N_PEER_ERAS = 5
SEED = 20_260_101
BUCKETS = np.repeat([0.0, 0.25, 0.5, 0.75, 1.0], [250, 1000, 2500, 1000, 250])


@dataclass(frozen=True, eq=False)
class Sample:
    """One era as the peer wants it and as we want it: the same numbers."""

    predictions: pd.DataFrame
    meta_model: pd.Series
    target: pd.Series
    next_target: pd.Series
    features: pd.DataFrame
    bytes: npt.NDArray[np.int8]


def array(part: pd.DataFrame | pd.Series) -> FloatArray:
    return np.ascontiguousarray(part.to_numpy(dtype=np.float64))


def binned(rng: np.random.Generator, n_features: int) -> npt.NDArray[np.int8]:
    """Features in five bins, with common factors."""
    raw = rng.normal(size=(N_ASSETS, 10)) @ rng.normal(size=(10, n_features))
    raw += 3.0 * rng.normal(size=(N_ASSETS, n_features))
    return np.floor(5 * scoring.tie_kept_rank(raw)).astype(np.int8)


def bucketed(signal: FloatArray) -> FloatArray:
    target = np.empty(N_ASSETS)
    target[np.argsort(signal)] = BUCKETS
    return target


def sample(seed: int = SEED) -> Sample:
    """A synthetic era: models that know a little, half of them rounded into ties."""
    rng = np.random.default_rng(seed)
    ids = pd.Index([f"n{number:015x}" for number in np.sort(rng.choice(2**50, N_ASSETS, replace=False))], name="id")
    bins = binned(rng, N_FEATURES)
    signal = bins @ rng.normal(size=N_FEATURES)
    targets = [bucketed(signal / signal.std() + 10 * rng.normal(size=N_ASSETS)) for _ in range(2)]
    predictions = bins[:, :300] @ rng.normal(size=(300, N_MODELS)) + 10 * rng.normal(size=(N_ASSETS, N_MODELS))
    predictions[:, ::2] = np.round(predictions[:, ::2])
    names = [f"model_{number}" for number in range(N_MODELS)]
    return Sample(
        predictions=pd.DataFrame(predictions, index=ids, columns=names),
        meta_model=pd.Series(scoring.gaussianize(predictions).mean(axis=1), index=ids, name="meta_model"),
        target=pd.Series(targets[0], index=ids, name="target"),
        next_target=pd.Series(targets[1], index=ids, name="target"),
        features=pd.DataFrame(bins, index=ids, columns=[f"feature_{number}" for number in range(N_FEATURES)]),
        bytes=bins,
    )


def run() -> list[Row]:
    era = sample()
    return [*round_rows(era), *exposure_rows(era), *daily_rows(era), era_row()]


def round_rows(era: Sample) -> list[Row]:
    predictions, meta_model, target = array(era.predictions), array(era.meta_model), array(era.target)
    turned = np.ascontiguousarray(predictions.T)
    return [
        compare(
            f"CORR and MMC, {N_MODELS:,} models x {N_ASSETS:,} assets",
            lambda: corr_and_mmc_of_peer(era, era.target),
            lambda: corr_and_mmc(scoring.round_scores(predictions, meta_model=meta_model, target=target)),
            wanted=60,
            limit=Limit("sorting the doubles", lambda: sort_in_halves(turned)),
        ),
        compare(
            f"FNC, {N_MODELS:,} models x {N_FEATURES:,} features",
            lambda: peer.feature_neutral_corr(era.predictions, era.features, era.target).to_numpy(),
            lambda: scoring.fnc(predictions, era.bytes, target),
            wanted=12,
            limit=Limit("Gram matrix, factor and two products", lambda: least_for_fnc(era.bytes, predictions)),
        ),
    ]


def exposure_rows(era: Sample) -> list[Row]:
    predictions = array(era.predictions)
    size = f"max exposure, {N_MODELS:,} models x {N_FEATURES:,} features"
    single, singles = era.bytes.astype(np.float32), predictions.astype(np.float32)
    limit = Limit("one product in single precision", lambda: single.T @ singles)
    return [
        compare(
            f"{size}, peer's loop",
            lambda: largest_exposures_of_peer(era),
            lambda: scoring.max_feature_exposure(era.bytes, predictions),
            share=N_LOOPED / N_MODELS,
            wanted=1_000,
            limit=limit,
        ),
        compare(
            f"{size}, pandas corrwith",
            lambda: largest_exposures_of_pandas(era),
            lambda: scoring.max_feature_exposure(era.bytes, predictions),
            share=N_CORRELATED / N_MODELS,
            wanted=500,
            limit=limit,
        ),
    ]


def daily_rows(era: Sample) -> list[Row]:
    target = array(era.next_target)
    plain = scoring.prepare_round(array(era.predictions), meta_model=array(era.meta_model))
    neutral = scoring.prepare_round(array(era.predictions), features=era.bytes)
    stored = np.ones((2 * N_MODELS, N_ASSETS))
    return [
        compare(
            "CORR and MMC on the next day's target",
            lambda: corr_and_mmc_of_peer(era, era.next_target),
            lambda: corr_and_mmc(plain.score(target)),
            repeats=20,
            wanted=1_000,
            limit=Limit("one pass over the signals", lambda: stored @ target),
        ),
        compare(
            "FNC on the next day's target",
            lambda: peer.feature_neutral_corr(era.predictions, era.features, era.next_target).to_numpy(),
            lambda: neutral.score(target).fnc,
            repeats=20,
            wanted=1_000,
            limit=Limit("one pass over the signals", lambda: stored[:N_MODELS] @ target),
        ),
    ]


def era_row() -> Row:
    """One model over many eras; the features of all eras are the same bins under another order of the assets."""
    rng = np.random.default_rng(SEED)
    bins = binned(rng, N_ERA_FEATURES)
    codes = np.repeat(np.arange(N_ERAS), N_ASSETS)
    features = np.concatenate([rng.permutation(bins) for _ in range(N_ERAS)])
    prediction = rng.normal(size=len(codes)) + features[:, :20].mean(axis=1)
    target = np.concatenate(
        [bucketed(part + 20 * rng.normal(size=N_ASSETS)) for part in prediction.reshape(N_ERAS, N_ASSETS)]
    )
    meta_model = prediction + rng.normal(size=len(codes))
    ids = pd.Index([f"n{number:015x}" for number in range(N_PEER_ERAS * N_ASSETS)], name="id")
    kept = slice(0, N_PEER_ERAS * N_ASSETS)
    frame = pd.DataFrame({"model": prediction[kept], "meta": meta_model[kept], "target": target[kept]}, index=ids)
    names = [f"feature_{number}" for number in range(N_ERA_FEATURES)]
    columns = pd.DataFrame(features[kept], index=ids, columns=names)
    single = [features[first : first + N_ASSETS].astype(np.float32) for first in range(0, len(ids), N_ASSETS)]
    return compare(
        f"CORR, MMC, FNC, exposures of one model, {N_ERAS} eras x {N_ASSETS:,} x {N_ERA_FEATURES} features",
        lambda: era_scores_of_peer(frame, columns),
        lambda: era_scores(prediction, codes, target, meta_model, features),
        repeats=3,
        share=N_PEER_ERAS / N_ERAS,
        wanted=60,
        limit=Limit(
            "the Gram matrices", lambda: [part.T @ part for _ in range(N_ERAS // N_PEER_ERAS) for part in single]
        ),
    )


def corr_and_mmc(scores: scoring.RoundScores) -> FloatArray:
    return np.concatenate([scores.corr, scores.mmc])


def corr_and_mmc_of_peer(era: Sample, target: pd.Series) -> FloatArray:
    corr = peer.numerai_corr(era.predictions, target)
    mmc = peer.correlation_contribution(era.predictions, era.meta_model, target)
    return np.concatenate([corr.to_numpy(), mmc.to_numpy()])


def era_scores(
    prediction: FloatArray,
    codes: npt.NDArray[np.int64],
    target: FloatArray,
    meta_model: FloatArray,
    features: npt.NDArray[np.int8],
) -> FloatArray:
    found = scoring.era_scores(prediction[:, None], codes, target=target, meta_model=meta_model, features=features)
    return np.concatenate([found.corr, found.mmc, found.fnc, found.max_exposure], axis=1).ravel()


def era_scores_of_peer(frame: pd.DataFrame, features: pd.DataFrame) -> FloatArray:
    scores = []
    for first in range(0, len(frame), N_ASSETS):
        part, columns = frame.iloc[first : first + N_ASSETS], features.iloc[first : first + N_ASSETS]
        model = part[["model"]]
        scores += [
            peer.numerai_corr(model, part["target"]).iloc[0],
            peer.correlation_contribution(model, part["meta"], part["target"]).iloc[0],
            peer.feature_neutral_corr(model, columns, part["target"]).iloc[0],
            peer.max_feature_correlation(part["model"], columns)[1],
        ]
    return np.array(scores)


def largest_exposures_of_peer(era: Sample) -> FloatArray:
    columns = [era.predictions.iloc[:, number] for number in range(N_LOOPED)]
    return np.array([peer.max_feature_correlation(column, era.features)[1] for column in columns])


def largest_exposures_of_pandas(era: Sample) -> FloatArray:
    columns = [era.predictions.iloc[:, number] for number in range(N_CORRELATED)]
    return np.array([era.features.corrwith(column).abs().max() for column in columns])


def sort_in_halves(rows: FloatArray) -> None:
    """Sort both halves of the rows at once, as our kernels do."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(np.sort, np.array_split(rows, 2)))


def least_for_fnc(features: npt.NDArray[np.int8], predictions: FloatArray) -> FloatArray:
    """Do what no exact FNC can do without, with nothing in between."""
    single, columns = features.astype(np.float32), features.astype(np.float64)
    gram = (single.T @ single).astype(np.float64)
    factor = linalg.cholesky(gram + np.eye(len(gram)), lower=True, overwrite_a=True, check_finite=False)
    weights = linalg.cho_solve((factor, True), columns.T @ predictions, overwrite_b=True, check_finite=False)
    fitted: FloatArray = columns @ weights
    return fitted
