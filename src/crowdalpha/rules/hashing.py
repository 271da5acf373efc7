"""Content has one identity: the SHA-256 of its canonical bytes.

Canonical JSON is the form of RFC 8785 for the values that the rules use: keys sorted, no space, UTF-8.
Fractions are refused, because no two languages agree on how to write them: a score is an integer of 1e-9
and money is a decimal string. Keys are ASCII, where every sort order agrees.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence

from crowdalpha.rules.errors import CanonicalError

__all__ = ["Json", "canonical_json", "hash_of", "sha256_hex"]

Json = None | bool | int | str | Sequence["Json"] | Mapping[str, "Json"]

_MAX_INTEGER = 2**63 - 1


def canonical_json(value: Json) -> bytes:
    r"""Write a value as canonical JSON.

    Raises
    ------
    CanonicalError
        If the value or a part of it has no canonical form; the message gives the path to it.

    Examples
    --------
    >>> canonical_json({"b": [1, None], "a": "12.500000000"})
    b'{"a":"12.500000000","b":[1,null]}'
    """
    plain = _plain(value, "$")
    try:
        return json.dumps(plain, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    except UnicodeEncodeError as error:
        raise CanonicalError("a text holds half of a surrogate pair, which UTF-8 cannot write") from error


def sha256_hex(content: bytes) -> str:
    """Hash bytes; 64 lower-case hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def hash_of(value: Json) -> str:
    """Hash the canonical JSON of a value."""
    return sha256_hex(canonical_json(value))


def _plain(value: object, path: str) -> object:
    """Copy a value into plain lists and dicts, refusing whatever has no canonical form."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        if abs(value) > _MAX_INTEGER:
            raise CanonicalError(f"{path}: {value} does not fit 64 bits; write it as text")
        return value
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str) or not key.isascii():
                raise CanonicalError(f"{path}: key {key!r} is not ASCII text; rename it")
        return {key: _plain(item, f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, f"{path}[{index}]") for index, item in enumerate(value)]
    raise CanonicalError(f"{path}: {type(value).__name__} has no canonical form; use text or an integer of 1e-9")
