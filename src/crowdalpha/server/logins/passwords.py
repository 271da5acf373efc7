"""Passwords: what is accepted, how it is hashed, and a check that takes as long for a name that nobody has."""

import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from crowdalpha.errors import InputError

__all__ = ["MAX_LENGTH", "MIN_LENGTH", "hash_password", "is_right", "needs_new_hash"]

MIN_LENGTH, MAX_LENGTH = 12, 256
"""Characters of a password: long enough not to be guessed, short enough to be hashed at once."""

HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""Argon2id with 19 MiB and two passes: 40 logins at once need no more than 760 MiB."""


def hash_password(password: str, *, name: str, email: str | None = None) -> str:
    """Check a new password and hash it with a salt of its own.

    Raises
    ------
    InputError
        If it is too short, too long, one character over and over, or the name or address of its account.
    """
    text = _plain(password)
    if not MIN_LENGTH <= len(text) <= MAX_LENGTH:
        raise InputError(f"password: use {MIN_LENGTH} to {MAX_LENGTH} characters; a few words make a good one")
    known = {name.casefold(), (email or "").casefold(), (email or "").partition("@")[0].casefold()}
    if text.casefold() in known or len(set(text)) == 1:
        raise InputError("password: this one would be guessed at once; a few words that nobody knows make a good one")
    return HASHER.hash(text)


def is_right(password: str, stored: str | None) -> bool:
    """Tell whether a password is the one of a hash; without a hash it is wrong, after the same work."""
    if len(password) > MAX_LENGTH:
        return False
    try:
        HASHER.verify(stored or _hash_of_nobody(), _plain(password))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def needs_new_hash(stored: str) -> bool:
    """Tell whether a hash was made with less work than is usual now."""
    return HASHER.check_needs_rehash(stored)


@cache
def _hash_of_nobody() -> str:
    return HASHER.hash("no account has this password")


def _plain(password: str) -> str:
    """Write the same letters in the same way, however a keyboard composes them."""
    return unicodedata.normalize("NFKC", password)
