"""Every kind of job and what runs it, and what every worker does now and then."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from crowdalpha.server.deliveries.service import KIND as DELIVER
from crowdalpha.server.deliveries.tasks import deliver, queue_due
from crowdalpha.server.diagnostics.service import KIND as DIAGNOSIS
from crowdalpha.server.diagnostics.tasks import run_diagnosis
from crowdalpha.server.jobs.running import Task
from crowdalpha.server.schedule.service import KIND
from crowdalpha.server.schedule.tasks import advance_schedule, run_step
from crowdalpha.server.tidying import KIND as TIDY
from crowdalpha.server.tidying import queue_tidying, tidy
from crowdalpha.server.worker import Routine

__all__ = ["ROUTINES", "TASKS"]

TASKS: Mapping[str, Task] = MappingProxyType({KIND: run_step, DELIVER: deliver, DIAGNOSIS: run_diagnosis, TIDY: tidy})
"""By the kind of the jobs."""

ROUTINES: Sequence[Routine] = (advance_schedule, queue_due, queue_tidying)
"""In this order, every few seconds."""
