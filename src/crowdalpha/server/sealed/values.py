"""What the sealed track tells, and the file that an opened submission becomes."""

import io
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crowdalpha.rules.ids import RoundNumber
from crowdalpha.server.db.tables import SealedKeyRow, SealedOfferRow

__all__ = ["OpenedRound", "SealedKey", "SealedOffer", "key_of", "offer_of", "opened_file"]

SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class SealedKey:
    """The public side of an epoch's keys, and how many answers about them are left."""

    key_id: str
    profile: str
    public_sha256: str
    answers_allowed: int
    answers_left: int
    created_at: datetime
    wiped_at: datetime | None


@dataclass(frozen=True, slots=True)
class SealedOffer:
    """What a round offers in one parameter set: hashes of the public bundle, the era, and moments if there are."""

    number: RoundNumber
    profile: str
    key_id: str
    public_sha256: str
    era_sha256: str
    moments_sha256: str | None
    row_order: str
    n_rows: int
    answers_left: int


@dataclass(frozen=True, slots=True)
class OpenedRound:
    """How many sealed submissions of a round were opened, rejected, or replaced by a later plain upload."""

    number: RoundNumber
    opened: int
    rejected: int
    superseded: int


def key_of(row: SealedKeyRow, *, spent: int) -> SealedKey:
    """Read a key."""
    return SealedKey(
        key_id=row.key_id,
        profile=row.profile,
        public_sha256=row.public_sha256,
        answers_allowed=row.answers_allowed,
        answers_left=row.answers_allowed - spent,
        created_at=row.created_at,
        wiped_at=row.wiped_at,
    )


def offer_of(row: SealedOfferRow, key: SealedKey) -> SealedOffer:
    """Read an offer."""
    return SealedOffer(
        number=RoundNumber(row.round_number),
        profile=row.profile,
        key_id=row.key_id,
        public_sha256=key.public_sha256,
        era_sha256=row.era_sha256,
        moments_sha256=row.moments_sha256,
        row_order=row.row_order,
        n_rows=row.n_rows,
        answers_left=key.answers_left,
    )


def opened_file(live_ids: Sequence[str], predictions: NDArray[np.int64], *, salt: str | None = None) -> bytes:
    """Write opened predictions as an ordinary prediction file, with one row of an id that nobody can guess.

    The hash of the file is published at the close. Without that row it would tell whether a guess of decrypted values
    is right, as often as somebody cares to guess. The reader of prediction files leaves unknown ids out. The salt is
    drawn unless it is given, as by a season that anybody may replay.
    """
    ids = [*live_ids, f"salt-{salt or secrets.token_hex(SALT_BYTES)}"]
    frame = pl.DataFrame({"id": ids, "prediction": np.append(predictions.astype(np.float64), 0.0)})
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()
