"""What the commands of a platform share: the folder, how to open it, and how a list is shown."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from crowdalpha.server import Platform, open_platform
from crowdalpha.server.log import configure_logging
from crowdalpha.server.settings import load_settings

__all__ = ["AsJson", "DataDir", "opened", "show"]

DataDir = Annotated[Path | None, typer.Option(help="Folder of the platform; default CROWDALPHA_DATA_DIR.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print what the REST interface gives.")]


@contextmanager
def opened(data_dir: Path | None) -> Iterator[Platform]:
    """Open the platform for one command; it may be served at the same time."""
    settings = load_settings(data_dir=data_dir)
    configure_logging(style=settings.log_format, level="WARNING")
    with open_platform(settings) as platform:
        yield platform


def show(rows: Sequence[BaseModel], columns: Mapping[str, str], *, as_json: bool) -> None:
    """Print values as JSON, or some of their fields as a table; `columns` gives each head its field."""
    if as_json:
        typer.echo(json.dumps([row.model_dump(mode="json") for row in rows], indent=2))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in columns:
        table.add_column(head)
    for row in rows:
        values = row.model_dump(mode="json")
        table.add_row(*("" if values[field] is None else str(values[field]) for field in columns.values()))
    Console(highlight=False).print(table)
