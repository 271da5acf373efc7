"""Running a polynomial on an encrypted era: powers of features, then products, then their sum."""

from dataclasses import dataclass

from crowdalpha.release.sealed.eras import column_member, n_blocks
from crowdalpha.release.sealed.errors import SealedError, TooDeepError
from crowdalpha.release.sealed.parameters import PROFILES
from crowdalpha.release.sealed.plans import Cost, Desk, Operations, Plan, Sources, Stage, need_profile, output_name
from crowdalpha.release.sealed.ring import Ciphertext
from crowdalpha.release.sealed.tables import Coefficients, IntegerTables, Left, Polynomial, polynomial_of

__all__ = ["EXACT", "plan_tables"]

EXACT = tuple(name for name, profile in PROFILES.items() if profile.plain_prime)
GROUP = 8


def _power(feature: int, block: int, exponent: int) -> str:
    return column_member(feature, block) if exponent == 1 else f"power/{feature}/{block}/{exponent}"


def _sum_name(block: int, group: int) -> str:
    return f"sum/{block}/{group}"


def _terms(desk: Desk, parts: tuple[tuple[int, Coefficients], ...], block: int) -> Ciphertext | None:
    """Add powers of features times integers."""
    return desk.ring.weighted_sum(
        (desk.take(_power(feature, block, exponent)), weight)
        for feature, coefficients in parts
        for exponent, weight in enumerate(coefficients, start=1)
        if weight
    )


@dataclass(frozen=True, slots=True)
class Powers:
    """Computes powers 2 to 4 of a feature in a block of rows."""

    feature: int
    block: int

    @property
    def made(self) -> tuple[str, ...]:
        """The three powers."""
        return tuple(_power(self.feature, self.block, exponent) for exponent in (2, 3, 4))

    def run(self, desk: Desk) -> None:
        """Square, multiply, square again: two levels."""
        ring = desk.ring
        first = desk.take(_power(self.feature, self.block, 1))
        second = ring.relinearised(ring.squared(first))
        third = ring.relinearised(ring.multiplied(second, first))
        fourth = ring.relinearised(ring.squared(second))
        for name, value in zip(self.made, (second, third, fourth), strict=True):
            desk.leave(name, value)


@dataclass(frozen=True, slots=True)
class Products:
    """Adds some products in a block of rows, not yet relinearised."""

    block: int
    group: int
    lefts: tuple[Left, ...]

    @property
    def made(self) -> tuple[str, ...]:
        """Their sum."""
        return (_sum_name(self.block, self.group),)

    def run(self, desk: Desk) -> None:
        """Build both factors of each product from powers, and multiply."""
        total: Ciphertext | None = None
        for each in self.lefts:
            left = _terms(desk, ((each.feature, each.coefficients),), self.block)
            right = _terms(desk, each.rights, self.block)
            if left is not None and right is not None:
                total = desk.ring.added(total, desk.ring.multiplied(left, right))
        if total is not None:
            desk.leave(_sum_name(self.block, self.group), total)


@dataclass(frozen=True, slots=True)
class Sum:
    """Adds everything up in a block of rows."""

    block: int
    groups: int
    singles: tuple[tuple[int, Coefficients], ...]
    constant: int

    @property
    def made(self) -> tuple[str, ...]:
        """The result of the block."""
        return (output_name(self.block),)

    def run(self, desk: Desk) -> None:
        """Relinearise once, and switch to the smallest modulus."""
        ring = desk.ring
        total: Ciphertext | None = None
        for group in range(self.groups):
            total = ring.added(total, desk.take(_sum_name(self.block, group)))
        if total is not None:
            total = ring.relinearised(total)
        singles = _terms(desk, self.singles, self.block)
        if singles is not None:
            total = ring.added(total, singles)
        if total is None:
            raise SealedError("the model ranks nothing")
        desk.leave(output_name(self.block), ring.lowered(ring.raised(total, self.constant), 0))


def plan_tables(name: str, tables: IntegerTables, sources: Sources) -> Plan:
    """Lower a sum of tables to work on an encrypted era.

    Parameters
    ----------
    name : str
        What kind of model it is.
    tables : IntegerTables
        By positions of features in the era.
    sources : Sources
        An era of a BFV parameter set.

    Returns
    -------
    Plan
        Exact.

    Raises
    ------
    TooDeepError
        If the parameter set has too few levels.
    SealedError
        If the era is of a CKKS parameter set.
    """
    profile = sources.era.profile
    need_profile(profile, EXACT, f"a model of kind {name}")
    polynomial = polynomial_of(tables, profile.plain_prime)
    if polynomial.levels > profile.levels:
        raise TooDeepError(
            f"a model of kind {name} needs {polynomial.levels} products after one another, and {profile.name} has "
            f"{profile.levels}: download the round's era of bfv-trees-1, or use a linear model"
        )
    blocks = n_blocks(profile, sources.era.content.n_rows)
    cost = Cost.of(_operations(polynomial, blocks), levels=polynomial.levels, sources=sources, n_outputs=blocks)
    return Plan(name, sources, _stages(polynomial, blocks), blocks, cost, tables.scale)


def _stages(polynomial: Polynomial, blocks: int) -> tuple[Stage, ...]:
    groups = [polynomial.lefts[at : at + GROUP] for at in range(0, len(polynomial.lefts), GROUP)]
    every = range(blocks)
    powers = tuple(Powers(feature, block) for block in every for feature in polynomial.powered)
    products = tuple(Products(block, at, group) for block in every for at, group in enumerate(groups))
    sums = tuple(Sum(block, len(groups), polynomial.singles, polynomial.constant) for block in every)
    return tuple(stage for stage in (powers, products, sums) if stage)


def _operations(polynomial: Polynomial, blocks: int) -> Operations:
    used = {feature for feature, _ in polynomial.singles} | {
        feature for left in polynomial.lefts for feature in (left.feature, *(right for right, _ in left.rights))
    }
    parts = [each for _, each in polynomial.singles]
    for left in polynomial.lefts:
        parts += [left.coefficients, *(each for _, each in left.rights)]
    powers = 3 * len(polynomial.powered)
    return Operations(
        loads=blocks * len(used),
        scalars=blocks * sum(sum(map(bool, each)) for each in parts),
        products=blocks * (powers + len(polynomial.lefts)),
        relinearisations=blocks * (powers + bool(polynomial.lefts)),
    )
