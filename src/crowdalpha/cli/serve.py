"""`crowdalpha serve`: the whole platform on one command."""

import os
from contextlib import AbstractContextManager, ExitStack
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from crowdalpha.errors import InputError
from crowdalpha.server import Platform, open_platform
from crowdalpha.server.app import create_app
from crowdalpha.server.invites.service import bootstrap_owner
from crowdalpha.server.kit.depends import utc_now
from crowdalpha.server.log import configure_logging
from crowdalpha.server.serving import bound_socket
from crowdalpha.server.serving import serve as serve_app
from crowdalpha.server.settings import load_settings
from crowdalpha.server.supervisor import WorkerProcess

__all__ = ["serve"]


def serve(
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder of the platform: database, blobs, secrets; made at the first start.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 is every one here.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes any that is free.")] = 8000,
    demo: Annotated[
        bool, typer.Option("--demo", help="Play a short season into the platform first, and let it go on by the clock.")
    ] = False,
    demo_session: Annotated[
        int, typer.Option(min=5, help="Seconds of a session of the demo's market, each of which has a round.")
    ] = 3600,
    worker: Annotated[bool, typer.Option(help="Run a worker beside the web server.")] = True,
) -> None:
    """Run the platform: REST interface, and a worker that keeps the schedule. Ctrl-C stops it in order."""
    settings = load_settings(data_dir=data_dir)
    screen = Console(stderr=True, highlight=False)
    with ExitStack() as stack:
        listening = stack.enter_context(bound_socket(host, port))
        platform = stack.enter_context(open_platform(settings))
        if demo:
            stack.enter_context(_demo(platform, screen, timedelta(seconds=demo_session)))
        configure_logging(style=settings.log_format, level=settings.log_level)
        if worker:
            environment = {**os.environ, "CROWDALPHA_DATA_DIR": str(settings.data_dir.resolve())}
            stop_s = settings.stop_after.total_seconds()
            stack.enter_context(WorkerProcess((), environment=environment, stop_s=stop_s))
        address, number = listening.getsockname()[:2]
        with platform.session() as session:
            token = bootstrap_owner(session, now=utc_now())
        if token is not None:
            base = settings.public_url or f"http://{address}:{number}"
            screen.print(f"nobody owns this platform yet; become its owner, once, at {base}/invite/{token}")
        screen.print(f"serving on http://{address}:{number}, data in {settings.data_dir}")
        serve_app(create_app(platform), listening)


def _demo(platform: Platform, screen: Console, session: timedelta) -> AbstractContextManager[object]:
    """Play the demonstration's past; what it needs is not part of a server."""
    try:
        standing = import_module("crowdalpha.lab.standing")
    except ModuleNotFoundError as error:
        raise InputError(f"--demo needs {error.name}: pip install 'crowdalpha[server,lab]'") from error
    kept: AbstractContextManager[object] = standing.kept_standing(
        platform, _Lines(screen), session=session, now=utc_now()
    )
    return kept


class _Lines:
    """Tells the stages of the demonstration, a line each: they are over before the log begins."""

    def __init__(self, screen: Console) -> None:
        self._screen = screen

    def stage(self, name: str, steps: int) -> None:
        """Tell that a stage begins."""
        self._screen.print(f"{name} ({steps}) ...")

    def step(self, note: str = "") -> None:
        """Keep quiet about each step."""
