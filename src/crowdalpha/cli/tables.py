"""What commands print: values as JSON, or as a bare table."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

__all__ = ["AsJson", "show"]

AsJson = Annotated[bool, typer.Option("--json", help="Print what the REST interface gives.")]


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
