"""`crowdalpha serve`: the whole platform on one command."""

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from crowdalpha.server import open_platform
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
    worker: Annotated[bool, typer.Option(help="Run a worker beside the web server.")] = True,
) -> None:
    """Run the platform: REST interface, and a worker that keeps the schedule. Ctrl-C stops it in order."""
    settings = load_settings(data_dir=data_dir)
    configure_logging(style=settings.log_format, level=settings.log_level)
    screen = Console(stderr=True, highlight=False)
    with ExitStack() as stack:
        listening = stack.enter_context(bound_socket(host, port))
        platform = stack.enter_context(open_platform(settings))
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
