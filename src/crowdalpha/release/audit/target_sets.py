"""A4 without chains: name the rows of single eras by all their targets at once."""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.optimize import linear_sum_assignment

from crowdalpha.release.audit.data import IntArray, PublicData, Published, Truth, gaussian_scores
from crowdalpha.release.audit.errors import AttackNotPossibleError
from crowdalpha.release.audit.results import AttackResult, Tally, attack_result, ranks_of_truth

__all__ = ["run"]

MAX_ERAS = 24
PAID = "target"
PASSES = 3
TRUSTED = 0.5
"""Share of the pairs, the nearest ones, that errors are learnt from: a row drawn at random teaches nothing."""
SHRINKAGE = 0.05
Float32Array = NDArray[np.float32]


def run(published: Published, public: PublicData | None, truth: Truth, rng: np.random.Generator) -> AttackResult:
    """Match the targets of a row to the forward returns of each ticker, each era on its own.

    One target of five bins tells two bits. Two dozen of them over other horizons and against other factors tell enough
    to name a row, without a known row and without any link over time.

    Parameters
    ----------
    published : Published
        The release; its target alone where it has no others.
    public : PublicData or None
        Needed, with forward returns of the targets by name.
    truth : Truth
        It only counts the hits.
    rng : numpy.random.Generator
        Chooses at most 24 eras and breaks ties.

    Returns
    -------
    AttackResult
        Over the rows that have a target and whose asset has public returns.

    Raises
    ------
    AttackNotPossibleError
        If no era has targets and public returns, or there is no public data.

    Notes
    -----
    Rows and tickers are normal scores of their era; in three passes, rows are assigned to the tickers that are nearest
    by the covariance of the errors of the better half of the pairs. NaN policy: omit; a missing value is at its mean.
    Cost: O(eras * (rows**2 * targets + rows**3)).
    """
    if public is None:
        raise AttackNotPossibleError("public prices were not given")
    sets, names = _published(published, public)
    usable = [era for era, values in enumerate(sets) if not np.isnan(values).all()]
    tallies = []
    for era in np.sort(rng.permutation(usable)[:MAX_ERAS]).astype(np.int64):
        returns = _returns(public, names, int(truth.era_index[era]))
        tickers = np.flatnonzero(np.isfinite(returns).any(axis=1)).astype(np.int64)
        rows = np.flatnonzero(~np.isnan(sets[era]).all(axis=1)).astype(np.int64)
        _, known, column = np.intersect1d(truth.assets[era][rows], tickers, return_indices=True)
        if known.size == 0:
            continue
        fit, assigned = _match(gaussian_scores(sets[era][rows]), gaussian_scores(returns[tickers]))
        ranks = ranks_of_truth(fit[known], column.astype(np.int64), rng)
        tallies.append(Tally(assigned[known] == column, ranks, candidates=len(tickers)))
    if not tallies:
        raise AttackNotPossibleError("no era has targets and public returns")
    return attack_result("target_sets", tallies, rng=rng, detail={"eras": len(tallies), "targets": len(names)})


def _published(published: Published, public: PublicData) -> tuple[list[Float32Array], list[str]]:
    """Give the targets of each era that the attacker can compute, and their names; the paid one has none."""
    names = [name for name in published.target_names if name in public.target_returns]
    if not names:
        return [target[:, None].astype(np.float32) for target in published.targets], [PAID]
    places = [published.target_names.index(name) for name in names]
    return [values[:, places] for values in published.target_sets], names


def _returns(public: PublicData, names: list[str], era: int) -> Float32Array:
    series = [public.returns if name == PAID else public.target_returns[name] for name in names]
    returns: Float32Array = np.stack([values[era] for values in series], axis=1).astype(np.float32)
    return returns


def _match(rows: Float32Array, tickers: Float32Array) -> tuple[Float32Array, IntArray]:
    n_targets = rows.shape[1]
    covariance = np.eye(n_targets)
    for _ in range(PASSES):
        root = np.linalg.cholesky(covariance)
        seen, expected = (solve_triangular(root, each.T, lower=True).T for each in (rows, tickers))
        fit = (2 * seen @ expected.T - (expected**2).sum(axis=1)).astype(np.float32)
        row, ticker = linear_sum_assignment(fit, maximize=True)
        distance = ((seen[row] - expected[ticker]) ** 2).sum(axis=1)
        nearest = np.argsort(distance, kind="stable")[: max(int(TRUSTED * len(row)), 1)]
        errors = (rows[row] - tickers[ticker])[nearest].astype(np.float64)
        covariance = errors.T @ errors / len(errors)
        covariance += (SHRINKAGE * np.trace(covariance) / n_targets + SHRINKAGE) * np.eye(n_targets)
    assigned = np.full(len(rows), -1, dtype=np.int64)
    assigned[row] = ticker
    return fit, assigned
