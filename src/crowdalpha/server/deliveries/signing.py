"""Signatures of deliveries, in the form of Standard Webhooks, so that receivers find libraries that check them.

    webhook-signature: v1,base64(HMAC-SHA256(secret, "{webhook-id}.{webhook-timestamp}.{body}"))

The secret of a webhook is not stored: it follows from the platform's key and the webhook's salt.
"""

import base64
import hashlib
import hmac

__all__ = ["PREFIX", "secret_of", "shown_secret", "sign"]

PREFIX = "whsec_"


def secret_of(signing_key: bytes, salt: str) -> bytes:
    """Derive the secret of a webhook, 32 bytes."""
    return hmac.new(signing_key, f"crowdalpha webhook secret {salt}".encode(), hashlib.sha256).digest()


def shown_secret(signing_key: bytes, salt: str) -> str:
    """Write the secret of a webhook as its owner keeps it."""
    return PREFIX + base64.b64encode(secret_of(signing_key, salt)).decode()


def sign(secret: bytes, *, message_id: str, timestamp: int, body: bytes) -> str:
    """Sign a body, bound to its message and to the second it was sent in."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
