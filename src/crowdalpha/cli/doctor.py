"""`crowdalpha doctor`: what is wrong on this machine, and what to do."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from crowdalpha.cli.platform import AsJson, DataDir
from crowdalpha.server.doctor import examine
from crowdalpha.server.kit.depends import utc_now
from crowdalpha.server.log import configure_logging
from crowdalpha.server.settings import load_settings

__all__ = ["doctor"]

MARKS = {"ok": "[green]ok[/]     ", "warning": "[yellow]warning[/]", "error": "[red]error[/]  "}


def doctor(
    *,
    host: Annotated[str, typer.Option(help="Address that you serve on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port that you serve on.")] = 8000,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Look at everything that can be wrong; exit status 1 if something is."""
    settings = load_settings(data_dir=data_dir)
    configure_logging(style=settings.log_format, level="ERROR")
    found = examine(settings, host=host, port=port, now=utc_now())
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in found], indent=2))
    else:
        screen = Console(highlight=False, soft_wrap=True)
        for each in found:
            screen.print(f"{MARKS[each.level]} {each.what}: ", end="")
            screen.print(each.words, markup=False)
            if each.level != "ok":
                screen.print(f"        {each.fix}", markup=False)
    if any(each.level == "error" for each in found):
        raise typer.Exit(1)
