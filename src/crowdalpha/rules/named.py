"""The scores of tournaments on named assets: portfolio weights without the operator's factors, and what they earn.

A submission is ranked and its gaps filled as for every other score. Alpha is the mean product of its neutral weights
and the target; MPC the gradient of the stake-weighted portfolio's alpha with respect to the stakes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdalpha.ensemble import rank_and_fill
from crowdalpha.errors import InputError
from crowdalpha.rules.payout import record_score
from crowdalpha.scoring import alpha, mpc

__all__ = ["NamedExposures", "score_named"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class NamedExposures:
    """What the operator fixed about the assets of a named round before it opened.

    Parameters
    ----------
    neutralizers : ndarray of shape (n_assets, n_neutralizers), dtype=float64
        N, orthonormal under the sample weights; rows in the order of the live ids.
    sample_weights : ndarray of shape (n_assets,), dtype=float64
        v, how much of each asset can be held.
    """

    neutralizers: FloatArray
    sample_weights: FloatArray

    def __post_init__(self) -> None:
        if self.neutralizers.ndim != 2 or self.sample_weights.shape != self.neutralizers.shape[:1]:  # noqa: PLR2004
            raise InputError(
                f"neutralizers {self.neutralizers.shape} and sample weights {self.sample_weights.shape} do not fit"
            )


def score_named(
    predictions: FloatArray, *, at_risk: FloatArray, exposures: NamedExposures, target: FloatArray
) -> tuple[Mapping[str, int | None], ...]:
    """Score a named round's raw submissions and record the scores.

    Parameters
    ----------
    predictions : ndarray of shape (n_assets, n_models), dtype=float64
        NaN where an asset was not submitted.
    at_risk : ndarray of shape (n_models,), dtype=float64
        In any one unit.
    exposures : NamedExposures
        Of the round.
    target : ndarray of shape (n_assets,), dtype=float64
        NaN where it is unknown.

    Returns
    -------
    tuple of mapping of str to int or None
        `alpha` and `mpc` of each model in 1e-9; `mpc` is None where nothing is at risk.

    Raises
    ------
    InputError
        If the rows differ.

    Notes
    -----
    NaN policy: omit; assets without a target are left out before ranking, as the reference does, so that the weights
    are then neutral only nearly. Cost: one sort a model and four products with the neutralizers.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.alpha` and `scoring.meta_portfolio_contribution`.
    """
    known = ~np.isnan(target)
    filled, neutralizers = rank_and_fill(predictions)[known], exposures.neutralizers[known]
    weights, wanted = exposures.sample_weights[known], target[known]
    alphas = alpha(filled, neutralizers, weights, wanted)
    contributions = (
        mpc(filled, at_risk, neutralizers, weights, wanted) if at_risk.any() else np.full(len(at_risk), np.nan)
    )
    return tuple(
        {"alpha": record_score(float(one)), "mpc": record_score(float(other))}
        for one, other in zip(alphas, contributions, strict=True)
    )
