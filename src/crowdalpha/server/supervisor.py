"""A worker as a process of its own beside the web server: a busy round takes no request's time, a crash no request."""

import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import IO, Self

from crowdalpha.server.log import get_log

__all__ = ["WorkerProcess"]

log = get_log(__name__)

FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 30.0
HEALTHY_S = 60.0
POLL_S = 0.2


class WorkerProcess:
    """Keeps one `crowdalpha worker` running while the block runs.

    The worker holds the other end of a pipe: when this process ends, by whatever signal, the pipe closes and the worker
    stops by itself.
    """

    def __init__(self, options: Sequence[str], *, environment: Mapping[str, str], stop_s: float) -> None:
        self._line = [sys.executable, "-m", "crowdalpha", "worker", "--until-stdin-closes", *options]
        self._environment, self._stop_s = dict(environment), stop_s
        self._stopping = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="worker keeper", daemon=True)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._keeper.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._keeper.join(self._stop_s + 10)

    def _keep(self) -> None:
        wait = FIRST_WAIT_S
        while not self._stopping.is_set():
            began = time.monotonic()
            process = subprocess.Popen(self._line, stdin=subprocess.PIPE, env=self._environment)  # noqa: S603  # our own command
            while process.poll() is None and not self._stopping.wait(POLL_S):
                pass
            if self._stopping.is_set():
                self._end(process)
                return
            lived = time.monotonic() - began
            wait = FIRST_WAIT_S if lived > HEALTHY_S else min(2 * wait, LONGEST_WAIT_S)
            log.error("worker_died", status=process.returncode, lived_s=round(lived, 1), again_in_s=wait)
            self._stopping.wait(wait)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        _close(process.stdin)
        try:
            process.wait(self._stop_s + 5)
        except subprocess.TimeoutExpired:
            log.warning("worker_killed", pid=process.pid)
            process.kill()
            process.wait()


def _close(pipe: IO[bytes] | None) -> None:
    if pipe is not None:
        pipe.close()
