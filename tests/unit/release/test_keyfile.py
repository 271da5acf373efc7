import json
import stat
from pathlib import Path

import pytest

from crowdalpha.release import POLICIES, Policy, ReleaseKey
from crowdalpha.release.keyfile import Catalogue, KeyFile, KeyFileError, new_key_file, read_key_file, write_key_file
from tests.fixtures.releases import KEY, small_market


def full() -> KeyFile:
    return KeyFile(KEY).with_release(small_market(), version="v1", policy=POLICIES["strict"])


def test_a_key_file_survives_the_way_to_disk_and_back(tmp_path: Path) -> None:
    write_key_file(tmp_path / "key.json", full())

    assert read_key_file(tmp_path / "key.json") == full()
    assert stat.S_IMODE((tmp_path / "key.json").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["key.json"]


def test_a_new_secret_is_drawn_and_never_over_an_old_one(tmp_path: Path) -> None:
    first, second = new_key_file(tmp_path / "a"), new_key_file(tmp_path / "b")

    assert len(first.key.secret) == 32
    assert first.key != second.key
    with pytest.raises(KeyFileError, match="unreadable for ever"):
        new_key_file(tmp_path / "a")


def test_the_catalogue_has_the_days_of_the_eras() -> None:
    names = Catalogue.of(small_market())

    # the panel starts on 2001-01-01 and an era ends every fifth day
    assert names.days[:2] == ("2001-01-05", "2001-01-10")
    assert names.feature_names[0] == "realfeature_00"


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b'{"format": 1}', b'{"format": 1, "secret": "zz", "catalogue": null, "policies": {}}'],
)
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)

    with pytest.raises(KeyFileError, match="not a key file that crowdalpha wrote"):
        read_key_file(tmp_path / "key")


def test_a_missing_key_and_another_format_are_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="cannot be read"):
        read_key_file(tmp_path / "key")
    (tmp_path / "key").write_text(json.dumps({"format": 9, "secret": "00" * 32, "catalogue": None, "policies": {}}))
    with pytest.raises(KeyFileError, match="format 9"):
        read_key_file(tmp_path / "key")


def test_a_policy_of_another_version_is_refused(tmp_path: Path) -> None:
    fields = {"format": 1, "secret": "00" * 32, "catalogue": None, "policies": {"v1": {"name": "plain", "salt": 3}}}
    (tmp_path / "key").write_text(json.dumps(fields))

    with pytest.raises(KeyFileError, match="not a key file"):
        read_key_file(tmp_path / "key")


def test_a_policy_of_before_a_step_came_is_read_without_the_step(tmp_path: Path) -> None:
    fields = {"format": 1, "secret": "00" * 32, "catalogue": None, "policies": {"v1": {"name": "own", "drop": ["a"]}}}
    (tmp_path / "key").write_text(json.dumps(fields))

    assert read_key_file(tmp_path / "key").policies == {"v1": Policy("own", drop=("a",))}


def test_the_secret_is_not_in_the_representation() -> None:
    assert ReleaseKey(b"0123456789abcdef").secret.decode() not in repr(KeyFile(ReleaseKey(b"0123456789abcdef")))
