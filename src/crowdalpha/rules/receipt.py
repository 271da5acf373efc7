"""Receipts: what a participant keeps as evidence that a submission arrived, unchanged and in time.

The signature is an HMAC-SHA256, the best that the standard library has. It binds the operator to its own
receipts, but only who holds the key can check it: a stranger cannot. A public signature (Ed25519) is another
class with the three members of `Signer`, and nothing else here changes. What strangers can check today
is the snapshot root of the closed round, which holds the same content hash.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from crowdalpha.errors import InputError
from crowdalpha.rules.hashing import Json, canonical_json
from crowdalpha.rules.ids import ModelId, RoundNumber
from crowdalpha.rules.rulebook import describe

__all__ = ["HmacSigner", "Receipt", "Signer", "issue_receipt", "read_receipt", "verify_receipt"]

_MIN_KEY_BYTES = 32

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Signer(Protocol):
    """Signs messages under one key."""

    @property
    def key_id(self) -> str:
        """Name of the key, safe to publish."""

    def sign(self, message: bytes) -> str:
        """Sign; the signature is text."""

    def verify(self, message: bytes, signature: str) -> bool:
        """Check a signature of this key."""


@dataclass(frozen=True, slots=True)
class HmacSigner:
    """HMAC-SHA256 under a secret key of at least 32 random bytes."""

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) < _MIN_KEY_BYTES:
            raise InputError(f"the signing key has {len(self.key)} bytes; use at least {_MIN_KEY_BYTES} random ones")

    @property
    def key_id(self) -> str:
        """Sixteen hexadecimal digits derived from the key, which do not reveal it."""
        return hmac.new(self.key, b"crowdalpha.key_id", hashlib.sha256).hexdigest()[:16]

    def sign(self, message: bytes) -> str:
        """Give the HMAC of the message in hexadecimal."""
        return hmac.new(self.key, message, hashlib.sha256).hexdigest()

    def verify(self, message: bytes, signature: str) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(self.sign(message).encode(), signature.encode(errors="replace"))


class Receipt(BaseModel):
    """A signed statement: this content, for this model and round, under these rules, at this time (UTC)."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: Literal["crowdalpha.receipt.v1"] = "crowdalpha.receipt.v1"
    round_number: RoundNumber
    model_id: ModelId
    content_sha256: Sha256
    rulebook_hash: Sha256
    received_at: str
    key_id: str
    signature: str

    def signed_bytes(self) -> bytes:
        """Give what the signature covers: every field but the signature, in canonical JSON."""
        return canonical_json(self.model_dump(mode="json", exclude={"signature"}))

    def to_json(self) -> dict[str, Json]:
        """Give the plain value that a participant keeps."""
        return self.model_dump(mode="json")


def issue_receipt(
    *,
    round_number: RoundNumber,
    model_id: ModelId,
    content_sha256: str,
    rulebook_hash: str,
    received_at: datetime,
    signer: Signer,
) -> Receipt:
    """Sign a receipt; `received_at` is the server's time and must be in UTC."""
    if received_at.utcoffset() != timedelta(0):
        raise InputError(f"received_at {received_at} is not in UTC; pass an aware datetime with tzinfo=UTC")
    unsigned = Receipt(
        round_number=round_number,
        model_id=model_id,
        content_sha256=content_sha256,
        rulebook_hash=rulebook_hash,
        received_at=received_at.isoformat(timespec="microseconds"),
        key_id=signer.key_id,
        signature="",
    )
    return unsigned.model_copy(update={"signature": signer.sign(unsigned.signed_bytes())})


def verify_receipt(receipt: Receipt, signer: Signer) -> bool:
    """Check that this key signed exactly this receipt."""
    return receipt.key_id == signer.key_id and signer.verify(receipt.signed_bytes(), receipt.signature)


def read_receipt(content: bytes | str) -> Receipt:
    """Read a receipt from JSON text; refuses with `InputError` what is none."""
    try:
        return Receipt.model_validate_json(content)
    except ValidationError as error:
        raise InputError(f"not a receipt: {describe(error)}") from error
