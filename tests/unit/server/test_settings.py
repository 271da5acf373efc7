from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from crowdalpha.server.settings import Settings


def test_only_the_data_folder_must_be_given() -> None:
    settings = Settings(data_dir=Path("x"))

    assert (settings.database_url, settings.blob_url, settings.signing_key) == (None, None, None)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROWDALPHA_DATABASE_URL", "postgresql://host/db")

    assert Settings(data_dir=Path("x")).database_url == "postgresql://host/db"


@pytest.mark.parametrize("address", ["sqlite:///x", "mysql://h/d", "no address at all"])
def test_only_postgresql_is_spoken(address: str) -> None:
    with pytest.raises(ValidationError, match=r"use PostgreSQL|write postgresql://"):
        Settings(data_dir=Path("x"), database_url=address)


def test_secrets_are_neither_printed_nor_in_messages() -> None:
    settings = Settings(
        data_dir=Path("x"), database_url="postgresql://u:hidden@h/d", signing_key=SecretStr("hidden" * 6)
    )

    assert "hidden" not in repr(settings)
    with pytest.raises(ValidationError) as caught:
        Settings(data_dir=Path("x"), database_url="mysql://u:hidden@h/d")
    assert "hidden" not in str(caught.value)


def test_a_short_signing_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="at least 32"):
        Settings(data_dir=Path("x"), signing_key=SecretStr("short"))


def test_settings_do_not_change() -> None:
    settings = Settings(data_dir=Path("x"))

    with pytest.raises(ValidationError, match="frozen"):
        settings.pool_size = 3  # type: ignore[misc]  # that it cannot be set is the point
