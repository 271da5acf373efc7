"""Those who copy: the published example, the example with noise, last week's meta model, and the p / 1-p pair."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import Ridge as RidgeRegression

from crowdalpha.client import Dataset, LiveRound
from crowdalpha.lab.participants.base import Predictor, Strategy

FloatArray = NDArray[np.float64]

__all__ = ["Contrarian", "ExampleCopy", "MetaModelCopy", "NoisyExampleCopy"]


@dataclass(frozen=True)
class ExampleCopy:
    """Hands in the published example predictions as they are."""

    def fit(self, dataset: Dataset, rng: np.random.Generator) -> "ExampleCopy":
        """Nothing to learn."""
        del dataset, rng
        return self

    def predict(self, rounds: Sequence[LiveRound], rng: np.random.Generator) -> FloatArray:
        """Copy."""
        del rng
        return _example(rounds[-1])


@dataclass(frozen=True)
class NoisyExampleCopy:
    """Hides the copy under noise: the "simple signal plus noise" that pay per signal attracts."""

    noise_share: float = 0.5

    def fit(self, dataset: Dataset, rng: np.random.Generator) -> "NoisyExampleCopy":
        """Nothing to learn."""
        del dataset, rng
        return self

    def predict(self, rounds: Sequence[LiveRound], rng: np.random.Generator) -> FloatArray:
        """Mix the example with fresh noise of a given share of variance."""
        example = _example(rounds[-1])
        standard = (example - example.mean()) / float(example.std())
        noise = rng.standard_normal(len(example))
        mixed: FloatArray = standard * (1 - self.noise_share) ** 0.5 + noise * self.noise_share**0.5
        return mixed


@dataclass(frozen=True)
class MetaModelCopy:
    """Copies the newest published meta model.

    Its ids are those of last week and mean nothing this week, so it is copied the way that is open to anybody: learn
    the published values from last week's features and apply that to this week's.
    """

    penalty: float = 10.0

    def fit(self, dataset: Dataset, rng: np.random.Generator) -> "_FittedMetaModelCopy":
        """Nothing to learn before a meta model was published; keeps how to read features."""
        del rng
        return _FittedMetaModelCopy(dataset, self.penalty)


@dataclass(frozen=True)
class _FittedMetaModelCopy:
    dataset: Dataset
    penalty: float

    def predict(self, rounds: Sequence[LiveRound], rng: np.random.Generator) -> FloatArray:
        del rng
        live = rounds[-1]
        published = live.meta_model
        if published is None or len(rounds) == 1:
            return _example(live)
        past = rounds[-2].frame.join(published.select("id", "meta_model"), on="id")
        model = RidgeRegression(alpha=self.penalty)
        model.fit(self.dataset.matrix(past, "all").astype(np.float64), past["meta_model"].to_numpy())
        return np.asarray(model.predict(self.dataset.matrix(live.frame, "all")), dtype=np.float64)


@dataclass(frozen=True)
class Contrarian:
    """The second half of a p / 1-p pair: hands in one minus what its other account hands in."""

    other: Strategy

    def fit(self, dataset: Dataset, rng: np.random.Generator) -> "_FittedContrarian":
        """Fit the other half; the same generator state gives the same p."""
        return _FittedContrarian(self.other.fit(dataset, rng))


@dataclass(frozen=True)
class _FittedContrarian:
    other: Predictor

    def predict(self, rounds: Sequence[LiveRound], rng: np.random.Generator) -> FloatArray:
        return 1.0 - self.other.predict(rounds, rng)


def _example(live: LiveRound) -> FloatArray:
    """Give the published example predictions in the order of the live ids."""
    ordered = live.frame.select("id").join(live.example, on="id", how="left", maintain_order="left")
    return ordered["prediction"].to_numpy().astype(np.float64)
