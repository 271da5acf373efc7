"""A2: find the weeks of the eras by how features correlate with each other, against the same from public prices."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from crowdalpha.release.audit.data import IntArray, PublicData, Published, Truth, gaussian_scores, steady_run
from crowdalpha.release.audit.errors import AttackNotPossibleError
from crowdalpha.release.audit.pairs import chosen_pairs, high_pass, pair_series, standard
from crowdalpha.release.audit.results import AttackResult, Tally, attack_result, ranks_of_truth

__all__ = ["run", "run_shuffled"]

WINDOW = 104
FEWEST_ERAS = 13
FEWEST_OFFSETS = 10
MAX_WINDOWS = 4
MAX_PUBLISHED_PAIRS = 2000
MAX_PUBLIC_PAIRS = 300
MAX_SHUFFLED = 200
NEAREST = 10
Float32Array = NDArray[np.float32]


def run(published: Published, public: PublicData | None, truth: Truth, rng: np.random.Generator) -> AttackResult:
    """Align windows of eras with the weeks of the public data, at every possible offset.

    Parameters
    ----------
    published : Published
        The release; its longest run of eras without a gap is attacked.
    public : PublicData or None
        Needed; more weeks than a window has.
    truth : Truth
        Tells the true offset.
    rng : numpy.random.Generator
        Chooses pairs of features and breaks ties.

    Returns
    -------
    AttackResult
        A guess a window of 104 eras (or of all, if there are fewer), four windows at most. The detail has `z`, by how
        many deviations the true offset stands out from all others.

    Raises
    ------
    AttackNotPossibleError
        If there are fewer than 13 eras in a row or fewer than 10 offsets, or no public data.

    Notes
    -----
    The correlation of two features over the assets of a week moves from week to week. For each pair of public signals,
    the published pair whose movements fit best is looked for; the score of an offset is the mean of these best fits.
    NaN policy: omit; a missing value is at its mean. Cost: O(windows * offsets * window * published pairs * public
    pairs), with at most 2,000 and 300 pairs.
    """
    if public is None:
        raise AttackNotPossibleError("public prices were not given")
    run_of_eras = steady_run(truth.era_index)
    length = min(WINDOW, len(run_of_eras))
    n_offsets = len(public.signals) - length + 1
    if length < FEWEST_ERAS or n_offsets < FEWEST_OFFSETS:
        raise AttackNotPossibleError(
            f"dating needs {FEWEST_ERAS} eras in a row and public prices of {FEWEST_OFFSETS} weeks more than a window; "
            f"there are {len(run_of_eras)} eras and {len(public.signals)} weeks"
        )
    theirs = _published_moves(published, run_of_eras, rng)
    ours = _public_moves(public, rng)
    scores, offsets = [], []
    for start in _starts(len(run_of_eras), length):
        scores.append(_offset_scores(theirs[start : start + length], ours))
        offsets.append(int(truth.era_index[run_of_eras[start]]))
    every, true = np.stack(scores), np.array(offsets, dtype=np.int64)
    ranks = ranks_of_truth(every, true, rng)
    tallies = [Tally(np.array([rank == 1]), np.array([rank]), candidates=n_offsets) for rank in ranks]
    detail = {"z": float(_z_scores(every, true).mean()), "offsets": n_offsets, "eras": length}
    return attack_result("calendar", tallies, rng=rng, detail=detail)


def run_shuffled(
    published: Published, public: PublicData | None, truth: Truth, rng: np.random.Generator
) -> AttackResult:
    """Put eras back in order that have no labels: guess a neighbour in time of each, from the release alone.

    Parameters
    ----------
    published : Published
        The release; its longest run of eras without a gap is attacked, 200 eras at most.
    public : PublicData or None
        Not used.
    truth : Truth
        Tells the order.
    rng : numpy.random.Generator
        Chooses pairs of features and breaks ties.

    Returns
    -------
    AttackResult
        A guess an era; right if the era with the most similar correlations is the one before or after.

    Raises
    ------
    AttackNotPossibleError
        If there are fewer than 13 eras in a row.

    Notes
    -----
    NaN policy: omit. Cost: O(eras * features**2 * rows + eras**2 * pairs).
    """
    _ = public
    run_of_eras = steady_run(truth.era_index)[:MAX_SHUFFLED]
    n_eras = len(run_of_eras)
    if n_eras < FEWEST_ERAS:
        raise AttackNotPossibleError(f"ordering needs {FEWEST_ERAS} eras in a row, there are {n_eras}")
    pairs = chosen_pairs(published.n_features, limit=MAX_PUBLISHED_PAIRS, rng=rng)
    series = pair_series([gaussian_scores(published.features[era]) for era in run_of_eras], pairs)
    profile = standard(standard(series).T)
    likeness = profile.T @ profile
    np.fill_diagonal(likeness, -np.inf)
    before, after = (
        ranks_of_truth(likeness, np.clip(np.arange(n_eras) + step, 0, n_eras - 1), rng) for step in (-1, 1)
    )
    before[0], after[-1] = after[0], before[-1]
    best = np.minimum(before, after)
    tallies = [Tally(np.array([rank == 1]), np.array([rank]), candidates=n_eras - 1) for rank in best]
    result = attack_result("calendar_shuffled", tallies, rng=rng, detail={"eras": n_eras})
    return _with_two_chances(result, n_eras)


def _with_two_chances(result: AttackResult, n_eras: int) -> AttackResult:
    """Correct the chance: two neighbours are right for all eras but the first and the last."""
    return replace(result, chance=2 * (n_eras - 1) / n_eras / (n_eras - 1))


def _starts(n_eras: int, length: int) -> IntArray:
    n_windows = max(1, min(MAX_WINDOWS, n_eras // length))
    return np.unique(np.linspace(0, n_eras - length, n_windows).round().astype(np.int64))


def _published_moves(published: Published, run_of_eras: IntArray, rng: np.random.Generator) -> Float32Array:
    pairs = chosen_pairs(published.n_features, limit=MAX_PUBLISHED_PAIRS, rng=rng)
    return high_pass(pair_series([gaussian_scores(published.features[era]) for era in run_of_eras], pairs))


def _public_moves(public: PublicData, rng: np.random.Generator) -> Float32Array:
    pairs = chosen_pairs(len(public.names), limit=MAX_PUBLIC_PAIRS, rng=rng)
    weeks = [gaussian_scores(public.signals[era][public.known(era)]) for era in range(len(public.signals))]
    return high_pass(pair_series(weeks, pairs))


def _offset_scores(theirs: Float32Array, ours: Float32Array) -> Float32Array:
    """Give the mean over public pairs of the best correlation with any published pair, one an offset."""
    fixed = standard(theirs).T
    n_offsets = len(ours) - len(theirs) + 1
    windows = (standard(ours[offset : offset + len(theirs)]) for offset in range(n_offsets))
    scores = [np.abs(fixed @ window).max(axis=0).mean() for window in windows]
    return np.array(scores, dtype=np.float32)


def _z_scores(scores: Float32Array, true: IntArray) -> Float32Array:
    others = scores.copy()
    others[np.arange(len(true)), true] = np.nan
    found: Float32Array = scores[np.arange(len(true)), true] - np.nanmean(others, axis=1)
    z_scores: Float32Array = found / np.maximum(np.nanstd(others, axis=1), np.float32(1e-9))
    return z_scores
