"""The only module that knows the library for encrypted arithmetic: Microsoft SEAL through `tenseal.sealapi`.

It is an extra, so it is looked for when it is first needed. The protocols name what is used of it.
"""

import importlib
from collections.abc import Sequence
from importlib.metadata import version
from typing import Protocol, cast

from crowdalpha.release.sealed.errors import SealedExtraMissingError

__all__ = [
    "Context",
    "DecryptorLike",
    "EncryptorLike",
    "KeyGeneratorLike",
    "Library",
    "Parameters",
    "SealCiphertext",
    "SealPlaintext",
    "Stored",
    "SwitchKeys",
    "library",
    "library_version",
]

MODULE = "tenseal.sealapi"
PACKAGE = "tenseal"


class Saved(Protocol):
    """What can be written."""

    def save(self, path: str) -> None: ...


class Stored(Saved, Protocol):
    """What is written and read by path."""

    def load(self, context: "Context", path: str) -> None: ...


class Modulus(Protocol):
    """A prime."""

    def value(self) -> int: ...


class Parameters(Protocol):
    """Parameters of a scheme."""

    def set_poly_modulus_degree(self, degree: int) -> None: ...
    def set_coeff_modulus(self, primes: Sequence[Modulus]) -> None: ...
    def set_plain_modulus(self, prime: int) -> None: ...
    def coeff_modulus(self) -> Sequence[Modulus]: ...
    def save(self, path: str) -> None: ...


class ContextData(Protocol):
    """One level of the chain of moduli."""

    def parms_id(self) -> Sequence[int]: ...
    def next_context_data(self) -> "ContextData | None": ...


class Context(Protocol):
    """Parameters, checked, with their tables."""

    def parameters_set(self) -> bool: ...
    def first_parms_id(self) -> Sequence[int]: ...
    def last_parms_id(self) -> Sequence[int]: ...
    def first_context_data(self) -> ContextData: ...


class SealPlaintext(Protocol):
    """An encoded message."""

    scale: float


class SealCiphertext(Stored, Protocol):
    """An encrypted message."""

    scale: float

    def size(self) -> int: ...
    def parms_id(self) -> Sequence[int]: ...
    def coeff_modulus_size(self) -> int: ...


class SwitchKeys(Stored, Protocol):
    """Public keys for relinearisation or rotation."""


class SecretKeyLike(Stored, Protocol):
    """The secret; the library wipes its memory when it goes."""


class KeyGeneratorLike(Protocol):
    """Draws keys."""

    def secret_key(self) -> SecretKeyLike: ...
    def create_relin_keys(self) -> Saved: ...
    def create_galois_keys(self, elements: Sequence[int]) -> Saved: ...


class EncryptorLike(Protocol):
    """Encrypts with the secret key."""

    def encrypt_symmetric(self, plain: SealPlaintext) -> Saved: ...


class DecryptorLike(Protocol):
    """Decrypts."""

    def decrypt(self, encrypted: SealCiphertext, plain: SealPlaintext) -> None: ...
    def invariant_noise_budget(self, encrypted: SealCiphertext) -> int: ...


class BatchEncoderLike(Protocol):
    """Integers modulo the plain prime, one a slot."""

    def encode(self, values: Sequence[int], plain: SealPlaintext) -> None: ...
    def decode_int64(self, plain: SealPlaintext) -> list[int]: ...


class CKKSEncoderLike(Protocol):
    """Numbers at a scale, one a slot; a single number fills all."""

    def encode(
        self, values: Sequence[float] | float, level: Sequence[int], scale: float, plain: SealPlaintext
    ) -> None: ...
    def decode_double(self, plain: SealPlaintext) -> list[float]: ...


class EvaluatorLike(Protocol):
    """Arithmetic on what is encrypted."""

    def add(self, left: SealCiphertext, right: SealCiphertext, out: SealCiphertext) -> None: ...
    def add_inplace(self, left: SealCiphertext, right: SealCiphertext) -> None: ...
    def add_plain(self, left: SealCiphertext, right: SealPlaintext, out: SealCiphertext) -> None: ...
    def negate(self, left: SealCiphertext, out: SealCiphertext) -> None: ...
    def multiply(self, left: SealCiphertext, right: SealCiphertext, out: SealCiphertext) -> None: ...
    def square(self, left: SealCiphertext, out: SealCiphertext) -> None: ...
    def multiply_plain(self, left: SealCiphertext, right: SealPlaintext, out: SealCiphertext) -> None: ...
    def relinearize_inplace(self, target: SealCiphertext, keys: SwitchKeys) -> None: ...
    def rescale_to_next_inplace(self, target: SealCiphertext) -> None: ...
    def mod_switch_to_inplace(self, target: SealCiphertext, level: Sequence[int]) -> None: ...
    def mod_switch_to(self, target: SealCiphertext, level: Sequence[int], out: SealCiphertext) -> None: ...
    def rotate_vector(self, source: SealCiphertext, steps: int, keys: SwitchKeys, out: SealCiphertext) -> None: ...


class CoeffModulusLike(Protocol):
    """Makes primes."""

    @staticmethod
    def Create(degree: int, bits: Sequence[int]) -> Sequence[Modulus]: ...


class Named(Protocol):
    """An enumeration of the library."""

    BFV: object
    CKKS: object
    TC128: object


class Library(Protocol):
    """The module `tenseal.sealapi`, as far as it is used."""

    SCHEME_TYPE: Named
    SEC_LEVEL_TYPE: Named
    CoeffModulus: CoeffModulusLike

    def EncryptionParameters(self, scheme: object) -> Parameters: ...
    def SEALContext(self, parameters: Parameters, expand: bool, level: object) -> Context: ...
    def KeyGenerator(self, context: Context) -> KeyGeneratorLike: ...
    def SecretKey(self) -> SecretKeyLike: ...
    def RelinKeys(self) -> SwitchKeys: ...
    def GaloisKeys(self) -> SwitchKeys: ...
    def Encryptor(self, context: Context, key: SecretKeyLike) -> EncryptorLike: ...
    def Decryptor(self, context: Context, key: SecretKeyLike) -> DecryptorLike: ...
    def Evaluator(self, context: Context) -> EvaluatorLike: ...
    def BatchEncoder(self, context: Context) -> BatchEncoderLike: ...
    def CKKSEncoder(self, context: Context) -> CKKSEncoderLike: ...
    def Ciphertext(self) -> SealCiphertext: ...
    def Plaintext(self, text: str = "") -> SealPlaintext: ...


def library() -> Library:
    """Give the library.

    Returns
    -------
    Library
        The module.

    Raises
    ------
    SealedExtraMissingError
        If it is not installed; the message says what to install.

    Notes
    -----
    Cost: 0.1 s the first time.
    """
    try:
        return cast("Library", importlib.import_module(MODULE))
    except ImportError as error:
        raise SealedExtraMissingError from error


def library_version() -> str:
    """Name the library and its version, as manifests carry it.

    Raises
    ------
    SealedExtraMissingError
        If it is not installed.
    """
    library()
    return f"{PACKAGE} {version(PACKAGE)}"
