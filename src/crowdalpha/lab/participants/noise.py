"""Those without skill."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdalpha.client import Dataset, LiveRound

FloatArray = NDArray[np.float64]

__all__ = ["NoSkill", "RandomLinear"]


@dataclass(frozen=True)
class NoSkill:
    """Fresh noise every round."""

    def fit(self, dataset: Dataset, rng: np.random.Generator) -> "NoSkill":
        """Nothing to learn."""
        del dataset, rng
        return self

    def predict(self, rounds: Sequence[LiveRound], rng: np.random.Generator) -> FloatArray:
        """Draw one number an id."""
        return rng.random(len(rounds[-1].ids))


@dataclass(frozen=True)
class RandomLinear:
    """The complicated nonsense: a fixed combination of all features whose weights mean nothing."""

    def fit(self, dataset: Dataset, rng: np.random.Generator) -> "_FittedRandomLinear":
        """Draw the weights, once."""
        return _FittedRandomLinear(dataset, rng.standard_normal(len(dataset.features["all"])))


@dataclass(frozen=True)
class _FittedRandomLinear:
    dataset: Dataset
    weights: FloatArray

    def predict(self, rounds: Sequence[LiveRound], rng: np.random.Generator) -> FloatArray:
        del rng
        X = self.dataset.matrix(rounds[-1].frame, "all")
        return np.asarray(X.astype(np.float64) @ self.weights)
