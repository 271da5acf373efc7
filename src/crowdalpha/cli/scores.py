"""`crowdalpha scores`: what one's models are scored."""

from typing import Annotated

import typer

from crowdalpha.cli.participant import Tournament, Url
from crowdalpha.cli.tables import AsJson, show
from crowdalpha.client import Client

__all__ = ["scores"]

NAMES = ("corr", "mmc", "fnc", "cwmm", "alpha", "mpc")


def scores(
    model: Annotated[str, typer.Argument(help="Name or id of your model.")],
    *,
    days: Annotated[bool, typer.Option("--days", help="Those of every day, not only the ones that pay.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Most rows.")] = 30,
    tournament: Tournament = 8,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show the scores of a model, newest round first."""
    with Client(url, tournament=tournament) as client:
        found = list(client.scores(model, final=not days, limit=limit))
    known = [name for name in NAMES if any(getattr(each, name) is not None for each in found)]
    columns = {"round": "round", "day": "day", "final": "is_final", **{name: name for name in known}, "late": "is_late"}
    show(found, columns, as_json=as_json)
