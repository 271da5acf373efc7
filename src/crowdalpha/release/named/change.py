"""How much a submission changes from the ones before, measured before it is handed in.

The largest churn and turnover over the recent submissions count, each on its own universe; a submission that reaches a
limit is taken and scored, and puts nothing at risk.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdalpha.errors import InputError
from crowdalpha.release.named.universe import NamedUniverse
from crowdalpha.scoring import SubmittedEra, max_churn_and_turnover

__all__ = ["Change", "measure_change", "submitted_era"]

QUANTUM = 10**9


@dataclass(frozen=True, slots=True)
class Change:
    """What a submission changes, beside what it may: integers of 1e-9.

    Parameters
    ----------
    compared : int
        Earlier submissions that there were to compare with.
    churn, turnover : int
        The largest against any of them.
    max_churn, max_turnover : int or None
        The limits, None where there is none; reaching one breaks it.
    """

    compared: int
    churn: int
    turnover: int
    max_churn: int | None
    max_turnover: int | None

    @property
    def within_limits(self) -> bool:
        """Whether the submission may put its stake at risk."""
        return not any(limit is not None and found >= limit for _, found, limit in self._pairs)

    @property
    def _pairs(self) -> tuple[tuple[str, int, int | None], ...]:
        return (("churn", self.churn, self.max_churn), ("turnover", self.turnover, self.max_turnover))

    @property
    def verdict(self) -> str:
        """Say in one sentence what the limits mean for this submission."""
        if self.max_churn is None and self.max_turnover is None:
            return "this tournament has no limits"
        figures = ", ".join(
            f"{name} {found / QUANTUM:.4f} of less than {limit / QUANTUM:g}"
            for name, found, limit in self._pairs
            if limit is not None
        )
        if self.within_limits:
            return f"within the limits: {figures}"
        if self.compared == 0:
            return "nothing to compare with in the rounds before: it will be scored, and its stake is not at risk"
        return f"beyond the limits, so it will be scored and its stake is not at risk: {figures}"


def submitted_era(universe: NamedUniverse, values: NDArray[np.float64]) -> SubmittedEra:
    """Put a submission on its whole universe.

    Parameters
    ----------
    universe : NamedUniverse
        Of the round of the submission.
    values : ndarray of shape (n_live,), dtype=float64
        NaN where an asset was not submitted.

    Returns
    -------
    SubmittedEra

    Raises
    ------
    InputError
        If there is not one value a live asset.

    Notes
    -----
    NaN policy: propagate. Cost: O(n_live).
    """
    if values.shape != (len(universe.live_ids),):
        raise InputError(f"values have shape {values.shape}; the universe has {len(universe.live_ids)} live assets")
    return SubmittedEra(
        ids=np.array(universe.live_ids, dtype=np.str_),
        values=values,
        neutralizers=universe.neutralizers,
        sample_weights=universe.sample_weights,
    )


def measure_change(
    current: SubmittedEra,
    previous: Sequence[SubmittedEra] | None,
    *,
    max_churn: float | None = None,
    max_turnover: float | None = None,
) -> Change:
    """Measure a submission against the ones before, and against the limits.

    Parameters
    ----------
    current : SubmittedEra
        The submission to judge.
    previous : sequence of SubmittedEra, or None
        Accepted submissions of the same model in recent rounds, any order. None says that there was no round before:
        nothing could be submitted, so nothing has changed. Empty says that the model submitted to none of them, which
        counts as if everything had.
    max_churn : float in (0, 2], optional
        Churn from which on nothing is at risk.
    max_turnover : float in (0, 1], optional
        Turnover from which on nothing is at risk.

    Returns
    -------
    Change
        Figures and limits as integers of 1e-9, so that anybody comes to the same verdict.

    Raises
    ------
    ConstantError
        If a submission is constant.

    Notes
    -----
    NaN policy: an asset without value gets the middle rank. Cost: two sorts and two products with the neutralizers a
    submission. Earlier submissions on a universe that has less than 80 % in common are passed over.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `signals.calculate_max_churn_and_turnover`.
    """
    churn, turnover = (0.0, 0.0) if previous is None else max_churn_and_turnover(current, previous)
    return Change(
        compared=len(previous or ()),
        churn=round(churn * QUANTUM),
        turnover=round(turnover * QUANTUM),
        max_churn=None if max_churn is None else round(max_churn * QUANTUM),
        max_turnover=None if max_turnover is None else round(max_turnover * QUANTUM),
    )
