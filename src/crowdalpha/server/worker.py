"""The worker: takes jobs from the queue and runs them, keeps the queue in order, and keeps the schedule.

Any number of workers may run, on any machines. Each tells the database every few seconds that it lives; the jobs of
one that stopped telling are taken over. A worker may be killed at any moment.
"""

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import procrastinate
from procrastinate.exceptions import ConnectorException

from crowdalpha.server.bootstrap import Platform
from crowdalpha.server.db.queue import QUEUE_SCHEMA
from crowdalpha.server.errors import DatabaseUnavailable
from crowdalpha.server.jobs import service as jobs
from crowdalpha.server.jobs.running import Tasks, run_job
from crowdalpha.server.log import get_log

__all__ = ["STUCK", "Routine", "Worker", "worker_name"]

log = get_log(__name__)

Routine = Callable[[Platform, datetime], object]
"""Something that every worker does every few seconds; safe to be done by many at once."""

TASK = "run_job"
HEARTBEAT_S = 5.0
QUEUE_POLL_S = 5.0
ROUTINE_S = 2.0
STOP_POLL_S = 0.1
OVERRUN = timedelta(minutes=1)
"""How long after its deadline a job may still hold its worker."""
STUCK = 70
"""Exit status of a worker that a job would not let go; whoever started it starts another."""


def worker_name() -> str:
    """Name this process among all workers."""
    return f"{socket.gethostname()}:{os.getpid()}"


@dataclass
class Worker:
    """One worker of a platform.

    Attributes
    ----------
    platform : Platform
        Open as long as the worker runs.
    tasks : mapping
        What runs each kind of job.
    routines : sequence of callable
        Called with platform and time every few seconds, one after the other.
    clock : callable
        Tells the time in UTC.
    concurrency : int
        Most jobs at once.
    stop_s : float
        Seconds that running jobs have to end once the worker is told to stop; another worker does what is left.
    name : str
        Of this worker among all.
    """

    platform: Platform
    tasks: Tasks
    routines: Sequence[Routine]
    clock: Callable[[], datetime]
    concurrency: int = 2
    stop_s: float = 20.0
    name: str = field(default_factory=worker_name)
    _running: set[int] = field(default_factory=set, init=False)
    _overdue: dict[int, datetime] = field(default_factory=dict, init=False)

    def run(self, stop: threading.Event, *, wait: bool = True) -> bool:
        """Work until `stop` is set, or with `wait=False` until nothing is left to do now.

        Returns
        -------
        bool
            False if a job still runs and would not end: the caller must end the process, nothing else stops a thread.

        Raises
        ------
        DatabaseUnavailable
            If the database went away, or took this worker for lost.
        """
        loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(self._work(stop, wait=wait))
        except ConnectorException as error:
            raise DatabaseUnavailable(f"worker {self.name} lost its database: {error.__cause__ or error}") from error
        finally:
            if not self._running:
                loop.run_until_complete(loop.shutdown_default_executor())
                loop.close()
        return not self._running

    async def _work(self, stop: threading.Event, *, wait: bool) -> None:
        app = procrastinate.App(connector=self._connector())
        app.task(name=TASK)(self._run_one)
        await self._routine()
        async with app.open_async():
            log.info("worker_started", worker=self.name, concurrency=self.concurrency)
            queue = asyncio.create_task(self._queue(app, wait=wait))
            side = [asyncio.create_task(self._until(stop)), asyncio.create_task(self._routinely())]
            done, _ = await asyncio.wait({queue, *side}, return_when=asyncio.FIRST_COMPLETED)
            for task in side:
                task.cancel()
            await asyncio.gather(*side, return_exceptions=True)
            queue.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait({queue}, timeout=self.stop_s)
            log.info("worker_stopped", worker=self.name, still_running=sorted(self._running))
            for task in done:
                task.result()

    async def _queue(self, app: procrastinate.App, *, wait: bool) -> None:
        await app.run_worker_async(
            name=self.name,
            concurrency=self.concurrency,
            wait=wait,
            fetch_job_polling_interval=QUEUE_POLL_S,
            delete_jobs="always",
            install_signal_handlers=False,
            update_heartbeat_interval=HEARTBEAT_S,
            stalled_worker_timeout=jobs.LOST_AFTER.total_seconds(),
        )

    def _connector(self) -> procrastinate.PsycopgConnector:
        address = self.platform.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        return procrastinate.PsycopgConnector(
            conninfo=address,
            kwargs={"options": f"-c search_path={QUEUE_SCHEMA}"},
            min_size=1,
            max_size=self.concurrency + 3,
        )

    def _run_one(self, job_id: int) -> None:
        """Run a job, in a thread of its own."""
        self._running.add(job_id)
        try:
            run_job(self.platform, self.tasks, job_id=job_id, worker=self.name, clock=self.clock)
        finally:
            self._running.discard(job_id)

    async def _until(self, stop: threading.Event) -> None:
        while not stop.is_set() and not self._held():  # noqa: ASYNC110  # set by a signal or another thread
            await asyncio.sleep(STOP_POLL_S)

    def _held(self) -> bool:
        """Whether a job holds this worker long after its deadline."""
        now = self.clock()
        return any(now - since > OVERRUN for job, since in self._overdue.items() if job in self._running)

    async def _routinely(self) -> None:
        while True:
            await asyncio.sleep(ROUTINE_S)
            await self._routine()

    async def _routine(self) -> None:
        """Do what every worker does now and then; what fails is logged, and done again the next time."""
        for routine in (self._keep_queue, *self.routines):
            try:
                await asyncio.to_thread(routine, self.platform, self.clock())
            except Exception:  # a boundary: one bad routine must not end the worker
                log.exception("routine_failed", routine=getattr(routine, "__name__", repr(routine)))

    def _keep_queue(self, platform: Platform, now: datetime) -> None:
        """Take over what lost workers left, and fail what is overdue."""
        with platform.session() as session:
            jobs.take_over(session)
            for job in jobs.end_overdue(session, now=now):
                if job.id in self._running:
                    self._overdue[job.id] = now
            jobs.tidy(session, now=now)
