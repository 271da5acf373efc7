"""The processes of PostgreSQL that work on one data directory, whoever started them."""

import signal
import time
from collections.abc import Sequence
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # ships no types

__all__ = ["POLL_S", "end", "working_on"]

POLL_S = 0.02
NAMES = ("postgres", "initdb")
GONE = (psutil.NoSuchProcess, psutil.AccessDenied)


def working_on(directory: Path, *, masters_only: bool = False) -> list[psutil.Process]:
    """List the live processes of a data directory.

    Parameters
    ----------
    directory : Path
        Resolved, as it was given to PostgreSQL.
    masters_only : bool, default=False
        Only those that were given the directory: `initdb` and the server's first process, which ends the others.

    Notes
    -----
    A process that was killed and waits to be reaped, for ever in many containers, is not alive.
    """
    return [process for process in psutil.process_iter() if _works_on(process, directory, masters_only=masters_only)]


def end(directory: Path, *, timeout_s: float) -> None:
    """End all processes of a data directory: by the signal for a fast shutdown, and by force after a while."""
    for master in working_on(directory, masters_only=True):
        _signal(master, signal.SIGINT)
    deadline = time.monotonic() + timeout_s
    remaining: Sequence[psutil.Process] = working_on(directory)
    while remaining and time.monotonic() < deadline:
        time.sleep(POLL_S)
        remaining = working_on(directory)
    for process in remaining:
        _signal(process, signal.SIGKILL)


def _works_on(process: psutil.Process, directory: Path, *, masters_only: bool) -> bool:
    try:
        if not process.name().startswith(NAMES) or process.status() == psutil.STATUS_ZOMBIE:
            return False
        if str(directory) in process.cmdline():
            return True
        # the server's other processes show no directory, they are in it
        return not masters_only and process.cwd() == str(directory)
    except GONE:
        return False


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
