"""Linear models: a weighted sum of features, exact in integers."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral

import numpy as np
from numpy.typing import NDArray

from crowdalpha.release.sealed.eras import column_member, n_blocks
from crowdalpha.release.sealed.errors import OverflowingModelError, SealedError
from crowdalpha.release.sealed.parameters import PROFILES, Profile
from crowdalpha.release.sealed.plans import Cost, Desk, Operations, Plan, Sources, need_profile, output_name

__all__ = ["LinearModel"]

EXACT = tuple(name for name, profile in PROFILES.items() if profile.plain_prime)
HIGHEST = 2


@dataclass(frozen=True, slots=True)
class WeightedColumns:
    """Adds features of one block of rows times integers."""

    block: int
    terms: tuple[tuple[int, int], ...]

    @property
    def made(self) -> tuple[str, ...]:
        """The result of the block."""
        return (output_name(self.block),)

    def run(self, desk: Desk) -> None:
        """Add, and switch to the smallest modulus."""
        total = desk.ring.weighted_sum(
            (desk.take(column_member(feature, self.block)), weight) for feature, weight in self.terms
        )
        if total is None:
            raise SealedError("a model without weights ranks nothing")
        desk.leave(output_name(self.block), desk.ring.lowered(total, 0))


@dataclass(frozen=True, slots=True)
class LinearModel:
    """A weighted sum of features; a constant would not change ranks and is left out.

    Parameters
    ----------
    weights : mapping of str to float or int
        By feature. If all are integers they are used as they are; otherwise they are scaled to the largest integers
        whose sum cannot overflow, and rounded.

    Examples
    --------
    >>> LinearModel({"feature_a": 0.25, "feature_b": -1.5})
    LinearModel(weights={'feature_a': 0.25, 'feature_b': -1.5})
    """

    weights: Mapping[str, float]

    def plan(self, sources: Sources) -> Plan:
        """Lower the model.

        Parameters
        ----------
        sources : Sources
            An era of a BFV parameter set.

        Returns
        -------
        Plan
            Whose `scale` says what weights were multiplied by.

        Raises
        ------
        OverflowingModelError
            If integer weights can leave the exact range; the message gives the range.
        SealedError
            If a feature is unknown, no weight is left, or the era is of another parameter set.

        Notes
        -----
        Cost of the run: one product with a plain number a feature, 0.04 ms each.
        """
        profile = sources.era.profile
        need_profile(profile, EXACT, "a linear model")
        columns = [sources.position(name) for name in self.weights]
        integers, scale = _integers(np.array(list(self.weights.values())), exact=self._exact, profile=profile)
        terms = tuple((at, int(weight)) for at, weight in zip(columns, integers, strict=True) if weight)
        if not terms:
            raise SealedError("all weights are zero, which ranks nothing")
        blocks = n_blocks(profile, sources.era.content.n_rows)
        stage = tuple(WeightedColumns(block, terms) for block in range(blocks))
        operations = Operations(loads=blocks * len(terms), scalars=blocks * len(terms))
        cost = Cost.of(operations, levels=0, sources=sources, n_outputs=blocks)
        return Plan("linear", sources, (stage,), blocks, cost, scale)

    @property
    def _exact(self) -> bool:
        return all(isinstance(weight, Integral) for weight in self.weights.values())


def _integers(weights: NDArray[np.float64], *, exact: bool, profile: Profile) -> tuple[NDArray[np.int64], float]:
    if not np.isfinite(weights).all():
        raise SealedError("a weight is not a finite number")
    size = float(np.abs(weights).sum())
    limit = profile.largest_result
    if exact:
        if HIGHEST * size > limit:
            raise OverflowingModelError(
                f"the weights add up to {int(size)} in size, and results reach {HIGHEST} times that; {profile.name} is "
                f"exact up to {limit}: use smaller weights, or floats, which are scaled"
            )
        return weights.astype(np.int64), 1.0
    if size == 0.0:
        return np.zeros(len(weights), dtype=np.int64), 1.0
    scale = (limit / HIGHEST - len(weights) / 2) / size  # rounding adds at most a half a weight
    return np.rint(weights * scale).astype(np.int64), scale
