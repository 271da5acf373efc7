"""What the server refuses or cannot do, beyond the rules of the game.

    CrowdalphaError
    └── ServerError
        ├── DatabaseUnavailable    the database cannot be started or reached
        ├── BlobNotFound           no content of that hash is stored
        └── BlobDamaged            what is stored does not have the hash that it is stored under

Refusals by a rule (`RoundClosed`, `InsufficientBalance`, ...) are in `crowdalpha.rules.errors`.
"""

from crowdalpha.errors import CrowdalphaError

__all__ = ["BlobDamaged", "BlobNotFound", "DatabaseUnavailable", "ServerError"]


class ServerError(CrowdalphaError):
    """The platform itself, not the request, is at fault."""

    code = "server_error"


class DatabaseUnavailable(ServerError):  # noqa: N818 - named for what happened
    """PostgreSQL could not be started or reached."""

    code = "database_unavailable"


class BlobNotFound(ServerError):  # noqa: N818 - named for what happened
    """No content of that hash is stored."""

    code = "blob_not_found"

    def __init__(self, sha256: str) -> None:
        self.sha256 = sha256
        super().__init__(f"no blob {sha256} is stored; restore the blobs folder from its backup")


class BlobDamaged(ServerError):  # noqa: N818 - named for what happened
    """Stored content no longer has the hash that it is stored under."""

    code = "blob_damaged"

    def __init__(self, sha256: str) -> None:
        self.sha256 = sha256
        super().__init__(f"blob {sha256} is damaged: its content has another hash; restore it from a backup")
