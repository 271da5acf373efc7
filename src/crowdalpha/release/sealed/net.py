"""Nets with one hidden layer of squares."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdalpha.release.sealed.eras import column_member, n_blocks
from crowdalpha.release.sealed.errors import SealedError
from crowdalpha.release.sealed.plans import Cost, Desk, Operations, Plan, Sources, need_profile, output_name
from crowdalpha.release.sealed.ring import Ciphertext

__all__ = ["SquareNet"]

PROFILE = "ckks-poly-1"
LEVELS = 2
UNIT_SCALE = 2.0**39
# The last modulus leaves 11 bits before the point; sums cannot be larger than this.
LARGEST = 256.0


@dataclass(frozen=True, slots=True)
class Units:
    """Computes a net in one block of rows."""

    block: int
    columns: tuple[int, ...]
    units: tuple[tuple[tuple[float, ...], float, bool], ...]

    @property
    def made(self) -> tuple[str, ...]:
        """The result of the block."""
        return (output_name(self.block),)

    def run(self, desk: Desk) -> None:
        """Sum, rescale, square; add squares with their signs; relinearise once."""
        ring = desk.ring
        inputs = [desk.take(column_member(column, self.block)) for column in self.columns]
        total: Ciphertext | None = None
        for weights, bias, negative in self.units:
            unit: Ciphertext | None = None
            for source, weight in zip(inputs, weights, strict=True):
                if weight:
                    unit = ring.added(unit, ring.scaled(source, weight, UNIT_SCALE))
            if unit is None:
                continue
            unit = ring.rescaled(unit)
            square = ring.squared(ring.shifted(unit, bias) if bias else unit)
            total = ring.added(total, ring.negated(square) if negative else square)
        if total is None:
            raise SealedError("a net without weights ranks nothing")
        desk.leave(output_name(self.block), ring.lowered(ring.rescaled(ring.relinearised(total)), 0))


@dataclass(frozen=True, slots=True, eq=False)
class SquareNet:
    """A net: features, a hidden layer whose units are squared, a weighted sum. Features are centred bins -2 to 2.

    Parameters
    ----------
    features : sequence of str
        Inputs.
    weights : ndarray of shape (n_hidden, n_features), dtype=float64
        Of the hidden layer.
    biases : ndarray of shape (n_hidden,), dtype=float64
        Of the hidden layer.
    output : ndarray of shape (n_hidden,), dtype=float64
        What each square counts.
    """

    features: Sequence[str]
    weights: NDArray[np.float64]
    biases: NDArray[np.float64]
    output: NDArray[np.float64]

    def predict(self, bins: NDArray[np.int64]) -> NDArray[np.float64]:
        """Compute in the clear.

        Parameters
        ----------
        bins : ndarray of shape (n_rows, n_features), dtype=int64
            0 to 4, in the order of `features`.

        Returns
        -------
        ndarray of shape (n_rows,), dtype=float64
            What a sealed run gives to about seven digits.
        """
        hidden: NDArray[np.float64] = ((bins - 2) @ self.weights.T + self.biases) ** 2
        return hidden @ self.output

    def plan(self, sources: Sources) -> Plan:
        """Lower the net; the weight of a square goes into the square, which saves a level.

        Parameters
        ----------
        sources : Sources
            An era of `ckks-poly-1`.

        Returns
        -------
        Plan
            Two levels.

        Raises
        ------
        SealedError
            If shapes differ, a number is not finite, a feature is unknown, or the era is of another parameter set.

        Notes
        -----
        Results are brought to a size of about one, which changes no rank.
        """
        need_profile(sources.era.profile, (PROFILE,), "a square net")
        n_hidden, n_features = len(self.output), len(self.features)
        numbers = (self.weights, self.biases, self.output)
        if self.weights.shape != (n_hidden, n_features) or self.biases.shape != (n_hidden,):
            raise SealedError(
                f"the net has {n_features} features and {n_hidden} output weights, but weights of shape "
                f"{self.weights.shape} and biases of shape {self.biases.shape}"
            )
        if not all(np.isfinite(each).all() for each in numbers):
            raise SealedError("the net has a number that is not finite")
        columns = tuple(sources.position(name) for name in self.features)
        blocks = n_blocks(sources.era.profile, sources.era.content.n_rows)
        units, scale = self._units()
        stage = tuple(Units(block, columns, units) for block in range(blocks))
        used = sum(sum(map(bool, weights)) for weights, _, _ in units)
        operations = Operations(
            loads=blocks * n_features, scalars=blocks * used, products=blocks * len(units), relinearisations=blocks
        )
        cost = Cost.of(operations, levels=LEVELS, sources=sources, n_outputs=blocks)
        return Plan("square net", sources, (stage,), blocks, cost, scale)

    def _units(self) -> tuple[tuple[tuple[tuple[float, ...], float, bool], ...], float]:
        size = (2 * np.abs(self.weights).sum(axis=1) + np.abs(self.biases)) ** 2 * np.abs(self.output)
        if size.sum() == 0.0:
            raise SealedError("the net predicts the same for every row, which ranks nothing")
        scale = LARGEST / float(size.sum())
        roots = np.sqrt(np.abs(self.output) * scale)
        weights, biases = self.weights * roots[:, None], self.biases * roots
        return (
            tuple(
                (tuple(row), bias, sign < 0)
                for row, bias, sign in zip(weights.tolist(), biases.tolist(), self.output.tolist(), strict=True)
                if sign
            ),
            scale,
        )
