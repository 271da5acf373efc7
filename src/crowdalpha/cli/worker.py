"""`crowdalpha worker`: one more worker, on this or another machine."""

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from crowdalpha.server import open_platform
from crowdalpha.server.kit.depends import utc_now
from crowdalpha.server.log import configure_logging
from crowdalpha.server.settings import load_settings
from crowdalpha.server.tasks import ROUTINES, TASKS
from crowdalpha.server.worker import STUCK, Worker

__all__ = ["worker"]


def worker(
    data_dir: Annotated[Path | None, typer.Option(help="Folder of the platform, as for `serve`.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, max=64, help="Most jobs at once.")] = None,
    until_stdin_closes: Annotated[bool, typer.Option("--until-stdin-closes", hidden=True)] = False,
) -> None:
    """Run jobs and keep the schedule until SIGTERM or Ctrl-C; any number of workers share a database and blobs."""
    settings = load_settings(data_dir=data_dir)
    configure_logging(style=settings.log_format, level=settings.log_level)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if until_stdin_closes:
        threading.Thread(target=_wait_for_end, args=(stop,), name="end of stdin", daemon=True).start()
    with open_platform(settings) as platform:
        one = Worker(
            platform,
            TASKS,
            ROUTINES,
            utc_now,
            concurrency=jobs or settings.worker_jobs,
            stop_s=settings.stop_after.total_seconds(),
        )
        ended = one.run(stop)
    if not ended:
        os._exit(STUCK)  # a job that would not end: no other way lets go of its thread


def _wait_for_end(stop: threading.Event) -> None:
    """Stop when the process that holds the other end of standard input is gone."""
    sys.stdin.buffer.read()
    stop.set()
