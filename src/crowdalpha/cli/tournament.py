"""`crowdalpha tournament`: the contests of a platform."""

from pathlib import Path
from typing import Annotated

import typer

from crowdalpha.cli.platform import AsJson, DataDir, opened, show
from crowdalpha.rules.ids import TournamentId
from crowdalpha.server.kit.depends import utc_now
from crowdalpha.server.tournaments.files import read_tournament
from crowdalpha.server.tournaments.schemas import TournamentOut
from crowdalpha.server.tournaments.service import (
    change_tournament,
    create_tournament,
    get_tournament,
    list_tournaments,
)

__all__ = ["tournament"]

COLUMNS = {"id": "id", "name": "name", "kind": "kind", "rulebook": "rulebook_hash"}

tournament = typer.Typer(name="tournament", help="Tournaments: create, change, list.", no_args_is_help=True)


@tournament.command()
def create(
    file: Annotated[Path, typer.Argument(metavar="FILE.toml", help="Rules and timetable.")],
    *,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Create a tournament from its file; a repeat with the same file changes nothing."""
    wanted = read_tournament(file)
    with opened(data_dir) as platform, platform.session() as session:
        made = create_tournament(
            session,
            tournament_id=wanted.id,
            name=wanted.name,
            kind=wanted.kind,
            rulebook=wanted.rulebook,
            timetable=wanted.timetable,
            now=utc_now(),
        )
    show([TournamentOut.of(made)], COLUMNS, as_json=as_json)


@tournament.command()
def change(
    file: Annotated[Path, typer.Argument(metavar="FILE.toml", help="New rules and timetable, with the same id.")],
    *,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Change what the next rounds of a tournament open with; open ones keep their rules."""
    wanted = read_tournament(file)
    with opened(data_dir) as platform, platform.session() as session:
        changed = change_tournament(
            session, tournament_id=wanted.id, rulebook=wanted.rulebook, timetable=wanted.timetable
        )
    show([TournamentOut.of(changed)], COLUMNS, as_json=as_json)


@tournament.command("list")
def list_all(*, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the tournaments."""
    with opened(data_dir) as platform, platform.session() as session:
        found = list_tournaments(session)
    show([TournamentOut.of(each) for each in found], COLUMNS, as_json=as_json)


@tournament.command("show")
def show_one(number: Annotated[int, typer.Argument(metavar="ID")], *, data_dir: DataDir = None) -> None:
    """Print all of a tournament, as JSON."""
    with opened(data_dir) as platform, platform.session() as session:
        found = get_tournament(session, TournamentId(number))
    typer.echo(TournamentOut.of(found).model_dump_json(indent=2))
