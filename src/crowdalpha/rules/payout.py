"""Where scores meet money: the payout rule, in integers, rounded toward zero.

    score  = Σ multiplier · score / Q          a score that is undefined (None) counts as 0
    factor = min(Q, threshold · Q // total at risk)
    rate   = clip(factor · score / Q, ±clip)
    payout = at risk · rate / Q                above zero a payout, below zero a burn

All in integers of 1e-9 (Q = 10**9) and base units; every division drops its fraction, so the remainder stays
with the pool on a payout and with the participant on a burn. Against the same formula in exact numbers the
rate is at most two quanta nearer to zero, and the payout one base unit more. These are Python integers:
an int64 array would wrap around without a word at 9e17 · 5e7.
"""

import math
from collections.abc import Mapping, Sequence

from crowdalpha.errors import InputError
from crowdalpha.rules.errors import MoneyError
from crowdalpha.rules.fixed import QUANTUM, divide_toward_zero
from crowdalpha.rules.money import MAX_BASE, Amount
from crowdalpha.rules.rulebook import Rulebook

__all__ = ["QUANTUM", "fund_payouts", "funding_ratio", "payout", "payout_factor", "payout_rate", "record_score"]


def record_score(value: float) -> int | None:
    """Record a kernel's score as `round(score · 1e9)`; halves go to the even integer.

    Parameters
    ----------
    value : float
        A score in float64, no unit. Single precision is refused: it changes the recorded integer.

    Returns
    -------
    int or None
        Integer of 1e-9; None where the score is undefined. An undefined score pays and burns nothing.

    Raises
    ------
    InputError
        If the value is infinite, too large for 64 bits, or no float64.

    Notes
    -----
    NaN policy: propagate (as None).

    Examples
    --------
    >>> record_score(0.0213), record_score(float("nan"))
    (21300000, None)
    """
    if isinstance(value, bool) or not isinstance(value, float | int):
        raise InputError(f"score {value!r} is a {type(value).__name__}; record float64 scores")
    if math.isnan(value):
        return None
    if not abs(value) < MAX_BASE / QUANTUM:
        raise InputError(f"score {value!r} is infinite or too large to record")
    return round(value * QUANTUM)


def payout_factor(threshold: Amount, total_at_risk: Amount) -> int:
    """Compute min(1, threshold / total at risk) in 1e-9, floored; 1 when nothing is at risk.

    Examples
    --------
    >>> from crowdalpha.rules.money import POINTS
    >>> payout_factor(Amount.whole(72, POINTS), Amount.whole(144, POINTS))
    500000000
    """
    nothing = Amount.zero(threshold.unit)
    if threshold <= nothing or total_at_risk < nothing:
        raise MoneyError(f"threshold {threshold} must be above zero and total at risk {total_at_risk} not below it")
    if total_at_risk == nothing:
        return QUANTUM
    return min(QUANTUM, threshold.base * QUANTUM // total_at_risk.base)


def payout_rate(scores: Mapping[str, int | None], rulebook: Rulebook, factor: int) -> int:
    """Compute the share of the stake at risk that is paid (above zero) or burned (below), in 1e-9.

    Parameters
    ----------
    scores : mapping of str to int or None
        Recorded scores in 1e-9. Each score with a multiplier must be there; None counts as 0.
    rulebook : Rulebook
        Gives multipliers and clip.
    factor : int
        Payout factor in 1e-9. It is applied inside the clip.

    Raises
    ------
    InputError
        If a score that the rulebook pays for is missing.
    """
    weighted = 0
    for name, multiplier in rulebook.multiplier_quanta().items():
        if name not in scores:
            raise InputError(f"scores lack {name!r}, which the rulebook pays for; record None where it is undefined")
        weighted += multiplier * (scores[name] or 0)
    rate = divide_toward_zero(factor * divide_toward_zero(weighted, QUANTUM), QUANTUM)
    cap = rulebook.clip_quanta
    return max(-cap, min(cap, rate))


def payout(at_risk: Amount, rate: int) -> Amount:
    """Compute the signed payout of a stake at a rate in 1e-9: above zero paid, below zero burned.

    Examples
    --------
    >>> from crowdalpha.rules.money import USD
    >>> payout(Amount.whole(100, USD), 20_000_000).base
    2000000
    """
    if at_risk.base < 0:
        raise MoneyError(f"at risk {at_risk} is below zero; a stake at risk is zero or more")
    return Amount(divide_toward_zero(at_risk.base * rate, QUANTUM), at_risk.unit)


def fund_payouts(payouts: Sequence[Amount], pool: Amount) -> tuple[Amount, ...]:
    """Pay each payout in full, or the same share of each, floored, when the pool is too small for all.

    Burns are not scaled. What flooring leaves stays in the pool.

    Examples
    --------
    >>> from crowdalpha.rules.money import USD
    >>> [each.base for each in fund_payouts([Amount(3, USD), Amount(5, USD)], Amount(4, USD))]
    [1, 2]
    """
    wanted = _wanted(payouts, pool)
    if wanted <= pool.base:
        return tuple(payouts)
    return tuple(Amount(each.base * pool.base // wanted, pool.unit) for each in payouts)


def funding_ratio(payouts: Sequence[Amount], pool: Amount) -> int:
    """Give the share of the payouts that the pool can pay, in 1e-9, floored; for the record, not for computing."""
    wanted = _wanted(payouts, pool)
    return QUANTUM if wanted <= pool.base else pool.base * QUANTUM // wanted


def _wanted(payouts: Sequence[Amount], pool: Amount) -> int:
    nothing = Amount.zero(pool.unit)
    if pool < nothing or any(each < nothing for each in payouts):
        raise MoneyError("the pool and every payout must be zero or more; leave burns out")
    # Not through total(): the sum of what was earned may be beyond 64 bits where what is paid is not.
    return sum(each.base for each in payouts)
