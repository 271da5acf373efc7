"""`crowdalpha round`: steps of a round by hand, at once and without a worker."""

import json
from typing import Annotated

import typer

from crowdalpha.cli.platform import AsJson, DataDir, opened, show
from crowdalpha.rules.ids import RoundNumber, TournamentId
from crowdalpha.server.kit.depends import utc_now
from crowdalpha.server.operations.schemas import OperatedRound
from crowdalpha.server.rounds.service import get_round, list_rounds, void_round
from crowdalpha.server.schedule.service import StepName, opening_on, step_on
from crowdalpha.server.schedule.tasks import do_step

__all__ = ["round"]

COLUMNS = {
    "round": "number",
    "tournament": "tournament_id",
    "state": "state",
    "era": "era",
    "opens": "opens_at",
    "closes": "closes_at",
    "resolves": "resolves_at",
}
Number = Annotated[int, typer.Argument(metavar="ROUND")]

round = typer.Typer(  # noqa: A001  # the command line finds a group by the name of its command
    name="round", help="Rounds: list, and their steps by hand.", no_args_is_help=True
)


@round.command("open")
def open_one(
    tournament: Annotated[int, typer.Argument(metavar="TOURNAMENT")],
    *,
    on: Annotated[str | None, typer.Option("--session", help="Session of its data; default the last one.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Open a round on the feed's live data."""
    with opened(data_dir) as platform:
        now = utc_now()
        with platform.session() as session:
            step = opening_on(session, TournamentId(tournament), label=on, now=now)
        done = do_step(platform, step, now=now)
    _say(dict(done), as_json=as_json)


@round.command()
def close(number: Number, *, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Close a round: freeze submissions and stakes, build the meta model."""
    _do("close", number, data_dir, as_json=as_json)


@round.command()
def score(number: Number, *, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Score the next day of a round on the feed's targets."""
    _do("score", number, data_dir, as_json=as_json)


@round.command()
def resolve(number: Number, *, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Pay and burn what the final scores say."""
    _do("resolve", number, data_dir, as_json=as_json)


@round.command()
def void(number: Number, *, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """End a round that pays and burns nothing."""
    with opened(data_dir) as platform, platform.session() as session:
        row = void_round(session, number=RoundNumber(number), now=utc_now())
    show([OperatedRound.of(row)], COLUMNS, as_json=as_json)


@round.command("list")
def list_all(*, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the rounds."""
    with opened(data_dir) as platform, platform.session() as session:
        rows = list_rounds(session)
    show([OperatedRound.of(row) for row in rows], COLUMNS, as_json=as_json)


@round.command("show")
def show_one(number: Number, *, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show a round."""
    with opened(data_dir) as platform, platform.session() as session:
        row = get_round(session, RoundNumber(number))
    show([OperatedRound.of(row)], COLUMNS, as_json=as_json)


def _do(name: StepName, number: int, data_dir: DataDir, *, as_json: bool) -> None:
    with opened(data_dir) as platform:
        now = utc_now()
        with platform.session() as session:
            step = step_on(session, name, RoundNumber(number), now=now)
        done = do_step(platform, step, now=now)
    _say(dict(done), as_json=as_json)


def _say(done: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(done, default=str))
    else:
        typer.echo(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in done.items()))
