"""Specialised experts: each cluster of models in each regime is an expert that is awake as far as its regime is likely.

ML-Poly gives weight to experts by how much better than the mixture they would have done. It has no learning rate and
assumes nothing about the scores; what it buys is insurance against a world that does not stand still.
"""

import numpy as np

from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.checks import RangeError, ShapeError, finite, matrix, vector

__all__ = ["Experts"]

FORECAST_SIZE = 0.03
"""Standard deviations of the target that one of an expert's signal forecasts: a usual correlation."""


class Experts:
    """ML-Poly over experts with confidences, for the square loss and scores that come late.

    Parameters
    ----------
    n_experts : int
        Experts; all start alike.
    size : float, default=0.03
        What one standard deviation of a signal forecasts, in standard deviations of the target.

    Raises
    ------
    RangeError
        If there is no expert or `size` is not above 0.

    References
    ----------
    .. [1] P. Gaillard, G. Stoltz, T. van Erven, "A second-order bound with excess losses", COLT 2014.
    .. [2] M. Devaine, P. Gaillard, Y. Goude, G. Stoltz, "Forecasting electricity consumption by aggregating
       specialized experts", Machine Learning 90 (2013).
    """

    def __init__(self, n_experts: int, *, size: float = FORECAST_SIZE) -> None:
        if n_experts < 1 or not size > 0:
            raise RangeError(
                f"n_experts is {n_experts} and size is {size}; there must be one at least, of size above 0"
            )
        self._size = size
        self._regret = np.zeros(n_experts)
        self._spread = np.ones(n_experts)

    def weights(self, confidence: FloatArray) -> FloatArray:
        """Weigh the experts for the next era.

        Parameters
        ----------
        confidence : ndarray of shape (n_experts,), dtype=float64
            How awake each is, in [0, 1].

        Returns
        -------
        ndarray of shape (n_experts,), dtype=float64
            Weights that sum to 1, 0 for those asleep; by confidence alone while none has a regret above 0. All zero
            if all are asleep.

        Raises
        ------
        ShapeError
            If there is not one confidence an expert.

        Notes
        -----
        NaN policy: refuse. Cost: O(n_experts).
        """
        awake = self._confidence(confidence)
        weights = awake * np.maximum(self._regret, 0.0) / self._spread
        if not weights.any():
            weights = awake
        total = weights.sum()
        return weights / total if total > 0 else np.zeros_like(weights)

    def learn(self, signals: FloatArray, target: FloatArray, *, weights: FloatArray, confidence: FloatArray) -> None:
        """Take in an era whose target is known by now.

        Parameters
        ----------
        signals : ndarray of shape (n_assets, n_experts), dtype=float64
            Signals of the experts in that era, each of standard deviation 1 or all zero.
        target : ndarray of shape (n_assets,), dtype=float64
            Target, of mean 0 and standard deviation 1.
        weights, confidence : ndarray of shape (n_experts,), dtype=float64
            Weights that were used then, and how awake the experts were.

        Raises
        ------
        ShapeError
            If the shapes do not fit.
        NonFiniteError
            If a value is not finite.

        Notes
        -----
        NaN policy: refuse. Losses are linearised at the mixture. Cost: O(n_assets * n_experts).
        """
        P, y = matrix(signals, "signals"), vector(target, "target")
        if P.shape != (len(y), len(self._regret)) or weights.shape != self._regret.shape:
            raise ShapeError(f"signals has shape {P.shape} for {len(y)} targets and {len(self._regret)} experts")
        finite(signals=P, target=y)
        awake = self._confidence(confidence)
        forecast = self._size * (P @ weights)
        loss = -self._size * ((y - forecast) @ P) / len(y)
        regret = awake * (float(weights @ loss) - loss)
        # Losses are tiny fractions; scaled, the 1 in the spread is small beside them, as it is meant to be.
        regret = regret / self._size
        self._regret = self._regret + regret
        self._spread = self._spread + regret**2

    def _confidence(self, confidence: FloatArray) -> FloatArray:
        awake = vector(confidence, "confidence")
        if awake.shape != self._regret.shape:
            raise ShapeError(f"confidence has {len(awake)} values for {len(self._regret)} experts")
        finite(confidence=awake)
        return awake
