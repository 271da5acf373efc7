"""`crowdalpha status`: a participant's models, or, where there is a platform's folder, the platform."""

import json
import os
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from crowdalpha.cli.participant import Url
from crowdalpha.cli.tables import AsJson
from crowdalpha.client import Client
from crowdalpha.client.answers import Model, Round, Submission
from crowdalpha.client.errors import NoOpenRound
from crowdalpha.errors import CrowdalphaError

__all__ = ["status"]

FOLDER = Path("crowdalpha-data")


def status(
    *,
    data_dir: Annotated[Path | None, typer.Option(help="Show this platform; default CROWDALPHA_DATA_DIR.")] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show how your models stand, or, in the place of a platform, what waits and what was done there last."""
    runs_here = "CROWDALPHA_DATA_DIR" in os.environ or FOLDER.exists()
    if data_dir is not None or (runs_here and url is None):
        _platform(data_dir, as_json=as_json)
        return
    with Client(url) as client:
        rows = [_row(client, model) for model in client.models()]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    if not rows:
        typer.echo("you have no model yet; crowdalpha submit FILE --model NAME --create enters one")
    for row in rows:
        typer.echo(f"{row['model']} in tournament {row['tournament']}: {row['words']}; {row['stake']} at stake")
        for each in row["waiting"] if isinstance(row["waiting"], list) else ():
            typer.echo(f"  {each} waits for the next round")


def _row(client: Client, model: Model) -> dict[str, object]:
    """Say how a model stands: the open round, what counts in it, what waits, what is at stake."""
    try:
        open_round: Round | None = client.current_round(model.tournament_id)
    except NoOpenRound:
        open_round = None
    number = None if open_round is None else open_round.number
    newest = next(iter(client.submissions(model, limit=1)), None)
    return {
        "model": model.name,
        "model_id": model.id,
        "tournament": model.tournament_id,
        "round": number,
        "closes_at": None if open_round is None else open_round.closes_at.isoformat(),
        "words": _words(open_round, newest),
        "last_submission": None if newest is None else newest.model_dump(mode="json"),
        "waiting": [each.filename for each in client.queued(model) if each.state == "waiting"],
        "stake": f"{client.stake(model).stake:f}",
    }


def _words(open_round: Round | None, newest: Submission | None) -> str:
    if newest is None:
        last = "nothing handed in"
    else:
        last = f"last file {newest.filename} for round {newest.round}{' (late)' * newest.is_late}"
    if open_round is None:
        return f"no round is open, {last}"
    has_file = newest is not None and newest.round == open_round.number
    closes = f"until {open_round.closes_at:%Y-%m-%d %H:%M} UTC"
    return f"round {open_round.number} {'has a file' if has_file else 'waits for a file'} {closes}, {last}"


def _platform(data_dir: Path | None, *, as_json: bool) -> None:
    """Show the platform; its module needs the server, which participants do not have."""
    try:
        module = import_module("crowdalpha.cli.platform_status")
    except ModuleNotFoundError as error:
        raise CrowdalphaError(
            f"the status of a platform needs {error.name}, which is not installed: pip install 'crowdalpha[server]'"
        ) from error
    module.platform_status(data_dir, as_json=as_json)
