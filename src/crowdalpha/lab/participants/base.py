"""What a participant is: a name, money to stake, and a strategy that turns published files into predictions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from crowdalpha.client import Dataset, LiveRound
from crowdalpha.lab.participants.sealed import SealedStrategy

FloatArray = NDArray[np.float64]

__all__ = ["Participant", "Predictor", "Strategy"]


class Predictor(Protocol):
    """A fitted model: may be kept, pickled and asked every round."""

    def predict(self, rounds: Sequence[LiveRound], rng: np.random.Generator) -> FloatArray:
        """Predict the newest of `rounds`; the earlier ones are what a participant has kept on disk.

        Parameters
        ----------
        rounds : sequence of LiveRound
            The published folders so far, oldest first; the last is the round that is open.
        rng : numpy.random.Generator
            Chance of this participant in this round.

        Returns
        -------
        ndarray of shape (n_live,), dtype=float64
            One prediction an id, in the order of `rounds[-1].ids`.
        """
        ...


class Strategy(Protocol):
    """How a participant gets a model from the published dataset."""

    def fit(self, dataset: Dataset, rng: np.random.Generator) -> Predictor:
        """Learn from the history, once, before the first round."""
        ...


@dataclass(frozen=True)
class Participant:
    """One model of the season and who is behind it.

    Attributes
    ----------
    name : str
        Of the model; unique in the season.
    account : str
        Who owns it; a p / 1-p pair is two accounts of one person.
    archetype : str
        The kind of behaviour, by which the report groups.
    strategy : Strategy or SealedStrategy
        How it predicts.
    stake : int
        Whole units put on the model before the first round.
    seed : int
        Of all chance in fitting and predicting; the two halves of a pair share it.
    """

    name: str
    account: str
    archetype: str
    strategy: Strategy | SealedStrategy
    stake: int
    seed: int
