"""What a browser keeps between leaving for the provider and coming back: signed, short-lived, and its own."""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from crowdalpha.server.oidc.provider import SignIn

__all__ = ["COOKIE", "LASTS", "Started", "read_started", "written"]

COOKIE = "crowdalpha_oidc"
LASTS = timedelta(minutes=10)
"""How long a sign-in at the provider may take."""

PURPOSE = b"crowdalpha oidc sign-in "


@dataclass(frozen=True, slots=True)
class Started:
    """A sign-in that has begun, and the invitation that the person came with."""

    sign_in: SignIn
    invite: str | None = field(repr=False)
    expires: int


def written(started: Started, *, signing_key: bytes) -> str:
    """Write a sign-in as a cookie."""
    values = [
        started.sign_in.state,
        started.sign_in.nonce,
        started.sign_in.verifier,
        started.invite,
        started.expires,
    ]
    body = base64.urlsafe_b64encode(json.dumps(values).encode())
    return f"{body.decode()}.{_mac(body, signing_key)}"


def read_started(cookie: str, *, signing_key: bytes, state: str, now: datetime) -> Started | None:
    """Read the cookie of the browser that comes back; None unless we wrote it, for this state, and in time."""
    body, _, mac = cookie.partition(".")
    if not hmac.compare_digest(_mac(body.encode(), signing_key).encode(), mac.encode()):
        return None
    try:
        kept, nonce, verifier, invite, expires = json.loads(base64.urlsafe_b64decode(body))
    except (binascii.Error, ValueError, TypeError):
        return None
    if not hmac.compare_digest(kept.encode(), state.encode()) or expires <= now.timestamp():
        return None
    return Started(SignIn(kept, nonce, verifier), invite, expires)


def _mac(body: bytes, signing_key: bytes) -> str:
    return hmac.new(signing_key, PURPOSE + body, hashlib.sha256).hexdigest()
