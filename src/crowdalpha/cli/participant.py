"""What the commands of participants share: the client of the last login, and bars of downloads."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from crowdalpha.client.fetching import Progress as Told

__all__ = ["Tournament", "Url", "downloading"]

Url = Annotated[str | None, typer.Option(help="Server; that of the last login by default.")]
Tournament = Annotated[int, typer.Option(min=1, help="The tournament.")]


@contextmanager
def downloading() -> Iterator[Told]:
    """Draw one bar for all files on a terminal, on the side of errors; nothing where there is none."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description:<28}"),
        BarColumn(bar_width=28),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        task = bars.add_task("", total=None)

        def told(name: str, done: int, total: int) -> None:
            bars.update(task, description=name, completed=done, total=total)

        yield told
