"""The universe of a named round: stored before the round opens, read whenever a submission is."""

from dataclasses import dataclass

from crowdalpha.errors import InputError
from crowdalpha.release.named import NamedUniverse, read_universe
from crowdalpha.rules.hashing import hash_of
from crowdalpha.rules.ids import RoundNumber
from crowdalpha.server.blobs import BlobStore
from crowdalpha.server.rounds.values import Round

__all__ = ["PublishedUniverse", "put_universe", "read_stored", "universe_of"]


@dataclass(frozen=True, slots=True)
class PublishedUniverse:
    """A stored universe file: what `open_round` needs of it."""

    sha256: str
    live_ids: tuple[str, ...]


def put_universe(blobs: BlobStore, content: bytes) -> PublishedUniverse:
    """Check a universe file and store it.

    Raises
    ------
    NamedUniverseError
        If it cannot be used; names column and row.
    """
    universe = read_universe(content)
    return PublishedUniverse(sha256=blobs.put(content), live_ids=universe.live_ids)


def universe_of(blobs: BlobStore, row: Round) -> NamedUniverse:
    """Read the universe of a named round, or refuse a round that has none."""
    if row.universe_sha256 is None:
        raise InputError(f"round {row.number} is not on named assets, so it has no universe")
    return read_stored(blobs, row.universe_sha256, number=row.number, live_ids_sha256=row.live_ids_sha256)


def read_stored(blobs: BlobStore, sha256: str, *, number: RoundNumber, live_ids_sha256: str) -> NamedUniverse:
    """Read a stored universe file of a round, which must have its live ids."""
    universe = read_universe(blobs.get(sha256), name=f"universe of round {number}")
    if hash_of(list(universe.live_ids)) != live_ids_sha256:
        raise InputError(f"round {number} was opened with other live ids than its universe has; void it")
    return universe
