"""Parameter sets: how large rings and moduli are, and what each set can compute.

All are for 128-bit classical security with a ternary secret and errors of deviation 3.2. The sizes of the moduli stay
below both published tables: that of the HomomorphicEncryption.org standard of 2018, which SEAL enforces, and the
slightly lower one of the 2024 guidelines.

References
----------
Albrecht et al., Homomorphic Encryption Standard (2018), table 1.
Bossuat et al., Security Guidelines for Implementing Homomorphic Encryption (2024), IACR eprint 2024/463.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from crowdalpha.release.sealed.errors import SealedError

__all__ = ["MODULUS_LIMITS", "PROFILES", "Layout", "Profile", "Scheme", "profile_named"]

# Bits that the modulus of a ring may have at most, the special prime included: the lower of the two tables.
MODULUS_LIMITS = {4096: 106, 8192: 214, 16384: 430}


class Scheme(StrEnum):
    """How messages are encrypted."""

    BFV = "bfv"
    CKKS = "ckks"


class Layout(StrEnum):
    """Where the cells of an era are.

    `columns`: a ciphertext holds one feature of a block of rows. `tiles`: a ciphertext holds 64 features of some rows.
    """

    COLUMNS = "columns"
    TILES = "tiles"


@dataclass(frozen=True, slots=True)
class Profile:
    """A parameter set.

    Parameters
    ----------
    name : str
        Its name in manifests; a changed set gets a new name.
    scheme : Scheme
        BFV computes exactly with integers, CKKS with about seven digits.
    ring : int
        Degree of the polynomials.
    primes : tuple of int
        Bits of the primes of the modulus; the last is special and used by keys alone.
    plain_prime : int
        The prime modulo which BFV computes, one more than a multiple of twice the ring; 0 for CKKS.
    scale_bits : int
        Bits after the point in CKKS; 0 for BFV.
    levels : int
        Products that may follow one another.
    layout : Layout
        Of eras.
    """

    name: str
    scheme: Scheme
    ring: int
    primes: tuple[int, ...]
    plain_prime: int
    scale_bits: int
    levels: int
    layout: Layout

    @property
    def slots(self) -> int:
        """Numbers in a ciphertext."""
        return self.ring if self.scheme is Scheme.BFV else self.ring // 2

    @property
    def largest_result(self) -> int:
        """The largest integer, in size, that BFV computes exactly."""
        return self.plain_prime // 2

    @property
    def modulus_bits(self) -> int:
        """Bits of the whole modulus, which decide the security."""
        return sum(self.primes)

    @property
    def key_bits(self) -> float:
        """Entropy of the secret key: a ternary digit a coefficient."""
        return self.ring * math.log2(3)


PROFILES = {
    each.name: each
    for each in (
        Profile("bfv-linear-1", Scheme.BFV, 4096, (36, 36, 34), 1_032_193, 0, 0, Layout.COLUMNS),
        Profile("bfv-trees-1", Scheme.BFV, 8192, (42, 43, 43, 43, 43), 4_079_617, 0, 3, Layout.COLUMNS),
        Profile("ckks-poly-1", Scheme.CKKS, 8192, (50, 39, 39, 39, 47), 0, 39, 3, Layout.COLUMNS),
        Profile("ckks-train-1", Scheme.CKKS, 16384, (46, *(37,) * 9, 46), 0, 37, 9, Layout.TILES),
    )
}


def profile_named(name: str) -> Profile:
    """Find a parameter set.

    Parameters
    ----------
    name : str
        Its name.

    Returns
    -------
    Profile
        The set.

    Raises
    ------
    SealedError
        If there is none of that name; the message lists them.

    Examples
    --------
    >>> profile_named("bfv-trees-1").slots
    8192
    """
    if name not in PROFILES:
        raise SealedError(f"there is no parameter set '{name}'; take one of {', '.join(PROFILES)}")
    return PROFILES[name]
