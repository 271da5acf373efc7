"""Models that are sums of tables over one or two features' bins: quantised to integers, then to polynomials.

With five bins every function of a feature is a polynomial of degree 4, and modulo a prime its coefficients are
integers, so nothing is lost: additive models and forests of depth 2 are computed exactly.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from crowdalpha.release.sealed.container import CENTRE
from crowdalpha.release.sealed.errors import SealedError

__all__ = ["N_BINS", "IntegerTables", "Left", "Polynomial", "Tables", "polynomial_of"]

N_BINS = 5
DEGREE = 4
Table = NDArray[np.float64]
IntegerTable = NDArray[np.int64]
Coefficients = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class IntegerTables:
    """A model in integers: what is computed under encryption, exactly.

    Parameters
    ----------
    singles : mapping of int to ndarray of shape (5,), dtype=int64
        By feature.
    pairs : mapping of (int, int) to ndarray of shape (5, 5), dtype=int64
        By two features.
    scale : float
        What the model was multiplied by.
    """

    singles: Mapping[int, IntegerTable]
    pairs: Mapping[tuple[int, int], IntegerTable]
    scale: float

    def predict(self, bins: NDArray[np.int64]) -> NDArray[np.int64]:
        """Compute in the clear.

        Parameters
        ----------
        bins : ndarray of shape (n_rows, n_features), dtype=int64
            0 to 4.

        Returns
        -------
        ndarray of shape (n_rows,), dtype=int64
            What a sealed run decrypts to.
        """
        total = np.zeros(len(bins), dtype=np.int64)
        for feature, table in self.singles.items():
            total += table[bins[:, feature]]
        for (left, right), table in self.pairs.items():
            total += table[bins[:, left], bins[:, right]]
        return total

    @property
    def range(self) -> tuple[int, int]:
        """Bounds of what it can predict."""
        every = [*self.singles.values(), *self.pairs.values()]
        return sum(int(table.min()) for table in every), sum(int(table.max()) for table in every)


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """A sum of tables.

    Parameters
    ----------
    singles : dict of int to ndarray of shape (5,), dtype=float64
        By feature.
    pairs : dict of (int, int) to ndarray of shape (5, 5), dtype=float64
        By two features, the smaller first.
    """

    singles: dict[int, Table] = field(default_factory=dict)
    pairs: dict[tuple[int, int], Table] = field(default_factory=dict)

    def single(self, feature: int) -> Table:
        """Give the table of a feature, to be added to."""
        return self.singles.setdefault(feature, np.zeros(N_BINS))

    def pair(self, left: int, right: int) -> Table:
        """Give the table of two features, the smaller first, to be added to."""
        return self.pairs.setdefault((left, right), np.zeros((N_BINS, N_BINS)))

    def quantised(self, limit: int) -> IntegerTables:
        """Scale to the largest integers whose sum cannot leave a range, and round.

        Parameters
        ----------
        limit : int
            The largest result, in size.

        Returns
        -------
        IntegerTables
            Equal to this but for a constant and for rounding.

        Raises
        ------
        SealedError
            If a number is not finite, or all predictions are equal.

        Notes
        -----
        What a pair says about each of its features alone is moved to that feature first: ranges get smaller, integers
        finer. Steps between bins are rounded, not values, so that bins that a model does not tell apart stay equal.
        """
        if not all(np.isfinite(table).all() for table in (*self.singles.values(), *self.pairs.values())):
            raise SealedError("the model has a number that is not finite")
        moved = self._centred()
        every = [*moved.singles.values(), *moved.pairs.values()]
        size = max(sum(float(table.max()) for table in every), -sum(float(table.min()) for table in every), 0.0)
        if size <= np.finfo(np.float64).tiny:
            raise SealedError("the model predicts the same for every row, which ranks nothing")
        scale = limit / size
        while True:  # rounding may add a little: shrink until the bound holds, which takes one or two turns
            found = moved.rounded(scale)
            reach = max(-found.range[0], found.range[1])
            if reach <= limit:
                return found
            scale *= (limit / reach) * (1.0 - 1e-6)

    def rounded(self, scale: float) -> IntegerTables:
        """Multiply and round; tables that become zero are left out."""
        singles = {feature: _rounded(table * scale) for feature, table in self.singles.items()}
        pairs = {both: _rounded(table * scale) for both, table in self.pairs.items()}
        return IntegerTables(
            {feature: table for feature, table in singles.items() if table.any()},
            {both: table for both, table in pairs.items() if table.any()},
            scale,
        )

    def _centred(self) -> "Tables":
        """Move means of pairs to single features, and drop the constant."""
        moved = Tables({feature: table.copy() for feature, table in self.singles.items()})
        for (left, right), table in self.pairs.items():
            rows, columns, mean = table.mean(axis=1), table.mean(axis=0), table.mean()
            moved.single(left)[:] += rows
            moved.single(right)[:] += columns
            moved.pairs[left, right] = table - rows[:, None] - columns[None, :] + mean
        for feature, table in moved.singles.items():
            moved.singles[feature] = table - (table.max() + table.min()) / 2
        return moved


@dataclass(frozen=True, slots=True)
class Left:
    """One factor of products: a step function of a feature, and what it is multiplied by.

    Parameters
    ----------
    feature : int
        The feature.
    coefficients : tuple of int
        Of its powers 1 to 4.
    rights : tuple of (int, tuple of int)
        Features and coefficients of their powers, which add up to the other factor.
    """

    feature: int
    coefficients: Coefficients
    rights: tuple[tuple[int, Coefficients], ...]


@dataclass(frozen=True, slots=True)
class Polynomial:
    """A model as a polynomial modulo a prime, in centred bins -2 to 2.

    Parameters
    ----------
    prime : int
        The modulus.
    constant : int
        Its constant.
    singles : tuple of (int, tuple of int)
        Features and coefficients of their powers 1 to 4.
    lefts : tuple of Left
        Products, grouped by their left factor.
    """

    prime: int
    constant: int
    singles: tuple[tuple[int, Coefficients], ...]
    lefts: tuple[Left, ...]

    @property
    def powered(self) -> tuple[int, ...]:
        """Features of which more than the first power is needed."""
        found = {left.feature for left in self.lefts if any(left.coefficients[1:])}
        every = [*self.singles, *(right for left in self.lefts for right in left.rights)]
        return tuple(sorted(found | {feature for feature, each in every if any(each[1:])}))

    @property
    def levels(self) -> int:
        """Products that follow one another."""
        return (2 if self.powered else 0) + bool(self.lefts)

    def evaluate(self, bins: NDArray[np.int64]) -> NDArray[np.int64]:
        """Compute modulo the prime in the clear; gives integers about zero.

        Parameters
        ----------
        bins : ndarray of shape (n_rows, n_features), dtype=int64
            0 to 4.

        Returns
        -------
        ndarray of shape (n_rows,), dtype=int64
            The plaintext twin of a sealed run.
        """
        x = bins - CENTRE
        total = np.full(len(bins), self.constant, dtype=np.int64)
        for feature, coefficients in self.singles:
            total = (total + self._value(x[:, feature], coefficients)) % self.prime
        for left in self.lefts:
            others = np.zeros(len(bins), dtype=np.int64)
            for feature, coefficients in left.rights:
                others = (others + self._value(x[:, feature], coefficients)) % self.prime
            total = (total + self._value(x[:, left.feature], left.coefficients) * others) % self.prime
        return np.where(total > self.prime // 2, total - self.prime, total)

    def _value(self, x: NDArray[np.int64], coefficients: Coefficients) -> NDArray[np.int64]:
        powers = x[:, None] ** np.arange(1, DEGREE + 1)
        value: NDArray[np.int64] = (powers * np.array(coefficients)).sum(axis=1) % self.prime
        return value


def polynomial_of(tables: IntegerTables, prime: int) -> Polynomial:
    """Write a model as a polynomial.

    Parameters
    ----------
    tables : IntegerTables
        The model.
    prime : int
        Above 4; results are exact while they stay below half of it.

    Returns
    -------
    Polynomial
        Equal to the model for all bins.

    Notes
    -----
    A pair is anchored at the middle bin, where centred bins are zero, so that it has mixed terms alone. It is then a
    sum over steps of one feature, times functions of the other. Which of two features is the left one is chosen
    greedily, so that few steps need a product.
    """
    inverse = _inverse_vandermonde(prime)
    singles = {feature: table.copy() for feature, table in tables.singles.items()}
    anchored: dict[tuple[int, int], IntegerTable] = {}
    for (left, right), table in tables.pairs.items():
        corner = table[CENTRE, CENTRE]
        singles.setdefault(left, np.zeros(N_BINS, dtype=np.int64))[:] += table[:, CENTRE]
        singles.setdefault(right, np.zeros(N_BINS, dtype=np.int64))[:] += table[CENTRE] - corner
        anchored[left, right] = table - table[:, [CENTRE]] - table[[CENTRE]] + corner
    found = {feature: _coefficients(table - table[CENTRE], inverse, prime) for feature, table in singles.items()}
    return Polynomial(
        prime,
        int(sum(int(table[CENTRE]) for table in singles.values()) % prime),
        tuple((feature, each) for feature, each in sorted(found.items()) if any(each)),
        _lefts(anchored, inverse, prime),
    )


def _lefts(pairs: Mapping[tuple[int, int], IntegerTable], inverse: NDArray[np.int64], prime: int) -> tuple[Left, ...]:
    waiting = {both: table for both, table in pairs.items() if table.any()}
    found: list[Left] = []
    while waiting:
        counts: dict[int, int] = {}
        for both in waiting:
            for feature in both:
                counts[feature] = counts.get(feature, 0) + 1
        chosen = max(counts, key=lambda feature: (counts[feature], -feature))
        taken = [both for both in waiting if chosen in both]
        oriented = {
            sum(both) - chosen: waiting.pop(both) if both[0] == chosen else waiting.pop(both).T for both in taken
        }
        found.extend(_steps(chosen, oriented, inverse, prime))
    return tuple(found)


def _steps(feature: int, others: Mapping[int, IntegerTable], inverse: NDArray[np.int64], prime: int) -> list[Left]:
    """Split a feature's pairs by its steps: the table of a step is what crossing it adds."""
    found: list[Left] = []
    for step in range(1, N_BINS):
        added = {other: table[step] - table[step - 1] for other, table in sorted(others.items())}
        rights = tuple((other, _coefficients(table, inverse, prime)) for other, table in added.items() if table.any())
        if rights:
            indicator = (np.arange(N_BINS) >= step).astype(np.int64)
            found.append(Left(feature, _coefficients(indicator - indicator[CENTRE], inverse, prime), rights))
    return found


def _rounded(table: Table) -> IntegerTable:
    """Round steps along each axis, then add them up."""
    for axis in range(table.ndim):
        table = np.diff(table, axis=axis, prepend=0.0)
    steps = np.rint(table).astype(np.int64)
    for axis in range(steps.ndim):
        steps = steps.cumsum(axis=axis)
    return steps


def _inverse_vandermonde(prime: int) -> NDArray[np.int64]:
    """Give the matrix from values at -2 to 2 to coefficients of powers 0 to 4, modulo a prime."""
    rows = []
    points = [at - CENTRE for at in range(N_BINS)]
    for at, point in enumerate(points):
        coefficients, below = [1], 1
        for other in points[:at] + points[at + 1 :]:
            shifted, scaled = [0, *coefficients], [-other * each for each in coefficients] + [0]
            coefficients = [one + two for one, two in zip(shifted, scaled, strict=True)]
            below *= point - other
        rows.append([each * pow(below, -1, prime) % prime for each in coefficients])
    return np.array(rows, dtype=np.int64).T


def _coefficients(table: IntegerTable, inverse: NDArray[np.int64], prime: int) -> Coefficients:
    """Interpolate a table that is zero at the middle bin."""
    found = (inverse @ (table % prime)) % prime
    one, two, three, four = (int(each) for each in found[1:])
    return one, two, three, four
