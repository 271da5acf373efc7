"""`crowdalpha submit`: judge a file here, hand it in, keep the receipt."""

import json
from pathlib import Path
from typing import Annotated

import typer

from crowdalpha.cli.participant import Tournament, Url
from crowdalpha.cli.tables import AsJson
from crowdalpha.client import Client
from crowdalpha.client.answers import Preview
from crowdalpha.errors import InputError

__all__ = ["submit"]


def submit(
    predictions: Annotated[Path, typer.Argument(help="CSV or Parquet: id and prediction, or names and signal.")],
    *,
    model: Annotated[str, typer.Option(help="Name or id of your model.")],
    create: Annotated[bool, typer.Option("--create", help="Enter the model first if you have none of this name.")] = (
        False
    ),
    number: Annotated[int | None, typer.Option("--round", min=1, help="The round; the open one by default.")] = None,
    later: Annotated[bool, typer.Option("--next", help="Keep the file for the next round.")] = False,
    preview: Annotated[
        bool, typer.Option("--preview", help="Only say what would become of a file for a named round.")
    ] = False,
    tournament: Tournament = 8,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Hand in predictions; they are judged here first, by the server's own code."""
    if later and (preview or number is not None):
        raise InputError("--next keeps a file for a round that is not there yet; leave --preview and --round out")
    with Client(url, tournament=tournament) as client:
        entrant = client.create_model(model) if create else client.model(model)
        if preview:
            _tell_preview(client.preview(predictions, model=entrant, round=number), as_json=as_json)
            return
        if later:
            waiting = client.queue(predictions, model=entrant)
            words = f"{predictions} waits for the next round of {entrant.name}, which judges it when it opens"
            typer.echo(waiting.model_dump_json(indent=2) if as_json else words)
            return
        done = client.submit(predictions, model=entrant, round=number)
    if as_json:
        typer.echo(json.dumps({
            "submission": done.submission.model_dump(mode="json"), "receipt": done.receipt.to_json(),
            "receipt_file": str(done.receipt_file),
        }, indent=2))  # fmt: skip
        return
    late = "; it is late, so it is scored and never paid" if done.submission.is_late else ""
    dropped = f"; {done.submission.dropped_unknown} rows with other ids were dropped" * (
        done.submission.dropped_unknown > 0
    )
    typer.echo(
        f"round {done.submission.round} has file {done.submission.sequence} of {entrant.name}, received "
        f"{done.receipt.received_at}{late}{dropped}\nreceipt kept in {done.receipt_file}"
    )


def _tell_preview(found: Preview, *, as_json: bool) -> None:
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
        return
    coverage = found.coverage
    typer.echo(f"{coverage['matched']} of {coverage['live']} live assets have a value; {coverage['needed']} are needed")
    dropped = coverage.get("dropped")
    for reason, count in dropped.items() if isinstance(dropped, dict) else ():
        typer.echo(f"{count} rows dropped: {reason}")
    typer.echo(f"would be refused: {found.problem}" if found.problem else f"would be taken; {found.verdict}")
