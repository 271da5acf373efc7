"""What a method says at the close of a round, from the rounds before it that were resolved by then."""

from collections.abc import Sequence

import numpy as np

from crowdalpha.ensemble.combiner import Combiner, CombinerSettings, Method
from crowdalpha.ensemble.regimes import regime_probabilities
from crowdalpha.ensemble.walk_forward import PastEra
from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.checks import RangeError, ShapeError, matrix

__all__ = ["REGIME_WARM_UP", "crowd_disagreement", "learned_weights"]

REGIME_WARM_UP = 52
"""Eras before the first fit of regimes, and between fits: a year of weeks."""


def crowd_disagreement(signals: FloatArray) -> float:
    """Measure how much a crowd disagrees: 1 minus the mean correlation of two of its predictions.

    Parameters
    ----------
    signals : ndarray of shape (n_assets, n_models), dtype=float64
        Predictions or signals of one era; a column with a NaN or without variation is left out.

    Returns
    -------
    float
        In [0, 2]; 1 where fewer than two models say anything.

    Raises
    ------
    ShapeError
        If it is not a matrix.

    Notes
    -----
    NaN policy: omit. Cost: O(n_assets * n_models), from the length of the sum.

    Examples
    --------
    >>> crowd_disagreement(np.array([[1.0, -1.0], [2.0, -2.0]]))
    2.0
    """
    columns = matrix(signals, "signals")
    known = columns[:, ~np.isnan(columns).any(axis=0)]
    centred = known - known.mean(axis=0)
    size = np.sqrt((centred**2).sum(axis=0))
    # a column of ties leaves rounding behind
    says = size > np.sqrt(len(columns)) * np.finfo(np.float64).eps * np.abs(known).max(axis=0, initial=0.0)
    units = centred[:, says] / size[says]
    n = units.shape[1]
    alike = ((units.sum(axis=1) ** 2).sum() - n) / max(n * (n - 1), 1)
    return 1.0 - float(alike) if n > 1 else 1.0


def learned_weights(
    past: Sequence[PastEra],
    known: Sequence[int],
    *,
    signals: FloatArray,
    stakes: FloatArray,
    method: Method,
    settings: CombinerSettings | None = None,
) -> FloatArray:
    """Weigh the models of a round by what was known at its close.

    Parameters
    ----------
    past : sequence of PastEra
        Rounds that were resolved by now, in the order of their closes; the same models in the same columns.
    known : sequence of int, length of `past`
        How many of them, from the first, were resolved when each of them closed; never falling.
    signals : ndarray of shape (n_assets, n_models), dtype=float64
        Cleaned signals of the round that closes.
    stakes : ndarray of shape (n_models,), dtype=float64
        Stakes at risk in it, in any one unit.
    method : str
        One of `METHODS`.
    settings : CombinerSettings, optional
        What the methods are tuned by.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        Weights that sum to 1; all zero where the method has nothing to say.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    RangeError
        If `known` falls, or counts a round that closed later.

    Notes
    -----
    NaN policy: omit, as `Combiner`. Regimes are read from how much the crowd disagreed, which is known at each close
    and needs no other data; nothing is gated before `REGIME_WARM_UP` rounds. Each past round is seen with what was
    known at its own close, as in `walk_forward`. Cost: that of `Combiner`, for each past round.
    """
    if len(known) != len(past):
        raise ShapeError(f"known has {len(known)} values for {len(past)} past rounds; give one a round")
    for place, count in enumerate(known):
        if not (known[place - 1] if place else 0) <= count <= place:
            raise RangeError(f"known is {count} at past round {place}; it never falls and counts earlier rounds only")
    state = [crowd_disagreement(each.signals) for each in past] + [crowd_disagreement(signals)]
    stress = regime_probabilities(state, warm_up=REGIME_WARM_UP, refit=REGIME_WARM_UP)
    combiner, learned = Combiner(signals.shape[1], settings=settings), 0
    for place, count in enumerate([*known, len(past)]):
        for era in past[learned:count]:
            combiner.learn(era.scores, era.target)
        learned = count
        now = past[place] if place < len(past) else None
        combiner.see(
            signals if now is None else now.signals, stakes if now is None else now.stakes, stress=float(stress[place])
        )
    return combiner.weights(method, stakes)
