"""How the success of an attack is counted: against chance, in ranks, in bits, with an interval over eras."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdalpha.release.audit.data import FloatArray, IntArray

__all__ = ["AttackResult", "Tally", "attack_result", "ranks_of_truth"]

BOOTSTRAPS = 1000
INTERVAL = (0.025, 0.975)
TOP = 10

Detail = Mapping[str, float | int | str | Sequence[str]]


@dataclass(frozen=True, slots=True)
class AttackResult:
    """What one attack achieved.

    Parameters
    ----------
    attack : str
        Name of the attack.
    success : float
        Share of guesses that were right, 0 to 1.
    success_at_10 : float
        Share where the truth was among the ten best guesses.
    chance : float
        `success` of somebody who guesses blindly.
    expected_rank : float
        Mean rank of the truth among the candidates; 1 is best.
    bits : float
        `log2 n - mean log2 rank`: bits of identity learnt. Blind guesses give 1.44 (1 / ln 2), not 0.
    ci_low, ci_high : float
        95 % interval of `success`, by bootstrap over eras.
    seconds : float
        Time it took; 0 until the audit has measured it.
    detail : mapping of str to number, text or list of text
        More figures, of this attack alone.
    """

    attack: str
    success: float
    success_at_10: float
    chance: float
    expected_rank: float
    bits: float
    ci_low: float
    ci_high: float
    seconds: float
    detail: Detail


@dataclass(frozen=True, slots=True)
class Tally:
    """The guesses of one era (or one window of eras).

    Parameters
    ----------
    hits : ndarray of shape (n_guesses,), dtype=bool
        Which guesses were right.
    ranks : ndarray of shape (n_guesses,), dtype=int64
        Rank of the truth among the candidates, from 1.
    candidates : int
        How many candidates there were.
    """

    hits: NDArray[np.bool_]
    ranks: IntArray
    candidates: int


def ranks_of_truth(scores: NDArray[np.floating], truth: IntArray, rng: np.random.Generator) -> IntArray:
    """Rank the true candidate of each row by score, the best first.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_candidates), dtype=floating
        Higher is likelier.
    truth : ndarray of shape (n_rows,), dtype=int64
        Column of the true candidate.
    rng : numpy.random.Generator
        Breaks ties.

    Returns
    -------
    ndarray of shape (n_rows,), dtype=int64
        From 1; a truth that is tied with k others gets one of the k + 1 ranks at random.

    Notes
    -----
    NaN policy: refuse (there are none). Cost: O(n_rows * n_candidates).

    Examples
    --------
    >>> ranks_of_truth(np.array([[0.1, 0.7, 0.4]]), np.array([2]), np.random.default_rng(0))
    array([2])
    """
    own = scores[np.arange(len(truth)), truth][:, None]
    better = (scores > own).sum(axis=1)
    tied = (scores == own).sum(axis=1)
    ranks: IntArray = (1 + better + np.floor(rng.random(len(truth)) * tied)).astype(np.int64)
    return ranks


def attack_result(
    attack: str, tallies: Sequence[Tally], *, rng: np.random.Generator, detail: Detail | None = None
) -> AttackResult:
    """Put the guesses of all eras together.

    Parameters
    ----------
    attack : str
        Name of the attack.
    tallies : sequence of Tally
        At least one, one an era.
    rng : numpy.random.Generator
        For the bootstrap.
    detail : mapping, default=None
        More figures.

    Returns
    -------
    AttackResult
        Means over all guesses. With a single era the interval is a bootstrap over its guesses.

    Notes
    -----
    NaN policy: refuse (there are none). Cost: 1000 draws of the eras.

    Examples
    --------
    >>> blind = Tally(np.array([True, False]), np.array([1, 2]), candidates=2)
    >>> result = attack_result("coin", [blind], rng=np.random.default_rng(0))
    >>> result.success, result.chance, result.expected_rank, result.bits
    (0.5, 0.5, 1.5, 0.5)
    """
    hits = np.concatenate([tally.hits for tally in tallies]).astype(np.float64)
    ranks = np.concatenate([tally.ranks for tally in tallies]).astype(np.float64)
    candidates = np.concatenate([np.full(len(tally.hits), tally.candidates, dtype=np.float64) for tally in tallies])
    low, high = _interval([tally.hits.astype(np.float64) for tally in tallies], rng)
    return AttackResult(
        attack=attack,
        success=float(hits.mean()),
        success_at_10=float((ranks <= TOP).mean()),
        chance=float((1 / candidates).mean()),
        expected_rank=float(ranks.mean()),
        bits=float((np.log2(candidates) - np.log2(ranks)).mean()),
        ci_low=low,
        ci_high=high,
        seconds=0.0,
        detail=dict(detail or {}),
    )


def _interval(hits: Sequence[FloatArray], rng: np.random.Generator) -> tuple[float, float]:
    if len(hits) == 1:
        right, guesses = hits[0], np.ones(len(hits[0]))
    else:
        right, guesses = (np.array([each(part) for part in hits], dtype=np.float64) for each in (np.sum, np.size))
    drawn = rng.integers(len(right), size=(BOOTSTRAPS, len(right)))
    shares = right[drawn].sum(axis=1) / guesses[drawn].sum(axis=1)
    low, high = np.quantile(shares, INTERVAL).tolist()
    return low, high
