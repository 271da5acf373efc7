"""What the server refuses or cannot do, beyond the rules of the game.

    CrowdalphaError
    └── ServerError
        ├── DatabaseUnavailable    the database cannot be started or reached
        ├── BlobNotFound           no content of that hash is stored
        ├── BlobDamaged            what is stored does not have the hash that it is stored under
        └── TryLater               a job cannot be done yet, and says when to try again
    ├── Unauthenticated            a request without a valid key or login
    ├── TooLarge                   a request beyond a limit of size
    └── TooManyRequests            a caller beyond a limit of rate

Refusals by a rule (`RoundClosed`, `InsufficientBalance`, ...) are in `crowdalpha.rules.errors`.
"""

from datetime import timedelta

from crowdalpha.errors import CrowdalphaError

__all__ = [
    "BlobDamaged",
    "BlobNotFound",
    "DatabaseUnavailable",
    "ServerError",
    "TooLarge",
    "TooManyRequests",
    "TryLater",
    "Unauthenticated",
]


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


class TryLater(ServerError):  # noqa: N818 - named for what to do
    """A job cannot be done yet; it is put back into the queue for that long."""

    code = "try_later"

    def __init__(self, message: str, *, after: timedelta) -> None:
        self.after = after
        super().__init__(message)


class Unauthenticated(CrowdalphaError):  # noqa: N818 - named for what happened
    """The request carries no valid key or login; the message does not say what is wrong with it."""

    code = "unauthenticated"

    def __init__(self) -> None:
        super().__init__("Your session is invalid or has expired.")


class TooLarge(CrowdalphaError):  # noqa: N818 - named for what happened
    """More bytes, rows or depth than a limit allows."""

    code = "too_large"


class TooManyRequests(CrowdalphaError):  # noqa: N818 - named for what happened
    """More requests than a limit allows in its time."""

    code = "too_many_requests"

    def __init__(self, what: str, *, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(f"too many {what}; try again in {retry_after} seconds")
