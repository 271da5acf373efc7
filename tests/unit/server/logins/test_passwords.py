import pytest

from crowdalpha.errors import InputError
from crowdalpha.server.logins.passwords import hash_password, is_right, needs_new_hash

WORD = "three words more"


def test_a_password_opens_its_own_hash_alone() -> None:
    stored = hash_password(WORD, name="ann")

    assert is_right(WORD, stored)
    assert not is_right("three words less", stored)
    assert not is_right("x" * 100_000, stored)
    assert WORD not in stored
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_the_same_password_never_has_the_same_hash() -> None:
    assert hash_password(WORD, name="ann") != hash_password(WORD, name="ann")


def test_letters_composed_in_two_ways_are_the_same() -> None:
    assert is_right("caf\u00e9 caf\u00e9 caf\u00e9", hash_password("cafe\u0301 cafe\u0301 cafe\u0301", name="ann"))


def test_no_password_fits_an_account_without_one() -> None:
    assert not is_right("no account has this password", None)
    assert not is_right(WORD, "not a hash")


@pytest.mark.parametrize("password", ["eleven char", "x" * 257, "aaaaaaaaaaaa", "Ann.Of.Kyiv.1", "ann@example.org"])
def test_a_password_that_is_guessed_at_once_is_refused(password: str) -> None:
    with pytest.raises(InputError, match="password: "):
        hash_password(password, name="ann.of.kyiv.1", email="ann@example.org")


def test_a_hash_of_less_work_is_told() -> None:
    weaker = "$argon2id$v=19$m=8,t=1,p=1$c2FsdDEyMzQ$AAAAAAAAAAAAAAAAAAAAAA"

    assert needs_new_hash(weaker)
    assert not needs_new_hash(hash_password(WORD, name="ann"))
