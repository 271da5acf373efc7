"""`crowdalpha leaderboard`: who is best."""

from typing import Annotated, Literal

import typer

from crowdalpha.cli.participant import Tournament, Url
from crowdalpha.cli.tables import AsJson, show
from crowdalpha.client import Client

__all__ = ["leaderboard"]

RankedBy = Literal["corr", "mmc", "fnc", "cwmm", "alpha", "mpc", "profit"]


def leaderboard(
    *,
    by: Annotated[RankedBy, typer.Option(help="What to rank by.")] = "corr",
    last: Annotated[int, typer.Option(min=0, help="Over how many of the last resolved rounds; 0 is all.")] = 0,
    unstaked: Annotated[bool, typer.Option("--unstaked", help="Rounds with nothing at risk.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Most rows.")] = 20,
    tournament: Tournament = 8,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Rank the models of a tournament."""
    with Client(url, tournament=tournament) as client:
        found = client.leaderboard(by=by, last=last, staked=not unstaked, limit=limit)
    columns = {"place": "place", "model": "model", "account": "account", "rounds": "n_rounds", "CORR": "corr"}
    more = {by.upper(): by} if by not in {"corr", "profit"} else {}
    show(list(found), {**columns, **more, "profit": "profit", "stake": "stake"}, as_json=as_json)
