"""A tournament as its operator writes it down: one TOML file."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from crowdalpha.errors import InputError
from crowdalpha.rules.hashing import Json
from crowdalpha.rules.ids import TournamentId
from crowdalpha.rules.rulebook import Rulebook, default_rulebook, describe, read_rulebook
from crowdalpha.server.tournaments.timetable import read_timetable

__all__ = ["TournamentFile", "read_tournament"]


@dataclass(frozen=True, slots=True)
class TournamentFile:
    """What a file says, checked."""

    id: TournamentId
    name: str
    kind: Literal["obfuscated", "named"]
    rulebook: Rulebook
    timetable: Mapping[str, Json]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: int
    name: str
    kind: Literal["obfuscated", "named"] = "obfuscated"
    rulebook: dict[str, object] = {}
    timetable: dict[str, object] = {}


def read_tournament(path: Path) -> TournamentFile:
    """Read a tournament's file.

    What the file does not say of the rulebook is as in the rules that a new tournament starts with. Relative paths of
    the feed are beside the file.

    Raises
    ------
    InputError
        If the file cannot be read or a field is refused; names the file and the field.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path}: cannot be read as TOML: {error}") from error
    try:
        file = _File.model_validate(_plain(content))
        rules = default_rulebook(tournament=file.name).to_json()
        rulebook = read_rulebook({**rules, "kind": file.kind, **cast("dict[str, Json]", file.rulebook)})
        timetable = _beside(path, cast("dict[str, Json]", file.timetable))
        read_timetable(timetable)
    except ValidationError as error:
        raise InputError(f"{path}: {describe(error)}") from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return TournamentFile(TournamentId(file.id), file.name, file.kind, rulebook, timetable)


def _plain(value: object) -> Json:
    """Write dates and times of TOML as text, as JSON has them."""
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        raise InputError(f"{value}: write decimals as text, such as '0.5', so that they are kept to the digit")
    return value if isinstance(value, str | int) else str(value)


def _beside(path: Path, timetable: dict[str, Json]) -> dict[str, Json]:
    """Take relative paths of the feed from the file's own folder."""
    feed = timetable.get("feed")
    if not isinstance(feed, dict):
        return timetable
    folder = path.resolve().parent
    places: dict[str, Json] = {name: str(folder / str(feed[name])) for name in ("live", "targets") if name in feed}
    return {**timetable, "feed": {**feed, **places}}
