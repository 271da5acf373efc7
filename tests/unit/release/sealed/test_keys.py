import copy
import pickle
import stat
from pathlib import Path

import numpy as np
import pytest

from crowdalpha.release.sealed import PROFILES, SealedKeyError, generate_keys, load_secret, save_secret, wipe_secret
from crowdalpha.release.sealed.keys import EpochKeys

LINEAR = PROFILES["bfv-linear-1"]


@pytest.fixture(scope="module")
def keys() -> EpochKeys:
    return generate_keys(LINEAR)[0]


def test_a_saved_secret_decrypts_what_was_encrypted(keys: EpochKeys, tmp_path: Path) -> None:
    save_secret(keys, tmp_path / "epoch" / "secret")
    again = load_secret(tmp_path / "epoch" / "secret")

    assert again.key_id == keys.key_id
    assert again.decrypt_integers(again.ring.load(keys.encrypt(np.array([3, -2]))))[:3].tolist() == [3, -2, 0]


def test_a_secret_is_for_its_owner_alone(keys: EpochKeys, tmp_path: Path) -> None:
    save_secret(keys, tmp_path / "secret")

    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_a_secret_that_others_may_read_is_refused(keys: EpochKeys, tmp_path: Path) -> None:
    save_secret(keys, tmp_path / "secret")
    (tmp_path / "secret").chmod(0o640)

    with pytest.raises(SealedKeyError, match="others may read"):
        load_secret(tmp_path / "secret")


def test_a_secret_is_never_written_over(keys: EpochKeys, tmp_path: Path) -> None:
    save_secret(keys, tmp_path / "secret")

    with pytest.raises(SealedKeyError, match="exists"):
        save_secret(keys, tmp_path / "secret")


def test_a_secret_has_no_readable_form(keys: EpochKeys) -> None:
    assert repr(keys) == f"<secret key of epoch key {keys.key_id[:12]}>"
    for way in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(SealedKeyError, match="not pickled"):
            way(keys)


def test_a_wiped_secret_is_zeros_and_gone(keys: EpochKeys, tmp_path: Path) -> None:
    path, other = tmp_path / "secret", tmp_path / "same bytes"
    save_secret(keys, path)
    other.hardlink_to(path)

    assert wipe_secret(path)
    assert not wipe_secret(path)
    assert set(other.read_bytes()) == {0}
    with pytest.raises(SealedKeyError, match="wiped"):
        load_secret(path)


@pytest.mark.parametrize("content", [b"", b"crowdalpha sealed secret 1\n", b"crowdalpha sealed secret 1\n" + b"x" * 99])
def test_another_file_is_no_secret(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(content)
    (tmp_path / "secret").chmod(0o600)

    with pytest.raises(SealedKeyError):
        load_secret(tmp_path / "secret")


def test_two_epochs_never_share_a_name() -> None:
    assert generate_keys(LINEAR)[1].key_id != generate_keys(LINEAR)[1].key_id
