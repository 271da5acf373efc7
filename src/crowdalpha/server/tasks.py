"""Every kind of job and what runs it, and what every worker does now and then."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from crowdalpha.server.jobs.running import Task
from crowdalpha.server.worker import Routine

__all__ = ["ROUTINES", "TASKS"]

TASKS: Mapping[str, Task] = MappingProxyType({})
"""By the kind of the jobs."""

ROUTINES: Sequence[Routine] = ()
"""In this order, every few seconds."""
