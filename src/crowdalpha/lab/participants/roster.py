"""Who plays a season: a fixed mix of archetypes, drawn to any number of participants."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import cycle, islice

import numpy as np

from crowdalpha.lab.participants.base import Participant, Strategy
from crowdalpha.lab.participants.copies import Contrarian, ExampleCopy, MetaModelCopy, NoisyExampleCopy
from crowdalpha.lab.participants.noise import NoSkill, RandomLinear
from crowdalpha.lab.participants.sealed import SealedRidge, SealedStrategy, SealedTrees
from crowdalpha.lab.participants.trained import GradientBoosting, NearestNeighbours, NeuralNet, Ridge, TrainingData

__all__ = ["ARCHETYPES", "MIN_PARTICIPANTS", "SEALED_KINDS", "SEALED_SET", "draw_roster"]

ARCHETYPES = {
    "ridge": "honest: linear model with a penalty",
    "gradient_boosting": "honest: LightGBM",
    "neural_net": "honest: small multilayer perceptron",
    "nearest_neighbours": "honest: k nearest neighbours on recent eras",
    "no_skill": "noise, fresh every round or dressed as a random linear model",
    "example_copy": "hands in the published example",
    "noisy_copy": "the published example under noise",
    "meta_model_copy": "learns last week's published meta model and hands it in",
    "pair": "one person, two accounts: p and 1 - p",
    "sealed_ridge": "honest: linear model, run on encrypted rows",
    "sealed_trees": "honest: LightGBM of depth 2, run on encrypted rows",
}
"""Every kind of participant and what it does, in the order of the report."""

MIX = (
    *("ridge", "gradient_boosting", "no_skill", "neural_net", "gradient_boosting", "example_copy", "ridge"),
    *("nearest_neighbours", "gradient_boosting", "neural_net", "noisy_copy", "ridge", "gradient_boosting", "no_skill"),
    *("neural_net", "ridge", "nearest_neighbours"),
)
"""Order in which places are given out, over and over, after the meta-model copy and the pair have theirs."""

SEALED_KINDS = ("sealed_ridge", "sealed_trees")
"""Those on the sealed track, in turn; they take the last places."""

MIN_PARTICIPANTS = 4
"""The pair, the meta-model copy and one honest model."""

MEDIAN_STAKE, STAKE_SPREAD, MAX_STAKE = 150.0, 0.8, 800
"""Stakes are lognormal as in real tournaments, whatever the archetype, so that archetypes differ in skill alone."""

SEALED_SET = "small"
"""Features that are encrypted each round."""

FEATURE_SETS = ("small", "medium", "all")
TARGETS = ("target", "target_neutral_60", "target_sector_20", "target_neutral_20", "target_sector_60")
HISTORIES = (None, 200, 100)


def draw_roster(n_participants: int, rng: np.random.Generator, *, sealed: int = 0) -> list[Participant]:
    """Draw the participants of a season.

    Parameters
    ----------
    n_participants : int
        How many models play, at least `MIN_PARTICIPANTS`.
    rng : numpy.random.Generator
        Draws settings and stakes.
    sealed : int, default=0
        How many of them run on encrypted rows.

    Returns
    -------
    list of Participant
        The pair and the meta-model copy first, then the mix in its fixed order.
    """
    half = RandomLinear()
    special: list[tuple[str, Strategy | SealedStrategy]] = [
        ("pair", half),
        ("pair", Contrarian(half)),
        ("meta_model_copy", MetaModelCopy()),
    ]
    n_plain = n_participants - len(special) - sealed
    kinds = (*islice(cycle(MIX), n_plain), *islice(cycle(SEALED_KINDS), sealed))
    ordinary = ((kind, _STRATEGIES[kind](rng)) for kind in kinds)
    counts: dict[str, Iterator[int]] = {kind: iter(range(1, n_participants + 1)) for kind in ARCHETYPES}
    roster = []
    for kind, strategy in [*special, *ordinary]:
        name = f"{kind}_{next(counts[kind]):02d}"
        stake = MEDIAN_STAKE * np.exp(rng.normal(0.0, STAKE_SPREAD))
        seed = int(rng.integers(2**31))
        roster.append(Participant(name, f"{name}_owner", kind, strategy, int(np.clip(stake, 10, MAX_STAKE)), seed))
    # The two halves of a pair are one person: the same p, the same stake, which is what makes it a hedge.
    roster[1] = replace(roster[1], stake=roster[0].stake, seed=roster[0].seed)
    return roster


def _data(rng: np.random.Generator, histories: tuple[int | None, ...] = HISTORIES) -> TrainingData:
    return TrainingData(
        feature_set=FEATURE_SETS[rng.integers(len(FEATURE_SETS))],
        target=TARGETS[rng.integers(len(TARGETS))],
        last_eras=histories[rng.integers(len(histories))],
    )


def _sealed_data(rng: np.random.Generator) -> TrainingData:
    return replace(_data(rng), feature_set=SEALED_SET)


def _no_skill(rng: np.random.Generator) -> Strategy:
    return NoSkill() if rng.random() < 0.5 else RandomLinear()  # noqa: PLR2004  # an even coin


_STRATEGIES: dict[str, Callable[[np.random.Generator], Strategy | SealedStrategy]] = {
    "ridge": lambda rng: Ridge(_data(rng), penalty=float(10 ** rng.uniform(2, 4))),
    "gradient_boosting": lambda rng: GradientBoosting(
        _data(rng), trees=int(rng.integers(80, 170)), leaves=int(rng.integers(6, 20))
    ),
    "neural_net": lambda rng: NeuralNet(_data(rng), width=int(rng.integers(16, 48)), passes=int(rng.integers(3, 9))),
    "nearest_neighbours": lambda rng: NearestNeighbours(
        _data(rng, histories=(50, 30)), neighbours=int(rng.integers(150, 450))
    ),
    "no_skill": _no_skill,
    "example_copy": lambda _: ExampleCopy(),
    "noisy_copy": lambda rng: NoisyExampleCopy(noise_share=float(rng.uniform(0.2, 0.7))),
    "sealed_ridge": lambda rng: SealedRidge(_sealed_data(rng), penalty=float(10 ** rng.uniform(2, 4))),
    "sealed_trees": lambda rng: SealedTrees(_sealed_data(rng), trees=int(rng.integers(80, 170))),
}
