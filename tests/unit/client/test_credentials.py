from pathlib import Path

import pytest

from crowdalpha.client.credentials import Credentials, credentials_file, find_credentials, save_credentials
from crowdalpha.client.errors import NotLoggedIn

SAVED = Credentials("https://alpha.example", "PUBLIC", "SECRET")


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep credentials in a folder of the test, and forget what the environment says."""
    for name in ("CROWDALPHA_URL", "CROWDALPHA_PUBLIC_ID", "CROWDALPHA_SECRET_KEY", "CROWDALPHA_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "crowdalpha" / "credentials.json"


def test_what_was_saved_is_found(file: Path) -> None:
    assert save_credentials(SAVED) == credentials_file() == file
    assert find_credentials() == SAVED


def test_the_file_is_for_its_owner_alone(file: Path) -> None:
    save_credentials(SAVED)

    assert file.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in file.parent.iterdir()] == ["credentials.json"]


def test_a_file_that_others_can_read_is_refused(file: Path) -> None:
    save_credentials(SAVED)
    file.chmod(0o644)

    with pytest.raises(NotLoggedIn, match="chmod 600"):
        find_credentials()


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_damaged_file_is_refused(file: Path, content: str) -> None:
    save_credentials(SAVED)
    file.write_text(content)

    with pytest.raises(NotLoggedIn, match="crowdalpha login again"):
        find_credentials()


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    save_credentials(SAVED)
    monkeypatch.setenv("CROWDALPHA_PUBLIC_ID", "OTHER")
    monkeypatch.setenv("CROWDALPHA_SECRET_KEY", "THING")

    assert find_credentials() == Credentials(SAVED.url, "OTHER", "THING")


def test_arguments_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROWDALPHA_URL", "https://env.example")

    found = find_credentials("https://arg.example", public_id="A", secret="B")  # noqa: S106  # of no server

    assert found == Credentials("https://arg.example", "A", "B")


@pytest.mark.parametrize("way", ["argument", "environment"])
def test_a_key_of_one_server_is_not_shown_to_another(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    save_credentials(SAVED)
    other = "https://evil.example"
    if way == "environment":
        monkeypatch.setenv("CROWDALPHA_URL", other)

    with pytest.raises(NotLoggedIn, match="no public_id, secret"):
        find_credentials(other if way == "argument" else None)


def test_a_slash_at_the_end_is_the_same_server() -> None:
    save_credentials(SAVED)

    assert find_credentials("https://alpha.example/").public_id == "PUBLIC"


def test_what_is_missing_is_named() -> None:
    with pytest.raises(NotLoggedIn, match="no url, public_id, secret; run crowdalpha login"):
        find_credentials()


def test_a_secret_is_not_printed() -> None:
    assert "SECRET" not in repr(SAVED)
    assert SAVED.header == "Token PUBLIC$SECRET"
