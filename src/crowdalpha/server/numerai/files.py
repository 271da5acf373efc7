"""Files of the tournaments under the names that clients know: `v1.0/train.parquet`, `signals/v1.0/live.parquet`.

Versions have one name each on a platform, so that a version `signals-v1.0` of the tournament `signals` is shown as
`signals/v1.0`. A round's own files take the places of the files of the same name in the dataset that the round is bound
to. Only files of rounds that have opened are shown.
"""

import re
from collections.abc import Mapping
from contextlib import suppress

import strawberry

from crowdalpha.rules.errors import NotFound
from crowdalpha.rules.ids import RoundNumber, TournamentId
from crowdalpha.server.datasets.service import get_dataset, get_live, is_live, list_datasets
from crowdalpha.server.numerai.asking import Asked, Asking
from crowdalpha.server.numerai.links import make_link
from crowdalpha.server.numerai.rounds import newest_first, opened_only
from crowdalpha.server.rounds.service import Round
from crowdalpha.server.tournaments.service import list_tournaments

__all__ = ["FileQueries", "find_file", "names_of"]

FOLDERS = {8: "", 11: "signals/", 12: "crypto/"}
"""Where clients look for the files of the tournaments that they know."""

OLD_NAMES = {
    "numerai_live_data": "live",
    "numerai_training_data": "train",
    "numerai_validation_data": "validation",
    "live_int8": "live",
    "train_int8": "train",
    "validation_int8": "validation",
}
"""Names of files in older releases of the clients, without ending."""

LIVE_OF_ROUND = re.compile(r"(live|live_example_preds|live_benchmark_models|universe)_(\d{1,9})", re.ASCII)


@strawberry.type
class FileQueries:
    """Questions about data files; they need no key."""

    @strawberry.field
    def list_datasets(self, info: Asked, tournament: int | None = None, round: int | None = None) -> list[str]:
        """List the files of a tournament, or of all."""
        folders = folders_of(info.context)
        wanted = [each for each in folders if tournament in (None, each)]
        files = [names_of(info.context, each, folder=folders[each], number=round) for each in wanted]
        return sorted(name for names in files for name in names)

    @strawberry.field
    def dataset(
        self,
        info: Asked,
        filename: str,
        tournament: int | None = None,
        round: int | None = None,
    ) -> str:
        """Give an address that a file can be fetched from, several times, for a day."""
        asking = info.context
        name, sha256 = find_file(asking, filename, tournament=tournament, number=round)
        return make_link(
            asking.base_url,
            sha256=sha256,
            filename=name.rpartition("/")[2],
            key=asking.platform.signing_key,
            now=asking.now,
        )


def names_of(asking: Asking, tournament: TournamentId, *, folder: str, number: int | None) -> dict[str, str]:
    """List the files of a tournament as of a round: hash by name, files of newer versions first.

    A round that is not one of the tournament's, or has not opened, stands for the newest.
    """
    rounds = opened_only(newest_first(asking, tournament), now=asking.now)
    chosen = next((row for row in rounds if row.number == number), rounds[0] if rounds else None)
    names: dict[str, str] = {}
    for version in _versions(asking, rounds, chosen):
        place = folder + version.removeprefix(folder.replace("/", "-"))
        files = dict(get_dataset(asking.session, version).files)
        if chosen is not None and version == chosen.dataset_version:
            files |= _live_files(asking, chosen.number)
        names |= {f"{place}/{name}": sha256 for name, sha256 in files.items() if f"{place}/{name}" not in names}
    return names


def find_file(asking: Asking, filename: str, *, tournament: int | None, number: int | None) -> tuple[str, str]:
    """Find a file by its name, whatever tournament asks: its name here, and its hash.

    A name of an older release, or of a version that is not there, stands for the newest file of that kind: published
    notebooks and clients have such names in them.

    Raises
    ------
    NotFound
        If no tournament has a file of that kind.
    """
    stem, dot, ending = filename.rpartition("/")[2].partition(".")
    of_round = LIVE_OF_ROUND.fullmatch(stem)
    if of_round is not None:
        stem, number = of_round[1], int(of_round[2])
    kind = OLD_NAMES.get(stem, stem) + dot + ending
    folders = folders_of(asking)
    meant = _meant(filename, folders, asked=tournament)
    likely: list[tuple[str, str]] = []
    for each in sorted(folders, key=lambda each: each not in meant):
        names = names_of(asking, each, folder=folders[each], number=number)
        if filename in names:
            return filename, names[filename]
        if each in meant:
            likely += [(name, sha256) for name, sha256 in names.items() if name.rpartition("/")[2] == kind]
    if not likely:
        raise NotFound("file", f"{filename[:100]!r}; ask for one that listDatasets names")
    return likely[0]


def folders_of(asking: Asking) -> dict[TournamentId, str]:
    """Name the folder of each tournament's files."""
    return {each.id: FOLDERS.get(each.id, f"{each.name}/") for each in list_tournaments(asking.session)}


def _meant(filename: str, folders: Mapping[TournamentId, str], *, asked: int | None) -> set[TournamentId]:
    """Say of which tournaments a name may be: by its folder if it has one, else by who asks."""
    named = {each for each, folder in folders.items() if folder and filename.startswith(folder)}
    if named:
        return named
    return {each for each, folder in folders.items() if each == asked or (asked is None and not folder)}


def _versions(asking: Asking, rounds: list[Round], chosen: Round | None) -> list[str]:
    """List the versions of a tournament's data, the newest first; before its first round, those that no other uses."""
    if chosen is not None:
        return list(dict.fromkeys([chosen.dataset_version, *(row.dataset_version for row in rounds)]))
    used = {row.dataset_version for row in newest_first(asking, None)}
    free = [each.version for each in list_datasets(asking.session) if not is_live(each.version)]
    return [version for version in reversed(free) if version not in used]


def _live_files(asking: Asking, number: RoundNumber) -> Mapping[str, str]:
    with suppress(NotFound):
        return get_live(asking.session, number).files
    return {}
