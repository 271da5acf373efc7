"""A1+: follow each asset through many eras, from a few eras in which somebody knows the rows.

Each feature of an asset is a hidden level that drifts back to its mean, seen through the noise of bins; a Kalman
filter a feature keeps what is known of it. An era's rows are assigned to assets by likelihood, and the filters take in
what all rows say, weighed by how likely each is the asset's: a wrong guess in one era is forgiven in later ones, which
is what makes this stronger than linking era to era.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from crowdalpha.release.audit.data import IntArray, PublicData, Published, Truth, gaussian_scores, steady_run
from crowdalpha.release.audit.errors import AttackNotPossibleError
from crowdalpha.release.audit.results import AttackResult, Tally, attack_result, ranks_of_truth

__all__ = ["SEED_ERAS", "Sighting", "run", "track"]

SEED_ERAS = 10
MAX_TRACKED = 52
REPORTED = (1, 4, 13, 52)
LONGEST_LAG = 4
LARGEST_RATE = 0.999
LEAST_NOISE = 0.05
RIDGE = 1.0
BALANCINGS = 10
Float32Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sighting:
    """Where the tracker believes its assets to be in one era.

    Parameters
    ----------
    scores : ndarray of shape (n_assets, n_rows), dtype=float32
        Log-likelihood of each row for each asset, up to a constant an asset.
    assigned : ndarray of shape (n_assets,), dtype=int64
        The row that each asset is given; -1 where there are not enough rows.
    """

    scores: Float32Array
    assigned: IntArray


@dataclass(frozen=True, slots=True)
class _Dynamics:
    """How each feature moves: rate of return to the mean, variance of the level, variance of what is seen beside it."""

    slopes: Float32Array
    rate: Float32Array
    level: Float32Array
    noise: Float32Array
    sharpness: float


def run(
    published: Published, public: PublicData | None, truth: Truth, rng: np.random.Generator, *, use_public: bool = True
) -> AttackResult:
    """Track assets for up to 52 eras, starting from ten eras with known rows.

    Parameters
    ----------
    published : Published
        The release; its longest run of eras without a gap is attacked.
    public : PublicData or None
        Needed if `use_public`.
    truth : Truth
        Rows of the ten seed eras; beyond them it only counts the hits.
    rng : numpy.random.Generator
        Breaks ties.
    use_public : bool, default=True
        Whether features are also predicted from public signals.

    Returns
    -------
    AttackResult
        Mean over the eras after the seeds, of the assets that the seeds know and the era holds. The detail has the
        success 1, 4, 13 and 52 eras after the seeds.

    Raises
    ------
    AttackNotPossibleError
        If there are fewer than eleven consecutive eras, or no public data where they are needed.

    Notes
    -----
    NaN policy: omit; a missing feature or signal is at its mean. Cost: O(eras * (rows**2 * features + rows**3)).
    """
    run_of_eras = steady_run(truth.era_index)[: SEED_ERAS + MAX_TRACKED]
    if len(run_of_eras) <= SEED_ERAS:
        raise AttackNotPossibleError(f"tracking needs {SEED_ERAS + 1} eras in a row, there are {len(run_of_eras)}")
    if use_public and public is None:
        raise AttackNotPossibleError("public prices were not given")
    published, truth = published.taken(run_of_eras), truth.taken(run_of_eras)
    assets = np.unique(np.concatenate(truth.assets[:SEED_ERAS]))
    seeds = [_places(assets, rows) for rows in truth.assets[:SEED_ERAS]]
    predictors = None
    if use_public and public is not None:
        predictors = [gaussian_scores(public.signals[era][assets]) for era in truth.era_index]
    tallies = []
    for sighting, rows in zip(track(published, seeds, predictors=predictors), truth.assets[SEED_ERAS:], strict=True):
        place = _places(rows, assets)
        here = np.flatnonzero(place >= 0)
        if len(here):
            ranks = ranks_of_truth(sighting.scores[here], place[here], rng)
            tallies.append(Tally(sighting.assigned[here] == place[here], ranks, candidates=len(rows)))
    after = {f"after_{n}_eras": float(tallies[n - 1].hits.mean()) for n in REPORTED if n <= len(tallies)}
    name = "track_public" if use_public else "track_features"
    return attack_result(name, tallies, rng=rng, detail={**after, "eras": len(tallies)})


def track(
    published: Published, seeds: Sequence[IntArray], *, predictors: Sequence[Float32Array] | None = None
) -> list[Sighting]:
    """Track assets through consecutive eras.

    Parameters
    ----------
    published : Published
        Consecutive eras.
    seeds : sequence of ndarray of shape (n_rows,), dtype=int64
        For each of the first eras, which asset (0 to n_assets - 1) each row is; -1 where unknown.
    predictors : sequence of ndarray of shape (n_assets, n_signals), dtype=float32, default=None
        Normal scores of the public signals of each era.

    Returns
    -------
    list of Sighting
        One for each era after the seeds.

    Notes
    -----
    NaN policy: omit; a missing feature is at its mean. Cost: as `run`.
    """
    n_assets = 1 + max(int(rows.max(initial=-1)) for rows in seeds)
    scores = [gaussian_scores(features) for features in published.features]
    design = predictors or [np.zeros((n_assets, 0), dtype=np.float32)] * len(scores)
    known = [_spread(each, rows, n_assets) for each, rows in zip(scores, seeds, strict=False)]
    dynamics = _fit(known, design[: len(seeds)])
    mean: Float32Array = np.zeros((n_assets, published.n_features), dtype=np.float32)
    variance: Float32Array = np.broadcast_to(dynamics.level, mean.shape).astype(np.float32)
    sightings = []
    for era, (observed, signals) in enumerate(zip(scores, design, strict=True)):
        mean = dynamics.rate * mean
        variance = dynamics.rate**2 * variance + (1 - dynamics.rate**2) * dynamics.level
        expected = signals @ dynamics.slopes + mean
        gain = variance / (variance + dynamics.noise)
        if era < len(known):
            surprise = known[era] - expected
            seen = ~np.isnan(surprise)
            mean = mean + gain * np.where(seen, surprise, 0)
            variance = variance * np.where(seen, 1 - gain, 1)
            continue
        fit = _likelihood(observed, expected, variance + dynamics.noise)
        sightings.append(Sighting(fit, _assign(fit)))
        weights = _weights(fit * dynamics.sharpness, -0.5 * dynamics.sharpness * (observed**2).sum(axis=1))
        moved, spread = _surprise(weights, observed, expected)
        mean = (mean + gain * moved).astype(np.float32)
        variance = variance * (1 - gain * weights.sum(axis=1, keepdims=True)) + gain**2 * spread
    return sightings


def _places(among: IntArray, wanted: IntArray) -> IntArray:
    """Give the place of each wanted value in an array of different values; -1 where it is not."""
    order = np.argsort(among)
    at = np.minimum(np.searchsorted(among, wanted, sorter=order), len(among) - 1)
    return np.where(among[order[at]] == wanted, order[at], -1).astype(np.int64)


def _spread(scores: Float32Array, rows: IntArray, n_assets: int) -> Float32Array:
    """Put rows at their assets; NaN for assets without a row."""
    spread = np.full((n_assets, scores.shape[1]), np.nan, dtype=np.float32)
    spread[rows[rows >= 0]] = scores[rows >= 0]
    return spread


def _fit(known: Sequence[Float32Array], design: Sequence[Float32Array]) -> _Dynamics:
    """Fit slopes on public signals, then variances and rates from the autocovariances of what they leave."""
    gram = sum(X.T @ X for X in design) + RIDGE * np.eye(design[0].shape[1], dtype=np.float32)
    cross = sum(X.T @ np.nan_to_num(Y) for X, Y in zip(design, known, strict=True))
    slopes = np.linalg.solve(gram, cross).astype(np.float32)
    left = np.stack([Y - X @ slopes for X, Y in zip(design, known, strict=True)])
    lags = min(LONGEST_LAG, len(known) - 1)
    auto = [np.nanmean(left[lag:] * left[: len(left) - lag], axis=(0, 1)) for lag in (0, 1, lags)]
    total, first, last = (np.maximum(each, 1e-6) for each in auto)
    rate = np.clip((last / first) ** (1 / max(lags - 1, 1)), 0.0, LARGEST_RATE)
    level = np.clip(first / np.maximum(rate, 1e-3), 1e-6, np.maximum(total - LEAST_NOISE * total, 1e-6))
    noise = np.maximum(total - level, LEAST_NOISE * total)
    return _Dynamics(slopes, rate, level, noise, _effective_share(left))


def _effective_share(left: Float32Array) -> float:
    """How many independent features there are, as a share of all: correlated ones must not count as many."""
    flat = np.nan_to_num(left.reshape(-1, left.shape[2]))
    covariance = flat.T @ flat / len(flat)
    spread = np.sqrt(np.maximum(np.diag(covariance), 1e-12))
    correlation = covariance / spread / spread[:, None]
    return float(len(correlation) / (correlation**2).sum())


def _likelihood(observed: Float32Array, expected: Float32Array, variance: Float32Array) -> Float32Array:
    precision = 1 / variance
    constant = (expected**2 * precision).sum(axis=1) + np.log(variance).sum(axis=1)
    fit: Float32Array = precision @ (observed**2).T - 2 * (expected * precision) @ observed.T + constant[:, None]
    return (-0.5 * fit).astype(np.float32)


def _surprise(
    weights: Float32Array, observed: Float32Array, expected: Float32Array
) -> tuple[Float32Array, Float32Array]:
    """Give mean and variance of what rows say beyond what was expected, by belief; no row says nothing."""
    mass = weights.sum(axis=1, keepdims=True)
    seen = weights @ observed
    mean = seen - mass * expected
    square = weights @ observed**2 - 2 * expected * seen + mass * expected**2
    return mean, np.maximum(square - mean**2, 0)


def _assign(fit: Float32Array) -> IntArray:
    assigned = np.full(len(fit), -1, dtype=np.int64)
    row, column = linear_sum_assignment(fit, maximize=True)
    assigned[row] = column
    return assigned


def _weights(fit: Float32Array, stranger: Float32Array) -> Float32Array:
    """Turn likelihoods into shares of belief: each row is one asset or a stranger's, each asset has one row or none."""
    top = np.maximum(fit.max(axis=0), stranger)
    weights, other = np.exp(fit - top), np.exp(stranger - top)
    for _ in range(BALANCINGS):
        total = weights.sum(axis=0) + other
        weights, other = weights / total, other / total
        weights = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1)
    balanced: Float32Array = weights.astype(np.float32)
    return balanced
