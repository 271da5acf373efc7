from datetime import UTC, datetime

import pytest

from crowdalpha.rules.errors import CanonicalError
from crowdalpha.rules.hashing import Json, canonical_json, hash_of, sha256_hex


def test_the_hash_is_that_of_the_standard() -> None:
    # FIPS 180-2, appendix B.1: the message "abc".
    assert sha256_hex(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_keys_are_sorted_and_no_space_is_written() -> None:
    assert canonical_json({"b": True, "a": [None, -1], "A": {}}) == b'{"A":{},"a":[null,-1],"b":true}'


def test_text_is_utf8_with_json_escapes_only() -> None:
    # RFC 8785, section 3.2.2.2: only quotes, backslashes and control characters are escaped.
    assert canonical_json('€ö"\\\n\x0f') == '"€ö\\"\\\\\\n\\u000f"'.encode()


def test_the_order_of_keys_does_not_matter() -> None:
    assert hash_of({"a": 1, "b": 2}) == hash_of({"b": 2, "a": 1})


def test_a_tuple_is_a_list() -> None:
    assert canonical_json((1, (2,))) == b"[1,[2]]"


@pytest.mark.parametrize("value", [0.5, float("nan"), b"x", datetime(2026, 1, 1, tzinfo=UTC), {1, 2}])
def test_a_value_without_canonical_form_is_refused_with_its_path(value: Json) -> None:
    with pytest.raises(CanonicalError, match=r"^\$\.rows\[1\]\.x: "):
        canonical_json({"rows": [{}, {"x": value}]})


def test_an_integer_beyond_64_bits_is_refused() -> None:
    with pytest.raises(CanonicalError, match="write it as text"):
        canonical_json(2**63)


@pytest.mark.parametrize("key", [1, "é"])
def test_a_key_that_sorts_differently_elsewhere_is_refused(key: str) -> None:
    with pytest.raises(CanonicalError, match="not ASCII text"):
        canonical_json({key: 1})


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(CanonicalError, match="surrogate"):
        canonical_json("\ud800")
