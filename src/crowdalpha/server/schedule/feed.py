"""The operator's folder of data, as the schedule reads it: what is not there yet is waited for."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import polars as pl

from crowdalpha.errors import InputError
from crowdalpha.release import Manifest, verify_manifest
from crowdalpha.server.errors import TryLater
from crowdalpha.server.tournaments.timetable import Feed

__all__ = ["LIVE", "UNIVERSE", "LiveFolder", "find_live", "find_targets"]

WAIT = timedelta(seconds=20)
"""Between two looks for data that are not there yet."""
LIVE, UNIVERSE = "live.parquet", "universe.parquet"
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class LiveFolder:
    """The published folder of one round, verified against its manifest."""

    directory: Path
    manifest: Manifest
    era: str


def find_live(feed: Feed, *, number: int, session: str) -> LiveFolder:
    """Open the live folder of a round.

    Raises
    ------
    TryLater
        If it is not there yet.
    InputError
        If it is not what its manifest says, or of another round.
    """
    directory = Path(feed.live.format(round=number, session=session))
    if not (directory / MANIFEST).exists():
        raise TryLater(f"round {number} waits for its live data: {directory}", after=WAIT)
    manifest = verify_manifest(directory)
    if manifest.kind != "live" or "era" not in manifest.facts:
        raise InputError(f"{directory} is no folder of live data; make it with `crowdalpha dataset live`")
    if manifest.facts.get("round", number) != number and "{round}" in feed.live:
        raise InputError(f"{directory} was made for round {manifest.facts['round']}, and this is round {number}")
    return LiveFolder(directory, manifest, str(manifest.facts["era"]))


def find_targets(feed: Feed, *, number: int, session: str, day: int) -> pl.DataFrame:
    """Read the target of a round as it is known on a day.

    Raises
    ------
    TryLater
        If the file is not there yet.
    InputError
        If it cannot be read or has other columns.
    """
    path = Path(feed.targets.format(round=number, session=session, day=day))
    if not path.exists():
        raise TryLater(f"round {number} waits for its targets of day {day}: {path}", after=WAIT)
    try:
        return pl.read_parquet(path, glob=False).select("id", "target")
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path}: cannot be read as Parquet with the columns id and target: {error}") from error
