"""A1: find the row of the same asset one or more eras later, from published features alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from crowdalpha.release.audit.data import FeatureArray, FloatArray, IntArray, PublicData, Published, Truth
from crowdalpha.release.audit.errors import AttackNotPossibleError
from crowdalpha.release.audit.results import AttackResult, Tally, attack_result, ranks_of_truth
from crowdalpha.scoring import tie_kept_rank

__all__ = ["Link", "bin_codes", "link_pairs", "partners", "run"]

MAX_PAIRS = 24
PASSES = 3
FEWEST_COMMON = 10
CODES = 5
Codes = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Link:
    """What was found between two eras.

    Parameters
    ----------
    scores : ndarray of shape (n_before, n_after), dtype=float32
        Log-likelihood that a later row is the asset of an earlier one, up to a constant; higher is likelier.
    assigned : ndarray of shape (n_before,), dtype=int64
        The later row that each earlier row is given, each once; -1 where there are not enough.
    """

    scores: NDArray[np.float32]
    assigned: IntArray


def run(
    published: Published, public: PublicData | None, truth: Truth, rng: np.random.Generator, *, horizon: int = 1
) -> AttackResult:
    """Link rows of era t to rows of era t + horizon.

    Parameters
    ----------
    published : Published
        The release.
    public : PublicData or None
        Not used.
    truth : Truth
        Counts the hits; nothing else reads it.
    rng : numpy.random.Generator
        Chooses at most 24 pairs of eras and breaks ties.
    horizon : int, default=1
        Eras between the two.

    Returns
    -------
    AttackResult
        Over assets that are in both eras; candidates are all rows of the later one.

    Raises
    ------
    AttackNotPossibleError
        If no two eras are that far apart with ten assets in common.

    Notes
    -----
    Expectation and maximisation with hard assignments: match rows by the sum of absolute differences, count how each
    feature moves between its bins over all matched pairs, match again by the likelihood of these moves. A missing value
    is one more bin, so that the pattern of gaps helps the attacker. NaN policy: omit (see before).
    Cost: O(pairs * (rows**2 * features + rows**3)).
    """
    _ = public
    place = {int(index): at for at, index in enumerate(truth.era_index)}
    pairs = [(at, place[int(index) + horizon]) for at, index in enumerate(truth.era_index) if index + horizon in place]
    pairs = [pair for pair in pairs if len(partners(truth, *pair)[0]) >= FEWEST_COMMON]
    if not pairs:
        raise AttackNotPossibleError(f"no two eras are {horizon} apart with {FEWEST_COMMON} assets in both")
    chosen = [pairs[at] for at in sorted(rng.permutation(len(pairs))[:MAX_PAIRS])]
    links = link_pairs([(published.features[first], published.features[second]) for first, second in chosen])
    tallies = []
    for (first, second), link in zip(chosen, links, strict=True):
        stays, partner = partners(truth, first, second)
        ranks = ranks_of_truth(link.scores[stays], partner, rng)
        tallies.append(Tally(link.assigned[stays] == partner, ranks, candidates=len(published.ids[second])))
    return attack_result(f"link_{horizon}", tallies, rng=rng, detail={"pairs": len(chosen)})


def partners(truth: Truth, first: int, second: int) -> tuple[IntArray, IntArray]:
    """Give the rows of one era whose asset is also in another, and where it is there."""
    _, stays, partner = np.intersect1d(truth.assets[first], truth.assets[second], return_indices=True)
    return stays.astype(np.int64), partner.astype(np.int64)


def link_pairs(pairs: Sequence[tuple[FeatureArray, FeatureArray]]) -> list[Link]:
    """Link the rows of pairs of eras that are all equally far apart.

    Parameters
    ----------
    pairs : sequence of pairs of ndarray of shape (n_rows, n_features), dtype=int8 or float32
        Earlier and later era; the numbers of rows may differ.

    Returns
    -------
    list of Link
        One a pair.

    Notes
    -----
    NaN policy: omit; a missing value is a bin of its own. Cost: as `run`.
    """
    codes = [(bin_codes(before), bin_codes(after)) for before, after in pairs]
    n_codes = 1 + max(int(part.max(initial=0)) for pair in codes for part in pair)
    links = [_assigned(_similarity(before, after, n_codes)) for before, after in codes]
    for _ in range(PASSES):
        moves = sum(_moves(pair, link.assigned, n_codes) for pair, link in zip(codes, links, strict=True)) + np.float64(
            1.0 / n_codes
        )
        gain = _gains(np.asarray(moves, dtype=np.float64))
        links = [_assigned(_likelihood(before, after, gain)) for before, after in codes]
    return links


def bin_codes(features: FeatureArray) -> Codes:
    """Give small integers: the bins, one more where a value is missing, and five bins of numbers not binned."""
    if features.dtype == np.int8:
        bins = features.astype(np.int8)
    else:
        ranks = tie_kept_rank(features.astype(np.float64))
        bins = np.where(np.isnan(ranks), -1.0, np.floor(ranks * CODES)).astype(np.int8)
    top = max(int(bins.max(initial=0)) + 1, CODES)
    return np.where(bins < 0, top, bins).astype(np.int8)


def _similarity(before: Codes, after: Codes, n_codes: int) -> NDArray[np.float32]:
    """Give minus the sum of absolute differences, as scalar products of thermometer codes."""
    steps = np.arange(1, n_codes, dtype=np.int8)
    left, right = ((codes[:, :, None] >= steps).reshape(len(codes), -1).astype(np.float32) for codes in (before, after))
    likeness: NDArray[np.float32] = 2 * left @ right.T - left.sum(axis=1)[:, None] - right.sum(axis=1)
    return likeness


def _likelihood(before: Codes, after: Codes, gain: FloatArray) -> NDArray[np.float32]:
    columns = np.arange(before.shape[1])
    left = gain[columns, before].reshape(len(before), -1).astype(np.float32)
    scores: NDArray[np.float32] = left @ _one_hot(after, gain.shape[1]).reshape(len(after), -1).T
    return scores


def _gains(moves: FloatArray) -> FloatArray:
    """Log of how much likelier each move is than two unrelated bins, a matrix a feature."""
    total = moves.sum(axis=(1, 2), keepdims=True)
    expected = moves.sum(axis=2, keepdims=True) * moves.sum(axis=1, keepdims=True) / total
    gains: FloatArray = np.log(moves / expected)
    return gains


def _moves(pair: tuple[Codes, Codes], assigned: IntArray, n_codes: int) -> FloatArray:
    matched = np.flatnonzero(assigned >= 0)
    left = _one_hot(pair[0][matched], n_codes).transpose(1, 2, 0)
    right = _one_hot(pair[1][assigned[matched]], n_codes).transpose(1, 0, 2)
    return (left @ right).astype(np.float64)


def _one_hot(codes: Codes, n_codes: int) -> NDArray[np.float32]:
    hot: NDArray[np.float32] = (codes[:, :, None] == np.arange(n_codes, dtype=np.int8)).astype(np.float32)
    return hot


def _assigned(scores: NDArray[np.float32]) -> Link:
    assigned = np.full(len(scores), -1, dtype=np.int64)
    row, column = linear_sum_assignment(scores, maximize=True)
    assigned[row] = column
    return Link(scores, assigned)
