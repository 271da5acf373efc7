"""A5: tell which published feature is which public signal, from how pairs of them correlate over time."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from crowdalpha.release.audit.data import FloatArray, PublicData, Published, Truth, gaussian_scores, steady_run
from crowdalpha.release.audit.errors import AttackNotPossibleError
from crowdalpha.release.audit.pairs import chosen_pairs, high_pass, pair_series, standard
from crowdalpha.release.audit.results import AttackResult, Tally, attack_result, ranks_of_truth

__all__ = ["run"]

FEWEST_ERAS = 13
MAX_ERAS = 300
MAX_PUBLIC_PAIRS = 1200
PAIRS_AT_ONCE = 4000
Float32Array = NDArray[np.float32]


def run(published: Published, public: PublicData | None, truth: Truth, rng: np.random.Generator) -> AttackResult:
    """Name features whose dates are known, without any known row.

    Parameters
    ----------
    published : Published
        The release; its longest run of eras without a gap is attacked, 300 eras at most.
    public : PublicData or None
        Needed.
    truth : Truth
        Its `era_index` is taken as known (see A2); `signals` counts the hits.
    rng : numpy.random.Generator
        Chooses pairs and breaks ties.

    Returns
    -------
    AttackResult
        A guess a published feature that is a public signal; candidates are all published features. If there is no such
        feature, all figures are 0. The interval is a bootstrap over features.

    Raises
    ------
    AttackNotPossibleError
        If there are fewer than 13 eras in a row, fewer than two features or signals, or no public data.

    Notes
    -----
    Each pair of public signals looks for the published pair that moves with it and gives its votes, the square of the
    correlation, to the four combinations; the names are the assignment with the most votes.
    NaN policy: omit. Cost: O(eras * published pairs * public pairs).
    """
    if public is None:
        raise AttackNotPossibleError("public prices were not given")
    run_of_eras = steady_run(truth.era_index)[:MAX_ERAS]
    if len(run_of_eras) < FEWEST_ERAS or min(published.n_features, len(public.names)) < 2:  # noqa: PLR2004  # a pair
        raise AttackNotPossibleError(f"naming features needs {FEWEST_ERAS} eras in a row and two features and signals")
    features = np.flatnonzero(truth.signals >= 0)
    if features.size == 0:
        return AttackResult("names", 0, 0, 0, 0, 0, 0, 0, 0, {"public_features": 0})
    weeks = truth.era_index[run_of_eras]
    our_pairs = chosen_pairs(len(public.names), limit=MAX_PUBLIC_PAIRS, rng=rng)
    ours = pair_series([gaussian_scores(public.signals[era][public.known(int(era))]) for era in weeks], our_pairs)
    their_pairs = chosen_pairs(published.n_features, limit=published.n_features**2, rng=rng)
    theirs = pair_series([gaussian_scores(published.features[era]) for era in run_of_eras], their_pairs)
    fit, best = _best_fits(standard(high_pass(ours)), standard(high_pass(theirs)))
    votes = np.zeros((published.n_features, len(public.names)))
    for their in their_pairs[:, best]:
        for our in our_pairs:
            np.add.at(votes, (their, our), fit**2)
    return _counted(votes, truth, rng)


def _best_fits(ours: Float32Array, theirs: Float32Array) -> tuple[FloatArray, NDArray[np.int64]]:
    """Find for each public pair the published pair that moves most alike, a few thousand at a time."""
    fit = np.zeros(ours.shape[1])
    best = np.zeros(ours.shape[1], dtype=np.int64)
    for start in range(0, theirs.shape[1], PAIRS_AT_ONCE):
        likeness = np.abs(theirs[:, start : start + PAIRS_AT_ONCE].T @ ours)
        top = likeness.argmax(axis=0)
        value = likeness[top, np.arange(len(top))]
        better = value > fit
        fit[better], best[better] = value[better], start + top[better]
    return fit, best


def _counted(votes: FloatArray, truth: Truth, rng: np.random.Generator) -> AttackResult:
    features = np.flatnonzero(truth.signals >= 0)
    signals = truth.signals[features]
    named = np.full(votes.shape[1], -1, dtype=np.int64)
    feature, signal = linear_sum_assignment(votes, maximize=True)
    named[signal] = feature
    ranks = ranks_of_truth(votes.T[signals], features.astype(np.int64), rng)
    tally = Tally(named[signals] == features, ranks, candidates=len(votes))
    detail = {"public_features": len(features), "named": int(tally.hits.sum())}
    return attack_result("names", [tally], rng=rng, detail=detail)
