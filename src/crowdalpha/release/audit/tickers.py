"""A3: name the rows of single eras from public signals, after learning from a few eras with known rows."""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.optimize import linear_sum_assignment

from crowdalpha.release.audit.data import IntArray, PublicData, Published, Truth, gaussian_scores
from crowdalpha.release.audit.errors import AttackNotPossibleError
from crowdalpha.release.audit.results import AttackResult, Tally, attack_result, ranks_of_truth

__all__ = ["run"]

SEED_ERAS = 10
MAX_ERAS = 24
RIDGE = 1.0
SHRINKAGE = 0.02
Float32Array = NDArray[np.float32]


def run(published: Published, public: PublicData | None, truth: Truth, rng: np.random.Generator) -> AttackResult:
    """Match rows to tickers, each era on its own.

    Parameters
    ----------
    published : Published
        The release.
    public : PublicData or None
        Needed.
    truth : Truth
        Rows of the first ten eras; beyond them it only counts the hits.
    rng : numpy.random.Generator
        Chooses at most 24 eras and breaks ties.

    Returns
    -------
    AttackResult
        Over the rows whose asset has public signals; candidates are all assets that have signals in the week.

    Raises
    ------
    AttackNotPossibleError
        If there are fewer than eleven eras, or no public data.

    Notes
    -----
    Ridge regression of the published features on the public signals in the seed eras; elsewhere, rows go to the
    tickers whose predicted features are nearest, by the covariance of the errors. NaN policy: omit; a missing value is
    at its mean. Cost: O(eras * (rows**2 * features + rows**3)).
    """
    if public is None:
        raise AttackNotPossibleError("public prices were not given")
    n_eras = len(published.eras)
    if n_eras <= SEED_ERAS:
        raise AttackNotPossibleError(f"naming rows needs {SEED_ERAS + 1} eras, there are {n_eras}")
    slopes, root = _learn(published, public, truth)
    tallies = []
    for era in SEED_ERAS + np.sort(rng.permutation(n_eras - SEED_ERAS)[:MAX_ERAS]):
        signals, names = _signals(public, int(truth.era_index[era]))
        rows, column = _named(truth.assets[era], names)
        if rows.size == 0:
            continue
        seen, expected = (_whiten(root, each) for each in (gaussian_scores(published.features[era]), signals @ slopes))
        fit = 2 * seen @ expected.T - (expected**2).sum(axis=1)
        assigned = np.full(len(fit), -1, dtype=np.int64)
        matched, ticker = linear_sum_assignment(fit, maximize=True)
        assigned[matched] = ticker
        tallies.append(Tally(assigned[rows] == column, ranks_of_truth(fit[rows], column, rng), candidates=len(names)))
    if not tallies:
        raise AttackNotPossibleError("no row's asset has public signals")
    return attack_result("tickers", tallies, rng=rng, detail={"eras": len(tallies), "seed_eras": SEED_ERAS})


def _learn(published: Published, public: PublicData, truth: Truth) -> tuple[Float32Array, Float32Array]:
    """Fit slopes, and the triangular root of the covariance of what they leave."""
    design, target = [], []
    for era in range(SEED_ERAS):
        signals, names = _signals(public, int(truth.era_index[era]))
        rows, column = _named(truth.assets[era], names)
        design.append(signals[column])
        target.append(gaussian_scores(published.features[era])[rows])
    X, Y = np.concatenate(design), np.concatenate(target)
    if len(X) == 0:
        raise AttackNotPossibleError("no row of the seed eras has public signals")
    slopes = np.linalg.solve(X.T @ X + RIDGE * np.eye(X.shape[1], dtype=np.float32), X.T @ Y)
    left = Y - X @ slopes
    covariance = left.T @ left / len(left)
    floor = SHRINKAGE * np.trace(covariance) / len(covariance) + SHRINKAGE
    root = np.linalg.cholesky(covariance.astype(np.float64) + floor * np.eye(len(covariance)))
    return slopes.astype(np.float32), root.astype(np.float32)


def _signals(public: PublicData, era: int) -> tuple[Float32Array, IntArray]:
    names = public.known(era)
    return gaussian_scores(public.signals[era][names]), names


def _named(assets: IntArray, names: IntArray) -> tuple[IntArray, IntArray]:
    """Give the rows whose asset is among the names, and where it is there."""
    _, rows, column = np.intersect1d(assets, names, return_indices=True)
    return rows.astype(np.int64), column.astype(np.int64)


def _whiten(root: Float32Array, values: Float32Array) -> Float32Array:
    return np.asarray(solve_triangular(root, values.T, lower=True).T, dtype=np.float32)
