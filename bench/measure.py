"""How a bench measures: seconds and peak memory of one piece of work, ours and the peer's, and what limits both."""

import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Result = TypeVar("Result")
FloatArray = npt.NDArray[np.float64]

TOLERANCE = 1e-9
MEGABYTE = 1e6


@dataclass(frozen=True)
class Row:
    """One line of the table; `wanted` is the ratio asked for, `limit_seconds` what the hardware needs at least."""

    work: str
    peer_seconds: float
    our_seconds: float
    equal: bool
    peer_bytes: float
    our_bytes: float
    wanted: float | None = None
    limit: str = ""
    limit_seconds: float = float("nan")

    def cells(self) -> tuple[str, ...]:
        return (
            self.work,
            f"{self.peer_seconds:,.3f}",
            f"{self.our_seconds:.4f}",
            f"{self.peer_seconds / self.our_seconds:,.0f}x",
            f"{self.wanted:,.0f}x" if self.wanted else "",
            "yes" if self.equal else "NO",
            f"{self.peer_bytes / MEGABYTE:,.0f}",
            f"{self.our_bytes / MEGABYTE:,.0f}",
            f"{self.limit_seconds / self.our_seconds:.0%} of {self.limit}" if self.limit else "",
        )


@dataclass(frozen=True)
class Limit:
    """The least that a machine has to do for the work, as a function to time."""

    name: str
    work: Callable[[], object]


def compare(
    work: str,
    peer: Callable[[], FloatArray],
    ours: Callable[[], FloatArray],
    *,
    repeats: int = 7,
    share: float = 1.0,
    wanted: float | None = None,
    limit: Limit | None = None,
) -> Row:
    """Time both sides, the best of `repeats` for ours and the better of two for the peer, and compare what they return.

    `share` is the part of the work that the peer is given where all of it would take minutes; its seconds are
    scaled up, and the first so many results are compared.
    """
    peers = [timed(peer) for _ in range(2)]
    results = [timed(ours) for _ in range(repeats)]
    peer_scores = peers[0][0]
    our_scores = results[0][0][: len(peer_scores)]
    return Row(
        work=work,
        peer_seconds=min(seconds for _, seconds in peers) / share,
        our_seconds=min(seconds for _, seconds in results),
        equal=bool(np.allclose(our_scores, peer_scores, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)),
        peer_bytes=peak_bytes(peer),
        our_bytes=peak_bytes(ours),
        wanted=wanted,
        limit=limit.name if limit else "",
        limit_seconds=min(timed(limit.work)[1] for _ in range(repeats)) if limit else float("nan"),
    )


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def peak_bytes(work: Callable[[], object]) -> float:
    """Largest memory that the work allocated above what there was before."""
    tracemalloc.start()
    work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return float(peak)
