"""Arithmetic on ciphertexts of one parameter set, without any secret."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from crowdalpha.release.sealed.errors import SealedError
from crowdalpha.release.sealed.library import (
    Context,
    Parameters,
    SealCiphertext,
    SealPlaintext,
    SwitchKeys,
    library,
)
from crowdalpha.release.sealed.parameters import Profile, Scheme
from crowdalpha.release.sealed.transfer import from_bytes, to_bytes

__all__ = ["Ciphertext", "Ring"]

Ciphertext = SealCiphertext


class Ring:
    """A parameter set at work: encodes numbers, loads ciphertexts and computes with them.

    Parameters
    ----------
    profile : Profile
        The parameter set.
    relin, galois : bytes
        Public keys as the operator published them; empty where there are none.

    Raises
    ------
    SealedExtraMissingError
        If the library is not installed.
    SealedError
        If the keys are not of this parameter set.
    """

    def __init__(self, profile: Profile, *, relin: bytes = b"", galois: bytes = b"") -> None:
        self.profile = profile
        self._library = library()
        self.parameters = self._parameters()
        self.context: Context = self._library.SEALContext(
            self.parameters, True, self._library.SEC_LEVEL_TYPE.TC128  # noqa: FBT003  # positional in the library
        )  # fmt: skip
        if not self.context.parameters_set():
            raise SealedError(f"the library refuses the parameter set {profile.name} at 128-bit security")
        self._evaluator = self._library.Evaluator(self.context)
        self.parms_ids = self._chain()
        exact = profile.scheme is Scheme.BFV
        self._batch = self._library.BatchEncoder(self.context) if exact else None
        self._ckks = None if exact else self._library.CKKSEncoder(self.context)
        self._relin = self._keys(self._library.RelinKeys(), relin)
        self._galois = self._keys(self._library.GaloisKeys(), galois)

    @property
    def primes(self) -> tuple[int, ...]:
        """Primes of the modulus, the special one left out."""
        return tuple(prime.value() for prime in self.parameters.coeff_modulus())[:-1]

    def level(self, source: Ciphertext) -> int:
        """Give how often a CKKS ciphertext may still be rescaled."""
        return int(source.coeff_modulus_size()) - 1

    def load(self, raw: bytes) -> Ciphertext:
        """Read a ciphertext.

        Parameters
        ----------
        raw : bytes
            As `dump` wrote it.

        Returns
        -------
        Ciphertext
            Valid for this parameter set.

        Raises
        ------
        SealedError
            If it is anything else.
        """
        target = self._library.Ciphertext()
        try:
            from_bytes(target, self.context, raw)
        except (RuntimeError, ValueError) as error:
            raise SealedError(f"not a ciphertext of the parameter set {self.profile.name}") from error
        return target

    def dump(self, source: Ciphertext) -> bytes:
        """Write a ciphertext."""
        return to_bytes(source)

    def encode_integers(self, values: NDArray[np.int64]) -> SealPlaintext:
        """Put integers into slots, in BFV.

        Parameters
        ----------
        values : ndarray of shape (n,), dtype=int64
            At most as many as slots, in size below half the plain prime.

        Returns
        -------
        SealPlaintext
            The rest of the slots is zero.
        """
        plain = self._library.Plaintext()
        if self._batch is None:
            raise SealedError(f"{self.profile.name} has no integers")
        self._batch.encode((values % self.profile.plain_prime).tolist(), plain)
        return plain

    def decode_integers(self, plain: SealPlaintext) -> NDArray[np.int64]:
        """Take integers out of slots, in BFV, centred about zero."""
        if self._batch is None:
            raise SealedError(f"{self.profile.name} has no integers")
        return np.array(self._batch.decode_int64(plain), dtype=np.int64)

    def encode_numbers(
        self, values: NDArray[np.float64] | float, *, scale: float | None = None, level: int | None = None
    ) -> SealPlaintext:
        """Put numbers into slots, in CKKS.

        Parameters
        ----------
        values : ndarray of shape (n,) or float
            At most as many as slots; a single number fills all.
        scale : float, default=None
            What they are multiplied by; None takes that of the parameter set.
        level : int, default=None
            Rescalings left; None takes all.

        Returns
        -------
        SealPlaintext
            The rest of the slots is zero.
        """
        plain = self._library.Plaintext()
        if self._ckks is None:
            raise SealedError(f"{self.profile.name} has integers alone")
        numbers = float(values) if isinstance(values, int | float) else values.tolist()
        chosen = self.parms_ids[-1 if level is None else level]
        self._ckks.encode(numbers, chosen, 2.0**self.profile.scale_bits if scale is None else scale, plain)
        return plain

    def decode_numbers(self, plain: SealPlaintext) -> NDArray[np.float64]:
        """Take numbers out of slots, in CKKS."""
        if self._ckks is None:
            raise SealedError(f"{self.profile.name} has integers alone")
        return np.array(self._ckks.decode_double(plain))

    def weighted_sum(self, terms: Iterable[tuple[Ciphertext, int]]) -> Ciphertext | None:
        """Add ciphertexts times integers, in BFV.

        Parameters
        ----------
        terms : iterable of (Ciphertext, int)
            Integers are taken modulo the plain prime; those that are zero are skipped.

        Returns
        -------
        Ciphertext or None
            None if nothing is left to add.

        Notes
        -----
        Cost: 0.1 ms a term at ring 8192. A sum may be of any size: the noise of a term grows with its integer.
        """
        total: Ciphertext | None = None
        modulus = self.profile.plain_prime
        for source, weight in terms:
            factor = weight % modulus
            if factor == 0:
                continue
            part = self._library.Ciphertext()
            self._evaluator.multiply_plain(source, self._library.Plaintext(f"{factor:x}"), part)
            total = self.added(total, part)
        return total

    def scaled(self, source: Ciphertext, values: NDArray[np.float64] | float, scale: float) -> Ciphertext:
        """Multiply by plain numbers at a scale, in CKKS, without rescaling."""
        out = self._library.Ciphertext()
        plain = self.encode_numbers(values, scale=scale, level=self.level(source))
        self._evaluator.multiply_plain(source, plain, out)
        return out

    def shifted(self, source: Ciphertext, values: NDArray[np.float64] | float) -> Ciphertext:
        """Add plain numbers, in CKKS, at the scale of the ciphertext."""
        out = self._library.Ciphertext()
        plain = self.encode_numbers(values, scale=source.scale, level=self.level(source))
        self._evaluator.add_plain(source, plain, out)
        return out

    def raised(self, source: Ciphertext, constant: int) -> Ciphertext:
        """Add an integer to every slot, in BFV."""
        factor = constant % self.profile.plain_prime
        if factor == 0:
            return source
        out = self._library.Ciphertext()
        self._evaluator.add_plain(source, self._library.Plaintext(f"{factor:x}"), out)
        return out

    def added(self, total: Ciphertext | None, part: Ciphertext) -> Ciphertext:
        """Add to a total in place; None is an empty one."""
        if total is None:
            return part
        self._evaluator.add_inplace(total, part)
        return total

    def negated(self, source: Ciphertext) -> Ciphertext:
        """Change the sign."""
        out = self._library.Ciphertext()
        self._evaluator.negate(source, out)
        return out

    def multiplied(self, left: Ciphertext, right: Ciphertext) -> Ciphertext:
        """Multiply two ciphertexts; the result has three polynomials until it is relinearised."""
        out = self._library.Ciphertext()
        self._evaluator.multiply(left, right, out)
        return out

    def squared(self, source: Ciphertext) -> Ciphertext:
        """Multiply a ciphertext with itself."""
        out = self._library.Ciphertext()
        self._evaluator.square(source, out)
        return out

    def relinearised(self, target: Ciphertext) -> Ciphertext:
        """Bring a product back to two polynomials, in place."""
        if self._relin is None:
            raise SealedError("the public bundle has no relinearisation keys")
        self._evaluator.relinearize_inplace(target, self._relin)
        return target

    def rescaled(self, target: Ciphertext) -> Ciphertext:
        """Drop a prime and divide by it, in CKKS, in place."""
        self._evaluator.rescale_to_next_inplace(target)
        return target

    def lowered(self, source: Ciphertext, level: int) -> Ciphertext:
        """Drop primes down to a level; the value stays."""
        out = self._library.Ciphertext()
        self._evaluator.mod_switch_to(source, self.parms_ids[level], out)
        return out

    def rotated(self, source: Ciphertext, steps: int) -> Ciphertext:
        """Move slots to the left, in CKKS; what leaves comes in at the other end."""
        if self._galois is None:
            raise SealedError("the public bundle has no rotation keys")
        out = self._library.Ciphertext()
        self._evaluator.rotate_vector(source, steps, self._galois, out)
        return out

    def _parameters(self) -> Parameters:
        profile, lib = self.profile, self._library
        exact = profile.scheme is Scheme.BFV
        parameters = lib.EncryptionParameters(lib.SCHEME_TYPE.BFV if exact else lib.SCHEME_TYPE.CKKS)
        parameters.set_poly_modulus_degree(profile.ring)
        parameters.set_coeff_modulus(lib.CoeffModulus.Create(profile.ring, list(profile.primes)))
        if exact:
            parameters.set_plain_modulus(profile.plain_prime)
        return parameters

    def _chain(self) -> list[Sequence[int]]:
        """List the identities of the levels, the lowest first."""
        found: list[Sequence[int]] = []
        data = self.context.first_context_data()
        for _ in self.profile.primes[:-1]:
            found.append(data.parms_id())
            following = data.next_context_data()
            if following is None:
                break
            data = following
        return found[::-1]

    def _keys(self, empty: SwitchKeys, raw: bytes) -> SwitchKeys | None:
        if not raw:
            return None
        try:
            from_bytes(empty, self.context, raw)
        except (RuntimeError, ValueError) as error:
            raise SealedError(f"not public keys of the parameter set {self.profile.name}") from error
        return empty
