from pathlib import Path

from pydantic import SecretStr

from crowdalpha.server.bootstrap import _signing_key
from crowdalpha.server.settings import Settings


def test_a_signing_key_is_made_once_and_is_the_owners_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    key = _signing_key(settings)

    assert _signing_key(settings) == key
    assert len(key) == 64
    assert (tmp_path / "signing.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["signing.key"]


def test_two_platforms_have_two_keys(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    assert _signing_key(Settings(data_dir=tmp_path / "a")) != _signing_key(Settings(data_dir=tmp_path / "b"))


def test_a_key_in_the_settings_is_used_and_not_written(tmp_path: Path) -> None:
    key = _signing_key(Settings(data_dir=tmp_path, signing_key=SecretStr("k" * 32)))

    assert key == b"k" * 32
    assert list(tmp_path.iterdir()) == []
