"""Signed addresses of files: good for whoever has one, several times, until they expire.

Clients ask for an address and then fetch it without their key, in several requests: a first one that they drop, and
ranges.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from crowdalpha.rules.errors import Forbidden

__all__ = ["LINK_LIFE", "FileLink", "check_link", "make_link"]

LINK_LIFE = timedelta(hours=24)
"""Longer than the slowest download and its resumption."""

PURPOSE = "crowdalpha.download.v1"
"""What is signed begins with this, so that no signature of another use of the key opens a file."""


@dataclass(frozen=True, slots=True)
class FileLink:
    """A file that somebody was given an address of."""

    sha256: str
    filename: str
    expires: int


def make_link(base_url: str, *, sha256: str, filename: str, key: bytes, now: datetime) -> str:
    """Make the address of a file; `filename` is what a client may save it as."""
    link = FileLink(sha256, filename, int((now + LINK_LIFE).timestamp()))
    return f"{base_url}/files/{sha256}/{quote(filename, safe='')}?expires={link.expires}&signature={_sign(link, key)}"


def check_link(link: FileLink, *, signature: str, key: bytes, now: datetime) -> None:
    """Refuse an address that was not made here, or has expired, with `Forbidden`."""
    if not hmac.compare_digest(_sign(link, key).encode(), signature.encode()):
        raise Forbidden("the signature of this address is not valid; ask for a new one")
    if datetime.fromtimestamp(link.expires, UTC) <= now:
        raise Forbidden("this address has expired; ask for a new one")


def _sign(link: FileLink, key: bytes) -> str:
    message = "\n".join((PURPOSE, link.sha256, str(link.expires), link.filename))
    return hmac.new(key, message.encode(), hashlib.sha256).hexdigest()
