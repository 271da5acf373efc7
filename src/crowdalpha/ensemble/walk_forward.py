"""Walk forward through past eras: what each way of combining models would have scored, knowing only what was known."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from crowdalpha.ensemble.caps import cap_by_account
from crowdalpha.ensemble.checks import stake_values
from crowdalpha.ensemble.combiner import METHODS, Combiner, CombinerSettings, Method
from crowdalpha.ensemble.stacking import blended_weights
from crowdalpha.scoring import corr
from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.checks import RangeError, ShapeError

__all__ = ["PastEra", "Walk", "walk_forward"]


@dataclass(frozen=True, eq=False)
class PastEra:
    """One era of the past; all eras have the same models in the same columns, and assets of their own.

    Attributes
    ----------
    signals : ndarray of shape (n_assets, n_models), dtype=float64
        Cleaned signals; a column of NaN for a model that took no part.
    stakes : ndarray of shape (n_models,), dtype=float64
        Stakes at risk at the close, in any one unit.
    scores : ndarray of shape (n_models,), dtype=float64
        Score of each model, NaN where it has none.
    target : ndarray of shape (n_assets,), dtype=float64
        Target of the same assets.
    """

    signals: FloatArray
    stakes: FloatArray
    scores: FloatArray
    target: FloatArray


@dataclass(frozen=True, eq=False)
class Walk:
    """What each method did in each era.

    Attributes
    ----------
    methods : tuple of str
        Names of the columns.
    corr : ndarray of shape (n_eras, n_methods), dtype=float64
        CORR of the combined signal.
    turnover : ndarray of shape (n_eras, n_methods), dtype=float64
        Share of the weight that moved between models since the era before; NaN in the first.
    weights : ndarray of shape (n_eras, n_methods, n_models), dtype=float64
        Weights that were used.
    """

    methods: tuple[Method, ...]
    corr: FloatArray
    turnover: FloatArray
    weights: FloatArray


def walk_forward(  # the settings of one comparison
    eras: Iterable[PastEra],
    *,
    lag: int,
    methods: Sequence[Method] = METHODS,
    stress: FloatArray | None = None,
    stake_share: float = 0.5,
    settings: CombinerSettings | None = None,
    accounts: Sequence[str] | None = None,
    largest_account: float = 1.0,
) -> Walk:
    """Combine the models of each era by each method, on what was known at its close.

    Parameters
    ----------
    eras : iterable of PastEra
        In order; read once, and kept only until learned from.
    lag : int
        Eras until the scores of an era are known: 5 for weekly eras and targets of 20 days.
    methods : sequence of str, default=all
        Methods to compare.
    stress : ndarray of shape (n_eras,), dtype=float64, optional
        Filtered probability of stress at each close, NaN where unknown; without it nothing is gated.
    stake_share : float in [0, 1], default=0.5
        Share of the stake weights in every other method.
    settings : CombinerSettings, optional
        What the methods are tuned by.
    accounts : sequence of str, length n_models, optional
        Account of each model, for the cap.
    largest_account : float in (0, 1], default=1.0
        Largest share of the weight that an account may hold.

    Returns
    -------
    Walk
        Scores, turnover and weights.

    Raises
    ------
    ShapeError
        If the shapes of an era do not fit, or there are no eras.
    RangeError
        If `lag` is below 1, or an option lies outside its range.

    Notes
    -----
    NaN policy: omit; the weight of an absent model goes to the others. No look-ahead: weights of an era do not depend
    on later eras, nor on scores and targets of the last `lag` ones. Cost: that of `Combiner`, an era at a time.
    """
    if lag < 1:
        raise RangeError(f"lag is {lag}; scores are known one era later at the earliest")
    combiner: Combiner | None = None
    waiting: list[PastEra] = []
    scores, weights = [], []
    for now, era in enumerate(eras):
        combiner = combiner or Combiner(era.signals.shape[1], settings=settings)
        if len(waiting) == lag:
            past = waiting.pop(0)
            combiner.learn(past.scores, past.target)
        combiner.see(era.signals, era.stakes, stress=float("nan") if stress is None else float(stress[now]))
        used = _weights(combiner, era, methods, stake_share)
        if accounts is not None:
            used = np.stack([_shares(cap_by_account(row, accounts, largest=largest_account)) for row in used])
        weights.append(used)
        scores.append(_scores(era, used))
        waiting.append(era)
    if not weights:
        raise ShapeError("eras is empty; there is nothing to walk through")
    table = np.stack(weights)
    moved = np.full(table.shape[:2], np.nan)
    moved[1:] = np.abs(np.diff(table, axis=0)).sum(axis=2) / 2.0
    return Walk(methods=tuple(methods), corr=np.stack(scores), turnover=moved, weights=table)


def _weights(combiner: Combiner, era: PastEra, methods: Sequence[Method], stake_share: float) -> FloatArray:
    stakes = combiner.weights("stake_weighted", stake_values(era.stakes, n_models=era.signals.shape[1]))
    return np.stack(
        [
            stakes
            if method == "stake_weighted"
            else blended_weights(combiner.weights(method, stakes), stakes, share=stake_share)
            for method in methods
        ]
    )


def _scores(era: PastEra, weights: FloatArray) -> FloatArray:
    """CORR of each combination; NaN where nobody has weight."""
    signals = np.nan_to_num(era.signals)
    combined = signals @ weights.T
    found = np.full(len(weights), np.nan)
    some = weights.any(axis=1)
    if some.any():
        found[some] = corr(combined[:, some], era.target)
    return found


def _shares(values: FloatArray) -> FloatArray:
    total = values.sum()
    return values / total if total > 0 else values
