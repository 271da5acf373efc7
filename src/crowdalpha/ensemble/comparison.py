"""Compare methods of combining models on a walk through the past: means, Sharpe ratios and how sure one can be."""

from dataclasses import dataclass

import numpy as np

from crowdalpha.ensemble.combiner import Method
from crowdalpha.ensemble.walk_forward import Walk
from crowdalpha.scoring import Interval, bootstrap_interval
from crowdalpha.scoring.checks import RangeError

__all__ = ["Estimate", "MethodResult", "compare_methods"]


@dataclass(frozen=True)
class Estimate:
    """A figure and its bootstrap interval; NaN where it is not defined."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class MethodResult:
    """How one method did.

    Attributes
    ----------
    method : str
        Name, as in the rulebook.
    corr, sharpe : Estimate
        Mean CORR, and its Sharpe ratio an era.
    gain : Estimate
        Mean CORR beyond that of the stake weights in the same eras.
    turnover : float
        Mean share of the weight that moves between models in an era.
    """

    method: Method
    corr: Estimate
    sharpe: Estimate
    gain: Estimate
    turnover: float


def compare_methods(walk: Walk, *, rng: np.random.Generator, first: int = 0, block: float = 5.0) -> list[MethodResult]:
    """Summarise what each method did from an era on.

    Parameters
    ----------
    walk : Walk
        From `walk_forward`; its methods must hold "stake_weighted", which the others are measured by.
    rng : Generator
        Of the bootstrap.
    first : int, default=0
        Eras left out at the start, in which the methods had little to go by.
    block : float, default=5.0
        Mean number of neighbouring eras drawn together: as many as a target spans.

    Returns
    -------
    list of MethodResult
        In the order of the walk.

    Raises
    ------
    RangeError
        If fewer than two eras remain, or "stake_weighted" is not among the methods.

    Notes
    -----
    NaN policy: omit. Intervals are percentiles of 2,000 draws at 95 %. Cost: O(2000 * n_eras * n_methods).
    """
    corr = walk.corr[first:]
    if first < 0 or len(corr) < 2:  # noqa: PLR2004  # a spread needs two
        raise RangeError(f"first is {first} of {len(walk.corr)} eras; two at least must remain to compare")
    if "stake_weighted" not in walk.methods:
        raise RangeError(f"methods are {', '.join(walk.methods)}; stake_weighted is what they are measured by")
    base = corr[:, [walk.methods.index("stake_weighted")]]
    means = bootstrap_interval(corr, rng=rng, block=block)
    sharpes = bootstrap_interval(corr, rng=rng, statistic="sharpe", block=block)
    gains = bootstrap_interval(corr - base, rng=rng, block=block)
    moved = walk.turnover[max(first, 1) :].mean(axis=0)
    return [
        MethodResult(
            method=method,
            corr=_estimate(means, column),
            sharpe=_estimate(sharpes, column),
            gain=_estimate(gains, column),
            turnover=float(moved[column]),
        )
        for column, method in enumerate(walk.methods)
    ]


def _estimate(found: Interval, column: int) -> Estimate:
    return Estimate(*(float(side[column]) for side in (found.estimate, found.low, found.high)))
