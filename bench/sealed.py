"""The sealed track at the size of a tournament, against the time and size allowed; `equal` says that results are exact.

The peer's column is the time allowed; a row is equal only if the result is right and every file within its limit.
"""

import multiprocessing
import resource
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import lightgbm
import numpy as np
import polars as pl
from numpy.typing import NDArray

from bench.measure import Row, timed
from crowdalpha.release.sealed import (
    PROFILES,
    Expected,
    Forest,
    LinearModel,
    MomentRidge,
    Sources,
    generate_keys,
    open_era,
    open_moments,
    run_plan,
    write_era,
    write_moments,
    write_submission,
)
from crowdalpha.release.sealed.opener import decrypted

ROWS, FEATURES, TRAINED_FEATURES, TREES = 5_000, 300, 50, 1_000
TRAIN_ROWS, TRAIN_SETS = 5_000, 10
WORKERS = 2
ENCRYPT_SECONDS, LINEAR_SECONDS, FOREST_SECONDS, RIDGE_SECONDS = 30.0, 1.0, 60.0, 10.0
ERA_BYTES, SUBMISSION_BYTES, MEMORY_BYTES = 30e6, 150e3, 2 << 30
RIDGE_CORRELATION = 0.995
KIBIBYTE = 1024
Bins = NDArray[np.int8]


def frame_of(bins: Bins, target: NDArray[np.float64] | None = None) -> pl.DataFrame:
    frame = pl.DataFrame(bins, schema=names(bins.shape[1])).with_columns(
        id=pl.Series([f"row{at}" for at in range(len(bins))])
    )
    return frame if target is None else frame.with_columns(target=pl.Series(target))


def names(count: int) -> list[str]:
    return [f"feature_{at}" for at in range(count)]


def draw(rows: int, features: int, seed: int) -> tuple[Bins, NDArray[np.float64]]:
    """Features that go together, in equal bins, and a target in five bins that some of them move."""
    market = np.random.default_rng(1)
    mixing = np.linalg.qr(market.normal(size=(features, features)))[0] * market.uniform(0.3, 1.5, features)
    weights = market.normal(size=features) * (market.random(features) < 0.5)
    rng = np.random.default_rng(seed)
    raw = rng.normal(size=(rows, features)) + 0.5 * rng.normal(size=(rows, 1))
    raw += 0.5 * raw @ mixing
    order = raw.argsort(axis=0).argsort(axis=0)
    bins = (5 * order // rows).astype(np.int8)
    value = (bins - 2.0) @ weights * 0.02 + bins[:, 0] * bins[:, 1] * 0.02 + rng.normal(size=rows)
    return bins, np.digitize(value, np.quantile(value, [0.05, 0.25, 0.75, 0.95])) / 4


def row(work: str, seconds: float, allowed: float, *, right: bool, memory: float) -> Row:
    return Row(
        work=f"{work}, limit {allowed:.0f} s",
        peer_seconds=allowed,
        our_seconds=seconds,
        equal=right,
        peer_bytes=float("nan"),
        our_bytes=memory,
        wanted=1.0,
    )


def peak() -> float:
    """Memory that this process has held at most, ciphertexts included."""
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * KIBIBYTE


def linear() -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bins, _ = draw(ROWS, FEATURES, 2)
        keys, public = generate_keys(PROFILES["bfv-linear-1"])
        era, seconds = timed(
            lambda: write_era(
                keys, frame_of(bins), folder / "era", features=names(FEATURES), round_number=1, era="0001"
            )
        )
        size = era.path.stat().st_size
        encrypting = row(
            f"sealed: encrypt an era, {ROWS:,} x {FEATURES}, linear set",
            seconds, ENCRYPT_SECONDS, right=size <= ERA_BYTES and peak() <= MEMORY_BYTES, memory=peak(),
        )  # fmt: skip
        weights = np.random.default_rng(3).integers(-800, 800, FEATURES)
        plan = LinearModel(dict(zip(names(FEATURES), weights.tolist(), strict=True))).plan(
            Sources(open_era(era.path, public))
        )
        results, seconds = timed(lambda: run_plan(plan, public))
        submission = write_submission(plan, results, folder / "mine")
        exact = decrypted(keys, submission.path, Expected.of(era)) == (bins.astype(np.int64) - 2) @ weights
        running = row(
            f"sealed: linear model, {ROWS:,} x {FEATURES}", seconds, LINEAR_SECONDS,
            right=bool(exact.all()), memory=peak(),
        )  # fmt: skip
    return [encrypting, running]


def forest() -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        train, target = draw(4 * ROWS, FEATURES, 4)
        options = {"max_depth": 2, "num_leaves": 4, "learning_rate": 0.02, "colsample_bytree": 0.1, "verbose": -1}
        data = lightgbm.Dataset(train.astype(float), target, feature_name=names(FEATURES))
        model = Forest.from_lightgbm(lightgbm.train(options, data, TREES))
        bins, _ = draw(ROWS, FEATURES, 5)
        keys, public = generate_keys(PROFILES["bfv-trees-1"])
        era, seconds = timed(
            lambda: write_era(
                keys, frame_of(bins), folder / "era", features=names(FEATURES), round_number=1, era="0001"
            )
        )
        encrypting = row(
            f"sealed: encrypt an era, {ROWS:,} x {FEATURES}, trees set",
            seconds, ENCRYPT_SECONDS, right=peak() <= MEMORY_BYTES, memory=peak(),
        )  # fmt: skip
        sources = Sources(open_era(era.path, public))
        plan = model.plan(sources)
        results, seconds = timed(lambda: run_plan(plan, public, workers=WORKERS))
        submission = write_submission(plan, results, folder / "mine")
        found = decrypted(keys, submission.path, Expected.of(era))
        exact = (found == model.quantised(sources).predict(bins.astype(np.int64))).all()
        running = row(
            f"sealed: {TREES:,} trees of depth 2, {ROWS:,} x {FEATURES}, {WORKERS} processes", seconds, FOREST_SECONDS,
            right=bool(exact) and submission.path.stat().st_size <= SUBMISSION_BYTES, memory=peak(),
        )  # fmt: skip
    return [encrypting, running]


def ridge() -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        features = names(TRAINED_FEATURES)
        bins, _ = draw(ROWS, TRAINED_FEATURES, 6)
        sets = [draw(TRAIN_ROWS, TRAINED_FEATURES, 7 + at) for at in range(TRAIN_SETS)]
        keys, public = generate_keys(PROFILES["ckks-train-1"])
        write_era(keys, frame_of(bins), folder / "era", features=features, round_number=1, era="0001")
        frames = [frame_of(*each) for each in sets]
        write_moments(keys, frames, folder / "moments", features=features, target="target", round_number=1)
        sources = Sources(open_era(folder / "era", public), open_moments(folder / "moments", public))
        plan = MomentRidge().plan(sources)
        results, seconds = timed(lambda: run_plan(plan, public))
        found = decrypted(keys, write_submission(plan, results, folder / "mine").path, Expected.of(sources.era))
        x, y = np.concatenate([each - 2.0 for each, _ in sets]), np.concatenate([each - 0.5 for _, each in sets])
        gram = x.T @ x / len(x)
        top = float(np.linalg.eigvalsh(gram)[-1])
        exact = (bins - 2.0) @ np.linalg.solve(gram + 0.05 * top * np.eye(TRAINED_FEATURES), x.T @ y / len(x))
        close = np.corrcoef(found, exact.argsort().argsort())[0, 1] >= RIDGE_CORRELATION
        trained = row(
            f"sealed: ridge on encrypted moments of {len(x):,} x {TRAINED_FEATURES}, {ROWS:,} predicted",
            seconds, RIDGE_SECONDS, right=bool(close), memory=peak(),
        )  # fmt: skip
    return [trained]


def _alone(work: Callable[[], list[Row]]) -> list[Row]:
    """Run in a process of its own, so that memory is this work's alone."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work).result()


def run() -> list[Row]:
    return [each for work in (linear, forest, ridge) for each in _alone(work)]
