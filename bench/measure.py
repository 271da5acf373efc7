"""How a bench measures: seconds and peak memory of one piece of work, ours and the peer's."""

import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

TOLERANCE = 1e-9
MEGABYTE = 1e6


@dataclass(frozen=True)
class Row:
    """One line of the table; the peer's memory is NaN where the peer was not measured for it."""

    work: str
    peer_seconds: float
    our_seconds: float
    equal: bool
    peer_bytes: float
    our_bytes: float

    def cells(self) -> tuple[str, ...]:
        return (
            self.work,
            f"{self.peer_seconds:.3f}",
            f"{self.our_seconds:.4f}",
            f"{self.peer_seconds / self.our_seconds:,.0f}x",
            "yes" if self.equal else "NO",
            f"{self.peer_bytes / MEGABYTE:,.0f}",
            f"{self.our_bytes / MEGABYTE:,.0f}",
        )


def compare(
    work: str, peer: Callable[[], FloatArray], ours: Callable[[], FloatArray], *, repeats: int = 3, share: float = 1.0
) -> Row:
    """Time both sides, best of `repeats` for ours and once for the peer, and compare what they return.

    `share` is the part of the work that the peer is given where all of it would take minutes; its seconds are
    scaled up, and the first so many results are compared.
    """
    peer_scores, peer_seconds = timed(peer)
    results = [timed(ours) for _ in range(repeats)]
    our_scores = results[0][0][: len(peer_scores)]
    return Row(
        work=work,
        peer_seconds=peer_seconds / share,
        our_seconds=min(seconds for _, seconds in results),
        equal=bool(np.allclose(our_scores, peer_scores, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)),
        peer_bytes=peak_bytes(peer),
        our_bytes=peak_bytes(ours),
    )


def timed(work: Callable[[], FloatArray]) -> tuple[FloatArray, float]:
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def peak_bytes(work: Callable[[], FloatArray]) -> float:
    """Largest memory that the work allocated above what there was before."""
    tracemalloc.start()
    work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return float(peak)
