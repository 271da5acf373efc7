"""Additive models and forests of boosted trees, exact on encrypted bins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from crowdalpha.release.sealed.errors import SealedError, TooDeepError
from crowdalpha.release.sealed.lightgbm_text import Leaf, Node, read_trees
from crowdalpha.release.sealed.plans import Plan, Sources
from crowdalpha.release.sealed.polynomials import plan_tables
from crowdalpha.release.sealed.tables import N_BINS, IntegerTables, Tables

__all__ = ["AdditiveModel", "Booster", "Forest"]

MAX_FEATURES = 2
# A product of steps `bin of feature >= step`, one a feature.
Monomial = frozenset[tuple[int, int]]


class Booster(Protocol):
    """A trained LightGBM model."""

    def model_to_string(self) -> str:
        """Write the model as text."""
        ...


@dataclass(frozen=True, slots=True)
class AdditiveModel:
    """A sum of functions of single features.

    Parameters
    ----------
    tables : mapping of str to sequence of 5 floats
        By feature: the value of each bin.

    Examples
    --------
    >>> AdditiveModel({"feature_a": (0.0, 0.1, 0.5, 0.1, 0.0)})
    AdditiveModel(tables={'feature_a': (0.0, 0.1, 0.5, 0.1, 0.0)})
    """

    tables: Mapping[str, Sequence[float]]

    def quantised(self, sources: Sources) -> IntegerTables:
        """Give the integers that a sealed run computes with.

        Raises
        ------
        SealedError
            If a table has not five finite values, or a feature is unknown.
        """
        found = Tables()
        for name, values in self.tables.items():
            if len(values) != N_BINS:
                raise SealedError(f"the table of '{name}' has {len(values)} values; a bin each makes {N_BINS}")
            found.single(sources.position(name))[:] += np.array(values, dtype=np.float64)
        return found.quantised(sources.era.profile.largest_result)

    def plan(self, sources: Sources) -> Plan:
        """Lower the model.

        Parameters
        ----------
        sources : Sources
            An era of `bfv-trees-1`.

        Returns
        -------
        Plan
            Two levels: powers of features.

        Raises
        ------
        TooDeepError
            If the era's parameter set has no products.
        SealedError
            If the model does not fit the era.
        """
        return plan_tables("additive", self.quantised(sources), sources)


@dataclass(frozen=True, slots=True)
class Forest:
    """A sum of decision trees on bins.

    Parameters
    ----------
    trees : tuple of Leaf or Node
        With features by name.
    """

    trees: tuple[Leaf | Node, ...]

    @classmethod
    def from_lightgbm(cls, model: Booster | Path | str) -> "Forest":
        """Take the trees of a LightGBM model that was trained on bins 0 to 4.

        Parameters
        ----------
        model : Booster, Path or str
            A booster, a model file (`booster.save_model`), or its text.

        Returns
        -------
        Forest
            The same predictions, but for a constant and a monotone link.

        Raises
        ------
        SealedError
            If it cannot be read, has categories, linear leaves or several classes, or was trained on other values.
        """
        if isinstance(model, Path):
            try:
                text = model.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise SealedError(f"{model}: cannot be read as a LightGBM model file") from error
        else:
            text = model if isinstance(model, str) else model.model_to_string()
        return cls(read_trees(text))

    def quantised(self, sources: Sources) -> IntegerTables:
        """Give the integers that a sealed run computes with.

        Raises
        ------
        TooDeepError
            If a tree asks for three features at once.
        SealedError
            If a feature is unknown, or the forest predicts a constant.
        """
        found = Tables()
        for number, tree in enumerate(self.trees):
            for monomial, value in _monomials(tree, sources, number).items():
                _add(found, sorted(monomial), value)
        return found.quantised(sources.era.profile.largest_result)

    def plan(self, sources: Sources) -> Plan:
        """Lower the forest.

        Parameters
        ----------
        sources : Sources
            An era of `bfv-trees-1`.

        Returns
        -------
        Plan
            Three levels: powers of features, and one product of two features.

        Raises
        ------
        TooDeepError
            If a tree asks for three features at once, or the parameter set has too few levels.
        SealedError
            If the model does not fit the era.
        """
        return plan_tables("forest", self.quantised(sources), sources)


def _monomials(tree: Leaf | Node, sources: Sources, number: int) -> dict[Monomial, float]:
    """Write a tree as a sum of products of steps: a node is its left side, and where the step holds, the difference."""
    if isinstance(tree, Leaf):
        return {frozenset(): tree.value}
    left, right = _monomials(tree.left, sources, number), _monomials(tree.right, sources, number)
    step = (sources.position(tree.feature), tree.step)
    found = dict(left)
    for side, sign in ((right, 1.0), (left, -1.0)):
        for monomial, value in side.items():
            product = _times(monomial, step)
            if len(product) > MAX_FEATURES:
                raise TooDeepError(
                    f"tree {number} asks for {len(product)} features at once, which needs more levels than there are; "
                    "train with max_depth=2"
                )
            found[product] = found.get(product, 0.0) + sign * value
    return found


def _times(monomial: Monomial, step: tuple[int, int]) -> Monomial:
    """Multiply by a step; of two steps of one feature the higher remains."""
    steps = dict(monomial)
    steps[step[0]] = max(step[1], steps.get(step[0], 0))
    return frozenset(steps.items())


def _add(tables: Tables, steps: Sequence[tuple[int, int]], value: float) -> None:
    if len(steps) == 1:
        feature, step = steps[0]
        tables.single(feature)[step:] += value
    elif steps:
        (left, first), (right, second) = steps
        tables.pair(left, right)[first:, second:] += value
