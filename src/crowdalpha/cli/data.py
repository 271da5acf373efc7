"""`crowdalpha data`: what is published, and bring it here."""

import json
from pathlib import Path
from typing import Annotated

import typer

from crowdalpha.cli.participant import Tournament, Url, downloading
from crowdalpha.cli.tables import AsJson
from crowdalpha.client import Client
from crowdalpha.client.answers import PublishedFiles

__all__ = ["data"]

MEGABYTE = 10**6


def data(
    version: Annotated[
        str | None, typer.Argument(help="Version; that of the current round by default.", show_default=False)
    ] = None,
    *,
    to: Annotated[Path | None, typer.Option(help="Folder; one under crowdalpha/ by default.")] = None,
    file: Annotated[list[str] | None, typer.Option(help="Only this file. Repeatable.")] = None,
    live: Annotated[bool, typer.Option("--live", help="The live files of a round instead.")] = False,
    number: Annotated[int | None, typer.Option("--round", min=1, help="The round of --live; the current one.")] = None,
    list_only: Annotated[bool, typer.Option("--list", help="Only list what there is.")] = False,
    tournament: Tournament = 8,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Download a version of the data, or the live files of a round: resumed where it broke, checked file by file."""
    with Client(url, tournament=tournament) as client:
        if list_only:
            _list(client.datasets(), as_json=as_json)
            return
        with downloading() as told:
            folder = (
                client.download_live(number, to=to, names=file, progress=told)
                if live
                else client.download(version, to=to, names=file, progress=told)
            )
    files = sorted(path for path in folder.iterdir() if path.is_file())
    if as_json:
        typer.echo(json.dumps({"folder": str(folder), "files": {path.name: path.stat().st_size for path in files}}))
    else:
        size = sum(path.stat().st_size for path in files)
        typer.echo(f"{folder}: {len(files)} files, {size / MEGABYTE:,.1f} MB, checked")


def _list(found: list[PublishedFiles], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([each.model_dump(mode="json") for each in found], indent=2))
        return
    for each in found:
        published = f"{each.published_at:%Y-%m-%d %H:%M}"
        typer.echo(f"{each.version}: {each.n_bytes / MEGABYTE:,.1f} MB, published {published}")
        for file in each.files:
            typer.echo(f"  {file.name:<40} {file.n_bytes:>14,}")
