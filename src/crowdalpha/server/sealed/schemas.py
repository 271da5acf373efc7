"""What the routes of the sealed track give."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from crowdalpha.server.sealed.service import SealedOffer

__all__ = ["CLAIM", "Part", "SealedFileOut", "SealedOfferOut"]

Part = Literal["public", "era", "moments"]

CLAIM = (
    "128-bit classical security under the ring-LWE assumption: while the leak budget of a key holds, these files tell "
    "no feature and no target to anybody without it. Names, numbers of rows and features, and what scores tell are "
    "public."
)


class SealedFileOut(BaseModel):
    """A file to download."""

    model_config = ConfigDict(frozen=True)

    part: Part
    sha256: str
    n_bytes: int


class SealedOfferOut(BaseModel):
    """An encrypted era of a round in one parameter set, and how many answers its key may still give."""

    model_config = ConfigDict(frozen=True)

    round: int
    profile: str
    key_id: str
    n_rows: int
    answers_left: int
    claim: str
    files: tuple[SealedFileOut, ...]

    @classmethod
    def of(cls, offer: SealedOffer, *, sizes: dict[str, int]) -> "SealedOfferOut":
        """Show an offer."""
        parts: dict[Part, str | None] = {
            "public": offer.public_sha256,
            "era": offer.era_sha256,
            "moments": offer.moments_sha256,
        }
        return cls(
            round=offer.number,
            profile=offer.profile,
            key_id=offer.key_id,
            n_rows=offer.n_rows,
            answers_left=offer.answers_left,
            claim=CLAIM,
            files=tuple(
                SealedFileOut(part=part, sha256=sha256, n_bytes=sizes[sha256])
                for part, sha256 in parts.items()
                if sha256 is not None
            ),
        )
