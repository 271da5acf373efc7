"""Coarse scores: what is recorded of a model that was computed on encrypted data.

A score of such a model is an answer about the data and the key that encrypted it. So it is given once, at the end, in
thousandths, and only where it pays.
"""

from collections.abc import Mapping

from crowdalpha.rules.rulebook import Rulebook

__all__ = ["SCORE_QUANTUM", "coarse_score", "coarse_scores", "paying_scores"]

SCORE_UNIT = 1_000_000_000
SCORE_QUANTUM = 1_000_000
"""A thousandth, in the billionths in which scores are recorded; a score in [-1, 1] then has 2,001 values."""


def coarse_score(score: int) -> int:
    """Round a recorded score to thousandths, halves to the even one, and clip it to [-1, 1].

    Parameters
    ----------
    score : int
        Of 1e-9.

    Returns
    -------
    int
        Of 1e-9, a multiple of `SCORE_QUANTUM`.

    Examples
    --------
    >>> coarse_score(23_456_789), coarse_score(-1_500_000), coarse_score(2_000_000_000)
    (23000000, -2000000, 1000000000)
    """
    quanta, rest = divmod(score, SCORE_QUANTUM)
    if 2 * rest > SCORE_QUANTUM or (2 * rest == SCORE_QUANTUM and quanta % 2):
        quanta += 1
    return max(-SCORE_UNIT, min(SCORE_UNIT, quanta * SCORE_QUANTUM))


def paying_scores(rulebook: Rulebook) -> tuple[str, ...]:
    """Name the scores that pay under a rulebook: those with a multiplier above zero.

    Parameters
    ----------
    rulebook : Rulebook
        Of the round.

    Returns
    -------
    tuple of str
        In alphabetical order; each is one answer about a key.
    """
    return tuple(sorted(name for name, quanta in rulebook.multiplier_quanta().items() if quanta > 0))


def coarse_scores(scores: Mapping[str, int | None], *, rulebook: Rulebook, final: bool) -> dict[str, int | None]:
    """Keep of a model's scores what may be told.

    Parameters
    ----------
    scores : mapping of str to int or None
        As the scorer recorded them.
    rulebook : Rulebook
        Says which pay.
    final : bool
        Whether these are the scores that pay; of other days nothing is told.

    Returns
    -------
    dict of str to int or None
        The same names; None where nothing is told.
    """
    told = paying_scores(rulebook) if final else ()
    return {name: coarse_score(score) if score is not None and name in told else None for name, score in scores.items()}
