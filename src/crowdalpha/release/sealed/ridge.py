"""Ridge regression trained on encrypted second moments, then used on an encrypted era.

The inverse of a matrix is replaced by a polynomial that interpolates 1 / (x + penalty) at Chebyshev nodes, in Newton's
form with nodes in Leja's order: in the basis of powers the same polynomial loses all digits at higher degrees.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdalpha.release.sealed.eras import n_blocks, tile_member
from crowdalpha.release.sealed.errors import SealedError
from crowdalpha.release.sealed.moments import GRAM_RANGE, moment_member, n_sets
from crowdalpha.release.sealed.plans import Cost, Desk, Operations, Plan, Sources, Task, need_profile, output_name
from crowdalpha.release.sealed.ring import Ciphertext, Ring
from crowdalpha.release.sealed.tiles import WIDTH, first_column, spread, sum_columns, sum_rows, two_squares

__all__ = ["MomentRidge", "NewtonInverse", "newton_inverse"]

PROFILE = "ckks-train-1"
DEGREE = 5
LEVELS = 9
TRAINED = "trained"
LEAST_PENALTY = 0.01
# Rotations of a step to columns, and of one back to rows.
TO_COLUMNS, TO_ROWS = 6, 12


@dataclass(frozen=True, slots=True)
class NewtonInverse:
    """A polynomial close to 1 / (x + shift) on an interval, in Newton's form.

    Parameters
    ----------
    coefficients : tuple of float
        Divided differences, of degrees 0 up.
    nodes : tuple of float
        Where it is exact, in the order in which it is evaluated.
    """

    coefficients: tuple[float, ...]
    nodes: tuple[float, ...]

    def apply(self, gram: NDArray[np.float64], vector: NDArray[np.float64]) -> NDArray[np.float64]:
        """Multiply a vector by the polynomial of a matrix, as a sealed run does it, divided by the last coefficient.

        Parameters
        ----------
        gram : ndarray of shape (n, n), dtype=float64
            Symmetric, with eigenvalues in the interval.
        vector : ndarray of shape (n,), dtype=float64
            What it is applied to.

        Returns
        -------
        ndarray of shape (n,), dtype=float64
            The plaintext twin of training.
        """
        last = self.coefficients[-1]
        found = vector
        for coefficient, node in zip(self.coefficients[-2::-1], self.nodes[-2::-1], strict=True):
            found = gram @ found - node * found + coefficient / last * vector
        return found if last > 0 else -found


def newton_inverse(degree: int, shift: float, *, top: float = GRAM_RANGE) -> NewtonInverse:
    """Interpolate 1 / (x + shift) on [0, top].

    Parameters
    ----------
    degree : int
        Of the polynomial.
    shift : float
        Above 0.
    top : float, default=4
        End of the interval.

    Returns
    -------
    NewtonInverse
        Exact at the Chebyshev nodes.

    References
    ----------
    Reichel, L., Newton interpolation at Leja points, BIT 30 (1990).
    """
    angles = (2 * np.arange(degree + 1) + 1) * np.pi / (2 * (degree + 1))
    waiting = list(top / 2 + top / 2 * np.cos(angles))
    nodes = [waiting.pop(int(np.argmax(waiting)))]
    while waiting:
        distances = [float(np.log(np.abs(each - np.array(nodes))).sum()) for each in waiting]
        nodes.append(waiting.pop(int(np.argmax(distances))))
    at = np.array(nodes)
    differences = 1.0 / (at + shift)
    for order in range(1, degree + 1):
        differences[order:] = np.diff(differences)[order - 1 :] / (at[order:] - at[:-order])
    return NewtonInverse(tuple(differences.tolist()), tuple(at.tolist()))


@dataclass(frozen=True, slots=True)
class Train:
    """Pools moments and computes the weights of the ridge, along columns."""

    weights: tuple[int, ...]
    inverse: NewtonInverse

    @property
    def made(self) -> tuple[str, ...]:
        """The weights."""
        return (TRAINED,)

    def run(self, desk: Desk) -> None:
        """Evaluate the polynomial by Horner's rule; steps alternate between the two layouts."""
        ring = desk.ring
        gram, along_rows, along_columns = (self._pooled(desk, kind) for kind in ("gram", "rows", "columns"))
        last = self.inverse.coefficients[-1]
        found, in_rows = along_rows, True
        for coefficient, node in zip(self.inverse.coefficients[-2::-1], self.inverse.nodes[-2::-1], strict=True):
            shifted = ring.lowered(ring.shifted(gram, two_squares(-node * np.eye(WIDTH))), ring.level(found))
            product = ring.rescaled(ring.relinearised(ring.multiplied(shifted, found)))
            found = sum_rows(ring, product) if in_rows else _back_to_rows(ring, product)
            in_rows = not in_rows
            vector = along_rows if in_rows else along_columns
            found = ring.added(_at_scale_of(ring, vector, coefficient / last, found), found)
        desk.leave(TRAINED, found)

    def _pooled(self, desk: Desk, kind: str) -> Ciphertext:
        total: Ciphertext | None = None
        for at, weight in enumerate(self.weights):
            if weight:
                part = desk.take(moment_member(kind, at))
                total = desk.ring.added(total, part if weight == 1 else desk.ring.scaled(part, float(weight), 1.0))
        if total is None:
            raise SealedError("no set of moments has a weight")
        return total


@dataclass(frozen=True, slots=True)
class PredictTiles:
    """Multiplies tiles of rows with the weights, and packs results of up to 64 tiles into a ciphertext."""

    output: int
    tiles: tuple[int, ...]
    sign: float

    @property
    def made(self) -> tuple[str, ...]:
        """Results."""
        return (output_name(self.output),)

    def run(self, desk: Desk) -> None:
        """Go from the last tile to the first, moving what there is one column on each time."""
        ring = desk.ring
        weights = desk.take(TRAINED)
        packed: Ciphertext | None = None
        for tile in reversed(self.tiles):
            rows = ring.lowered(desk.take(tile_member(tile)), ring.level(weights))
            product = ring.rescaled(ring.relinearised(ring.multiplied(rows, weights)))
            column = first_column(ring, sum_columns(ring, product), self.sign)
            packed = column if packed is None else ring.added(ring.rotated(packed, -1), column)
        if packed is None:
            raise SealedError("there are no rows to predict")
        desk.leave(output_name(self.output), packed)


@dataclass(frozen=True, slots=True)
class MomentRidge:
    """Ridge regression, trained without seeing a row.

    Parameters
    ----------
    penalty : float, default=0.05
        Added to the diagonal of the moments, as a share of their largest eigenvalue; at least 0.01.
    weights : sequence of int, default=None
        How much each set of moments counts; adds up to at most the number of sets. None counts all alike.
    """

    penalty: float = 0.05
    weights: Sequence[int] | None = None

    @property
    def inverse(self) -> NewtonInverse:
        """The polynomial that stands for the inverse."""
        return newton_inverse(DEGREE, GRAM_RANGE * self.penalty)

    def plan(self, sources: Sources) -> Plan:
        """Lower training and prediction to work on ciphertexts.

        Parameters
        ----------
        sources : Sources
            An era and moments of `ckks-train-1`, of the same features.

        Returns
        -------
        Plan
            Nine levels, all there are.

        Raises
        ------
        SealedError
            If moments are missing or of other features, or a number is out of range.
        """
        need_profile(sources.era.profile, (PROFILE,), "a moment ridge")
        moments = sources.moments
        if moments is None or moments.content.features != sources.era.content.features:
            raise SealedError("a moment ridge needs the round's encrypted moments, of the same features as its era")
        if moments.content.key_id != sources.era.content.key_id:
            raise SealedError("the moments were encrypted with another key than the era; fetch both of one round")
        if not LEAST_PENALTY <= self.penalty <= 1.0 / LEAST_PENALTY:
            raise SealedError(f"penalty {self.penalty} is not between {LEAST_PENALTY} and {1 / LEAST_PENALTY:g}")
        tiles = n_blocks(sources.era.profile, sources.era.content.n_rows)
        groups = [tuple(range(at, min(at + WIDTH, tiles))) for at in range(0, tiles, WIDTH)]
        sign = 1.0 if self.inverse.coefficients[-1] > 0 else -1.0
        predictions: tuple[Task, ...] = tuple(PredictTiles(at, group, sign) for at, group in enumerate(groups))
        sets = n_sets(moments)
        train = Train(_normalised(self.weights, sets), self.inverse)
        operations = Operations(
            loads=3 * sets + tiles,
            scalars=DEGREE + DEGREE // 2 + tiles,
            products=DEGREE + tiles,
            relinearisations=DEGREE + tiles,
            rotations=TO_COLUMNS * (DEGREE - DEGREE // 2) + TO_ROWS * (DEGREE // 2) + (TO_COLUMNS + 1) * tiles,
        )
        cost = Cost.of(operations, levels=LEVELS, sources=sources, n_outputs=len(groups))
        return Plan("moment ridge", sources, ((train,), predictions), len(groups), cost)


def _normalised(weights: Sequence[int] | None, sets: int) -> tuple[int, ...]:
    """Check weights, and raise them together as far as they stay in the range of the polynomial."""
    found = tuple(int(weight) for weight in weights) if weights is not None else (1,) * sets
    if len(found) != sets or min(found) < 0 or not 0 < sum(found) <= sets:
        raise SealedError(
            f"there are {sets} sets of moments: give each a whole number from 0 on, adding up to 1 to {sets}"
        )
    return tuple(weight * (sets // sum(found)) for weight in found)


def _back_to_rows(ring: Ring, product: Ciphertext) -> Ciphertext:
    return spread(ring, first_column(ring, sum_columns(ring, product)))


def _at_scale_of(ring: Ring, source: Ciphertext, factor: float, wanted: Ciphertext) -> Ciphertext:
    """Multiply by a number so that level and scale become those of another ciphertext."""
    level = ring.level(wanted)
    lowered = ring.lowered(source, level + 1)
    scale = wanted.scale * ring.primes[level + 1] / source.scale
    found = ring.rescaled(ring.scaled(lowered, factor, scale))
    found.scale = wanted.scale  # equal but for rounding of floats
    return found
