"""Tokens that nobody chose: made at random, told once, kept as a hash.

A secret of 256 random bits needs no slow hash: there is nothing to guess it from.
"""

import hashlib
import secrets

__all__ = ["hash_token", "new_token"]

TOKEN_BYTES = 32


def new_token() -> str:
    """Make a token of letters, digits, - and _ that can stand in a link."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_token(token: str) -> str:
    """Return what is stored of a token, and what it is looked up by."""
    return hashlib.sha256(token.encode()).hexdigest()
