"""`crowdalpha model`: the entrants of a platform."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer
from pydantic import BaseModel

from crowdalpha.cli.platform import AsJson, DataDir, opened, show
from crowdalpha.rules.ids import TournamentId
from crowdalpha.server.models.service import list_models

__all__ = ["model"]

COLUMNS = {"id": "id", "name": "name", "account": "account_id", "tournament": "tournament_id", "since": "created_at"}

model = typer.Typer(name="model", help="Models: list.", no_args_is_help=True)


class _Shown(BaseModel):
    id: int
    account_id: int
    tournament_id: int
    name: str
    created_at: datetime


@model.callback()
def group() -> None:
    """Models: list."""


@model.command("list")
def list_all(
    *,
    tournament: Annotated[int | None, typer.Option(help="Of one tournament alone.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List the models."""
    chosen = None if tournament is None else TournamentId(tournament)
    with opened(data_dir) as platform, platform.session() as session:
        found = list_models(session, tournament_id=chosen)
    show([_Shown.model_validate(asdict(each)) for each in found], COLUMNS, as_json=as_json)
