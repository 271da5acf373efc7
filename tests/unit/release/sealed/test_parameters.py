import pytest

from crowdalpha.release.sealed import PROFILES, SealedError, profile_named
from crowdalpha.release.sealed.parameters import MODULUS_LIMITS
from crowdalpha.release.sealed.ring import Ring

# Homomorphic Encryption Standard (2018), table 1: 128-bit classical security, ternary secrets.
STANDARD = {4096: 109, 8192: 218, 16384: 438}


@pytest.mark.parametrize("name", PROFILES)
def test_the_library_accepts_every_set_at_128_bits(name: str) -> None:
    ring = Ring(PROFILES[name])

    assert len(ring.parms_ids) == len(PROFILES[name].primes) - 1


@pytest.mark.parametrize("name", PROFILES)
def test_every_set_stays_below_both_tables(name: str) -> None:
    profile = PROFILES[name]

    assert profile.modulus_bits <= MODULUS_LIMITS[profile.ring] < STANDARD[profile.ring]


@pytest.mark.parametrize("name", ["bfv-linear-1", "bfv-trees-1"])
def test_the_plain_prime_allows_a_number_a_slot(name: str) -> None:
    prime, ring = PROFILES[name].plain_prime, PROFILES[name].ring

    assert prime % (2 * ring) == 1
    assert all(prime % divisor for divisor in range(2, int(prime**0.5) + 1))


def test_an_unknown_set_is_named() -> None:
    with pytest.raises(SealedError, match="take one of bfv-linear-1"):
        profile_named("rsa")
