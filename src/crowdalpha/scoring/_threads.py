"""Work on many models, or many eras, on all processors. The compiled kernels and BLAS let other threads run."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

# Below so many values a second thread costs more than it saves.
LEAST_VALUES = 1 << 17
# Kernels copy so many columns at once; a share is a multiple of it.
GRAIN = 16
# Shares a thread gets: a few, so that none waits long for the other.
SHARES = 4


def processors() -> int:
    """Count the processors that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else (os.cpu_count() or 1)


def split(work: Callable[[int, int], None], count: int, *, values: int, grain: int = GRAIN) -> None:
    """Call `work(first, last)` on shares of `count` items, each of so many values, at the same time if it is worth it.

    Shares write to places of their own, so results do not depend on how the work is cut.
    """
    threads = processors()
    if threads == 1 or count <= grain or count * values < LEAST_VALUES:
        work(0, count)
        return
    step = max(grain, -(-count // (threads * SHARES * grain)) * grain)
    with ThreadPoolExecutor(threads) as pool:
        jobs = [pool.submit(work, first, min(first + step, count)) for first in range(0, count, step)]
        for job in jobs:
            job.result()
