"""What a round demands of a file, and the judgement of one here, with the code that the server runs."""

from dataclasses import dataclass
from pathlib import Path

from crowdalpha.client.answers import PublishedFiles, read
from crowdalpha.client.fetching import fetch_folder
from crowdalpha.client.reading import mapping
from crowdalpha.client.transport import Transport
from crowdalpha.release.named import NamedUniverse, examine_named, read_universe
from crowdalpha.release.predictions import read_predictions
from crowdalpha.rules.rulebook import Rulebook, read_rulebook

__all__ = ["Judge", "fetch_judge", "fetch_rulebook"]

UNIVERSE = "universe.parquet"


@dataclass(frozen=True, slots=True)
class Judge:
    """What a round demands of a file: the live ids of an obfuscated one, the universe of a named one."""

    rulebook: Rulebook
    live_ids: tuple[str, ...] = ()
    universe: NamedUniverse | None = None

    def demand(self, content: bytes, *, name: str) -> int:
        """Refuse a file as the server would, and count the rows that it would drop.

        Raises
        ------
        PredictionFileError
            If the file breaks a rule; names file, column and first bad row.
        """
        if self.universe is None:
            rules = self.rulebook
            return read_predictions(
                content, live_ids=self.live_ids, name=name, min_overlap=float(rules.min_overlap)
            ).dropped_unknown
        examined = examine_named(
            content,
            universe=self.universe,
            name=name,
            min_assets=self.rulebook.min_assets,
            min_overlap=float(self.rulebook.min_overlap),
        )
        if examined.problem is not None:
            raise examined.problem
        return examined.coverage.rows - examined.coverage.matched


def fetch_rulebook(transport: Transport, number: int) -> Rulebook:
    """Read the rules that a round is bound to."""
    return read_rulebook(mapping(transport.get(f"/rounds/{number}/rulebook")))


def fetch_judge(transport: Transport, number: int, folder: Path) -> Judge | None:
    """Gather what a round demands; None for a named round that does not publish its universe.

    Parameters
    ----------
    transport : Transport
        The server.
    number : int
        The round.
    folder : Path
        Where the universe of a named round is kept.
    """
    rules = fetch_rulebook(transport, number)
    if rules.kind != "named":
        ids = mapping(transport.get(f"/rounds/{number}/live-ids")).get("ids")
        return Judge(rules, live_ids=tuple(str(each) for each in ids) if isinstance(ids, list) else ())
    path = f"/rounds/{number}/files"
    published = read(PublishedFiles, transport.get(path))
    if all(file.name != UNIVERSE for file in published.files):
        return None
    fetch_folder(transport, path, published, folder, names=[UNIVERSE])
    return Judge(rules, universe=read_universe(folder / UNIVERSE))
