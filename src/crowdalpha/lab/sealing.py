"""The operator's side of the sealed track in a season: a key and an encrypted era a round, opened at its close.

A season that is played again finds what the platform has: an era that was offered is taken from its files.
"""

from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from crowdalpha.client.sealed import SealedFiles, open_sealed
from crowdalpha.lab.participants.sealed import SEALED_PROFILE
from crowdalpha.release.sealed import generate_keys, profile_named, save_secret, write_era, write_public
from crowdalpha.rules.ids import ModelId, RoundNumber
from crowdalpha.rules.round import RoundState
from crowdalpha.server.bootstrap import Platform
from crowdalpha.server.rounds.service import get_round
from crowdalpha.server.sealed import service

__all__ = ["offer_era", "open_sealed_files", "seal_folder", "take_sealed"]

PUBLIC, ERA = "public.sealed", "era.sealed"


def seal_folder(platform: Platform) -> Path:
    """Say where a platform keeps its secrets."""
    return platform.settings.data_dir / "sealed"


def offer_era(
    platform: Platform, number: RoundNumber, frame: pl.DataFrame, features: tuple[str, ...], *, now: datetime
) -> None:
    """Draw a key, encrypt the live rows of a round, and offer them; a repeat changes nothing.

    Parameters
    ----------
    platform : Platform
        The open platform.
    number : RoundNumber
        An open round.
    frame : DataFrame
        Its live rows, in the order of the live ids.
    features : tuple of str
        What is encrypted.
    now : datetime
        When the round opened.
    """
    with platform.session() as session:
        era = get_round(session, number).era
        if service.list_offers(session, number=number):
            return
    keys, public = generate_keys(profile_named(SEALED_PROFILE))
    save_secret(keys, service.secret_path(seal_folder(platform), keys.key_id))
    with TemporaryDirectory(prefix="sealed") as folder, platform.session() as session:
        place = Path(folder)
        write_public(public, place / PUBLIC)
        write_era(keys, frame, place / ERA, features=features, round_number=number, era=era)
        service.add_key(session, blobs=platform.blobs, public=place / PUBLIC, now=now)
        service.offer_round(session, blobs=platform.blobs, number=number, era=place / ERA, now=now)


def open_sealed_files(platform: Platform, number: RoundNumber, folder: Path) -> SealedFiles:
    """Lay a round's files into a folder, as a download does, and open them."""
    with platform.session() as session:
        (offer,) = service.list_offers(session, number=number)
    (folder / PUBLIC).write_bytes(platform.blobs.get(offer.public_sha256))
    (folder / ERA).write_bytes(platform.blobs.get(offer.era_sha256))
    return open_sealed(folder)


def take_sealed(platform: Platform, number: RoundNumber, model_id: ModelId, content: bytes, *, now: datetime) -> None:
    """Take one participant's sealed submission; one that is played again after the close is there already."""
    with platform.session() as session:
        if get_round(session, number).state is not RoundState.OPEN:
            return
        service.submit_sealed(
            session,
            blobs=platform.blobs,
            model_id=model_id,
            round_number=number,
            content=content,
            now=now,
            signing_key=platform.signing_key,
        )
