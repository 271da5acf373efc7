"""The key recovery of Li and Micciancio (IACR eprint 2020/1533) on CKKS, and what our interface gives it.

A CKKS decryption is the message plus the noise of its ciphertext; handed out exactly, it is a linear equation for the
key. Real slots give the sum of the equation and its conjugate, so that two vectors are needed.
"""

from collections.abc import Callable

import numpy as np
import pytest
import tenseal.sealapi as seal
from numpy.typing import NDArray
from scipy.special import ndtri

from crowdalpha.release.sealed.keys import EpochKeys
from crowdalpha.release.sealed.library import KeyGeneratorLike
from crowdalpha.release.sealed.opener import ranks
from crowdalpha.release.sealed.parameters import Layout, Profile, Scheme
from crowdalpha.release.sealed.ring import Ciphertext, Ring
from crowdalpha.release.sealed.transfer import to_bytes
from crowdalpha.rules.coarse import coarse_score

SMALL = Profile("attacked", Scheme.CKKS, 4096, (54, 55), 0, 30, 0, Layout.TILES)
N = SMALL.ring
Numbers = NDArray[np.float64]


@pytest.fixture(scope="module")
def keys() -> EpochKeys:
    generator: KeyGeneratorLike = seal.KeyGenerator(Ring(SMALL).context)
    return EpochKeys(SMALL, "a" * 64, to_bytes(generator.secret_key()))


@pytest.fixture(scope="module")
def ciphertexts(keys: EpochKeys) -> list[Ciphertext]:
    rng = np.random.default_rng(0)
    return [keys.ring.load(keys.encrypt(rng.normal(size=N // 2))) for _ in range(2)]


def true_key(keys: EpochKeys) -> list[int]:
    secret = keys._secret.data().dyn_array()  # type: ignore[attr-defined]  # not in the protocol, for good reason
    return [secret.at(i) for i in range(N)]


def attack(keys: EpochKeys, ciphertexts: list[Ciphertext], answers: list[Numbers]) -> list[int]:
    """Solve for the key, modulo the prime, where points of the transform come in conjugate pairs i and N - 1 - i."""
    prime = keys.ring.primes[0]
    equations = []
    for ciphertext, answer in zip(ciphertexts, answers, strict=True):
        plain = keys.ring.encode_numbers(2 * answer)
        both = plain.dyn_array()  # type: ignore[attr-defined]  # as above
        cells = ciphertext.dyn_array()  # type: ignore[attr-defined]  # as above
        equations.append(([both.at(i) for i in range(N)], [cells.at(i) for i in range(2 * N)]))
    found = []
    for i in range(N):
        (b1, c1), (b2, c2) = equations
        j = N - 1 - i
        right1, right2 = b1[i] - c1[i] - c1[j], b2[i] - c2[i] - c2[j]
        determinant = c1[N + i] * c2[N + j] - c1[N + j] * c2[N + i]
        found.append((right1 * c2[N + j] - right2 * c1[N + j]) * pow(determinant, -1, prime) % prime)
    return found


def test_two_raw_vectors_give_the_whole_key(keys: EpochKeys, ciphertexts: list[Ciphertext]) -> None:
    raw = [keys.decrypt_numbers(each) for each in ciphertexts]

    assert attack(keys, ciphertexts, raw) == true_key(keys)


@pytest.mark.parametrize(
    "leaving",
    [
        lambda numbers: ndtri((ranks(numbers) + 0.5) / len(numbers)),
        lambda numbers: np.full(N // 2, coarse_score(round(1e9 * np.corrcoef(numbers, np.arange(N // 2))[0, 1])) / 1e9),
    ],
    ids=["ranks, which the operator keeps", "score, which leaves"],
)
def test_what_the_interface_gives_does_not_give_the_key(
    keys: EpochKeys, ciphertexts: list[Ciphertext], leaving: Callable[[Numbers], Numbers]
) -> None:
    answers = [leaving(keys.decrypt_numbers(each)) for each in ciphertexts]
    found = attack(keys, ciphertexts, [answer.astype(np.float64) for answer in answers])

    assert sum(one == two for one, two in zip(found, true_key(keys), strict=True)) < N / 100
