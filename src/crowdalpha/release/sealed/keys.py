"""Keys of an epoch: a secret that only the operator has, and the public keys that participants compute with."""

import hashlib
import os
import stat
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from crowdalpha.release.sealed.errors import SealedKeyError
from crowdalpha.release.sealed.library import library
from crowdalpha.release.sealed.parameters import PROFILES, Layout, Profile, Scheme
from crowdalpha.release.sealed.ring import Ciphertext, Ring
from crowdalpha.release.sealed.tiles import ROTATIONS
from crowdalpha.release.sealed.transfer import from_bytes, to_bytes

__all__ = ["EpochKeys", "PublicKeys", "generate_keys", "load_secret", "save_secret", "wipe_secret"]

OWNER_ALONE = 0o600
MAGIC = b"crowdalpha sealed secret 1\n"
MAX_SECRET_BYTES = 1 << 22
_HEAD = struct.Struct(">II")


class PublicKeys:
    """What participants get of an epoch's keys, as bytes.

    Parameters
    ----------
    profile : Profile
        The parameter set.
    parameters, relin, galois : bytes
        Serialised; `galois` is empty where no rotations are needed.
    """

    __slots__ = ("galois", "parameters", "profile", "relin")

    def __init__(self, profile: Profile, *, parameters: bytes, relin: bytes, galois: bytes) -> None:
        self.profile = profile
        self.parameters = parameters
        self.relin = relin
        self.galois = galois

    @property
    def key_id(self) -> str:
        """SHA-256 of all three: the name of the epoch's keys."""
        return hashlib.sha256(self.parameters + self.relin + self.galois).hexdigest()

    def ring(self) -> Ring:
        """Set up the arithmetic with these keys."""
        return Ring(self.profile, relin=self.relin, galois=self.galois)


class EpochKeys:
    """The secret key of an epoch, at work. It has no readable form, cannot be pickled or copied.

    Parameters
    ----------
    profile : Profile
        The parameter set.
    key_id : str
        Name of the epoch's keys.
    secret : bytes
        The serialised secret key.

    Raises
    ------
    SealedKeyError
        If the bytes are no secret key of the parameter set.
    """

    __slots__ = ("_decryptor", "_encryptor", "_secret", "key_id", "ring")

    def __init__(self, profile: Profile, key_id: str, secret: bytes) -> None:
        lib = library()
        self.ring = Ring(profile)
        self.key_id = key_id
        self._secret = lib.SecretKey()
        try:
            from_bytes(self._secret, self.ring.context, secret)
        except (RuntimeError, ValueError) as error:
            raise SealedKeyError(f"not a secret key of the parameter set {profile.name}") from error
        self._encryptor = lib.Encryptor(self.ring.context, self._secret)
        self._decryptor = lib.Decryptor(self.ring.context, self._secret)

    @property
    def profile(self) -> Profile:
        """The parameter set."""
        return self.ring.profile

    def __repr__(self) -> str:
        return f"<secret key of epoch key {self.key_id[:12]}>"

    def __reduce__(self) -> NoReturn:
        raise SealedKeyError("a secret key is not pickled or copied; hand on the path of its file")

    def encrypt(self, values: NDArray[np.float64] | NDArray[np.int64]) -> bytes:
        """Encrypt a vector; each call gives other bytes.

        Parameters
        ----------
        values : ndarray of shape (n,), dtype=int64 (BFV) or float64 (CKKS)
            At most as many as slots.

        Returns
        -------
        bytes
            A seeded ciphertext: half the size of one that anyone could make.

        Notes
        -----
        Cost: 4 ms at ring 8192.
        """
        if self.profile.scheme is Scheme.BFV:
            plain = self.ring.encode_integers(np.asarray(values, dtype=np.int64))
        else:
            plain = self.ring.encode_numbers(np.asarray(values, dtype=np.float64))
        return to_bytes(self._encryptor.encrypt_symmetric(plain))

    def decrypt_integers(self, source: Ciphertext) -> NDArray[np.int64]:
        """Decrypt a BFV ciphertext into all its slots. The result stays with the operator."""
        plain = library().Plaintext()
        self._decryptor.decrypt(source, plain)
        return self.ring.decode_integers(plain)

    def decrypt_numbers(self, source: Ciphertext) -> NDArray[np.float64]:
        """Decrypt a CKKS ciphertext into all its slots.

        Notes
        -----
        The result stays with the operator, in any form: two vectors of it tell the secret key.
        """
        plain = library().Plaintext()
        self._decryptor.decrypt(source, plain)
        return self.ring.decode_numbers(plain)

    def noise_budget(self, source: Ciphertext) -> int:
        """Give the bits that are left before a BFV ciphertext no longer decrypts to what was computed."""
        return int(self._decryptor.invariant_noise_budget(source))

    def secret_bytes(self) -> bytes:
        """Serialise the secret, for `save_secret` alone."""
        return to_bytes(self._secret)


def generate_keys(profile: Profile) -> tuple[EpochKeys, PublicKeys]:
    """Draw the keys of an epoch from the randomness of the system.

    Parameters
    ----------
    profile : Profile
        The parameter set.

    Returns
    -------
    EpochKeys, PublicKeys
        The secret and what may be published.

    Raises
    ------
    SealedExtraMissingError
        If the library is not installed.

    Notes
    -----
    Cost: milliseconds at rings 4096 and 8192; some seconds and 170 MB of rotation keys for `ckks-train-1`.
    """
    ring = Ring(profile)
    generator = library().KeyGenerator(ring.context)
    secret = to_bytes(generator.secret_key())
    relin = to_bytes(generator.create_relin_keys())
    galois = b""
    if profile.layout is Layout.TILES:
        galois = to_bytes(generator.create_galois_keys(_elements(ROTATIONS, profile.ring)))
    public = PublicKeys(profile, parameters=to_bytes(ring.parameters), relin=relin, galois=galois)
    return EpochKeys(profile, public.key_id, secret), public


def save_secret(keys: EpochKeys, path: Path) -> None:
    """Write a secret where nobody but its owner reads it.

    Parameters
    ----------
    keys : EpochKeys
        The secret.
    path : Path
        A file that does not exist yet. Keep it outside blobs and out of their backups.

    Raises
    ------
    SealedKeyError
        If the file exists or cannot be written.
    """
    name, key_id, secret = keys.profile.name.encode(), keys.key_id.encode(), keys.secret_bytes()
    content = MAGIC + _HEAD.pack(len(name), len(key_id)) + name + key_id + secret
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ALONE), "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    except FileExistsError as error:
        raise SealedKeyError(f"{path}: exists; an epoch's secret is never written over") from error
    except OSError as error:
        raise SealedKeyError(f"{path}: cannot be written: {error.strerror}") from error


def load_secret(path: Path) -> EpochKeys:
    """Read a secret.

    Parameters
    ----------
    path : Path
        As `save_secret` wrote it.

    Returns
    -------
    EpochKeys
        The secret.

    Raises
    ------
    SealedKeyError
        If it is missing, readable by others, or not a secret.
    """
    try:
        with path.open("rb") as stream:
            if stat.S_IMODE(os.fstat(stream.fileno()).st_mode) & ~OWNER_ALONE:
                raise SealedKeyError(f"{path}: others may read it; chmod 600, and think about a new epoch")
            content = stream.read(MAX_SECRET_BYTES)
    except OSError as error:
        raise SealedKeyError(f"{path}: cannot be read: {error.strerror}; was this epoch's key wiped?") from error
    head = len(MAGIC) + _HEAD.size
    if not content.startswith(MAGIC) or len(content) < head:
        raise SealedKeyError(f"{path}: not the secret of an epoch")
    sizes = _HEAD.unpack(content[len(MAGIC) : head])
    name = content[head : head + sizes[0]].decode("ascii", "replace")
    key_id = content[head + sizes[0] : head + sum(sizes)].decode("ascii", "replace")
    if name not in PROFILES:
        raise SealedKeyError(f"{path}: not the secret of an epoch")
    return EpochKeys(PROFILES[name], key_id, content[head + sum(sizes) :])


def wipe_secret(path: Path) -> bool:
    """Destroy a secret: write zeros over it, then remove it. Safe to repeat.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    bool
        Whether there was one.

    Raises
    ------
    SealedKeyError
        If it is there and cannot be destroyed.

    Notes
    -----
    A file system that copies on write, or a backup, may keep the old bytes.
    """
    try:
        with path.open("r+b") as stream:
            stream.write(bytes(os.fstat(stream.fileno()).st_size))
            stream.flush()
            os.fsync(stream.fileno())
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise SealedKeyError(f"{path}: cannot be destroyed: {error.strerror}; remove it by hand") from error
    return True


def _elements(steps: Sequence[int], ring: int) -> list[int]:
    """Name rotations as the library wants them: by powers of 3 modulo twice the ring."""
    return [pow(3, step % (ring // 2), 2 * ring) for step in steps]
