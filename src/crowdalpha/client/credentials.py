"""Where a participant's key is kept: arguments first, then the environment, then one file that only its owner reads."""

import json
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from crowdalpha.client.errors import NotLoggedIn

__all__ = ["Credentials", "credentials_file", "find_credentials", "save_credentials"]

URL, PUBLIC_ID, SECRET = "CROWDALPHA_URL", "CROWDALPHA_PUBLIC_ID", "CROWDALPHA_SECRET_KEY"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A server and a key of it."""

    url: str
    public_id: str
    secret: str = field(repr=False)

    @property
    def header(self) -> str:
        """What a request carries."""
        return f"Token {self.public_id}${self.secret}"


def credentials_file() -> Path:
    """Return where `crowdalpha login` writes: `$CROWDALPHA_CREDENTIALS`, or a file in the user's configuration."""
    chosen = os.environ.get("CROWDALPHA_CREDENTIALS")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "crowdalpha" / "credentials.json"


def find_credentials(url: str | None = None, *, public_id: str | None = None, secret: str | None = None) -> Credentials:
    """Find server and key: each from the argument, else the environment, else the file of the last login.

    A key that was saved for one server is not shown to another.

    Raises
    ------
    NotLoggedIn
        If one of the three is nowhere, or the file can be read by others.
    """
    saved = _saved(credentials_file())
    wanted = url or os.environ.get(URL)
    if wanted and wanted.rstrip("/") != saved.get("url", "").rstrip("/"):
        saved = {}
    found = {
        "url": wanted or saved.get("url"),
        "public_id": public_id or os.environ.get(PUBLIC_ID) or saved.get("public_id"),
        "secret": secret or os.environ.get(SECRET) or saved.get("secret"),
    }
    absent = [name for name, value in found.items() if not value]
    if absent:
        raise NotLoggedIn(f"no {', '.join(absent)}; run crowdalpha login, or set {URL}, {PUBLIC_ID} and {SECRET}")
    return Credentials(url=str(found["url"]), public_id=str(found["public_id"]), secret=str(found["secret"]))


def save_credentials(credentials: Credentials) -> Path:
    """Write the file of the login, readable by its owner alone from its first byte on."""
    path = credentials_file()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    written = path.with_name(f"{path.name}.{os.getpid()}")
    written.unlink(missing_ok=True)
    content = {"url": credentials.url, "public_id": credentials.public_id, "secret": credentials.secret}
    with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file)
    written.replace(path)
    return path


def _saved(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise NotLoggedIn(f"{path} can be read by others; run chmod 600 on it, or make a new key")
    try:
        content = json.loads(path.read_text())
    except ValueError as error:
        raise NotLoggedIn(f"{path} is damaged ({error}); run crowdalpha login again") from error
    if not isinstance(content, dict):
        raise NotLoggedIn(f"{path} is damaged; run crowdalpha login again")
    return {str(name): str(value) for name, value in content.items()}
