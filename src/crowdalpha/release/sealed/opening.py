"""Opening submissions, on the operator's side: in a process of its own, with limits, one answer for all faults.

Why a submission was refused here is not told: anything that depends on the secret key would be an answer about it.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crowdalpha.errors import InputError
from crowdalpha.release.sealed.submissions import Expected

__all__ = ["OpenLimits", "Opened", "Rejected", "open_submission"]

CHILD = "crowdalpha.release.sealed.opener"
GIGABYTE = 1 << 30


@dataclass(frozen=True, slots=True)
class OpenLimits:
    """What the process that opens a submission may use.

    Parameters
    ----------
    seconds : int, default=60
        Of wall time; as many of processor time.
    memory_bytes : int, default=2 GiB
        Of address space.
    """

    seconds: int = 60
    memory_bytes: int = 2 * GIGABYTE


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """Predictions of a submission. They stay with the operator.

    Parameters
    ----------
    predictions : ndarray of shape (n_rows,), dtype=int64
        In the order of the era's rows.
    """

    predictions: NDArray[np.int64]

    def __repr__(self) -> str:
        return f"Opened({len(self.predictions)} predictions)"


@dataclass(frozen=True, slots=True)
class Rejected:
    """A submission that cannot be used. It costs its key an answer all the same."""

    code: str = "sealed_rejected"


def open_submission(
    secret: Path, submission: Path, *, expected: Expected, limits: OpenLimits | None = None
) -> Opened | Rejected:
    """Open a submission.

    Parameters
    ----------
    secret : Path
        File of the epoch's secret; only the child process reads it.
    submission : Path
        The file that a participant sent.
    expected : Expected
        What it has to belong to.
    limits : OpenLimits, default=None
        Of the child process.

    Returns
    -------
    Opened or Rejected
        Integers, or one code for whatever is wrong with the submission.

    Raises
    ------
    InputError
        If the secret file cannot be used: that is the operator's fault, not the submission's.

    Notes
    -----
    Cost: about a second, to start a process. Linux and macOS.
    """
    limits = limits or OpenLimits()
    if not secret.is_file():
        raise InputError(f"{secret}: there is no secret of this epoch; was it wiped?")
    question = {
        "expected": {
            "profile": expected.profile.name,
            "key_id": expected.key_id,
            "round_number": expected.round_number,
            "era": expected.era,
            "n_rows": expected.n_rows,
            "row_order": expected.row_order,
        },
        "limits": {"seconds": limits.seconds, "memory_bytes": limits.memory_bytes},
        "secret": str(secret.absolute()),
        "submission": str(submission.absolute()),
    }
    status, answer = _ask(json.dumps(question).encode(), limits.seconds)
    if status == SECRET_UNUSABLE:
        raise InputError(f"{secret}: not the secret of key {expected.key_id[:12]}, or others may read it")
    if status != 0 or len(answer) != 8 * expected.n_rows:
        return Rejected()
    return Opened(np.frombuffer(answer, dtype="<i8").astype(np.int64))


# Exit status of the child for a fault of the operator's own file.
SECRET_UNUSABLE = 3


def _ask(question: bytes, seconds: int) -> tuple[int, bytes]:
    """Run the child; its errors are dropped, for they may say what only the secret key can know."""
    environment = {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "POLARS_MAX_THREADS": "1",
    }
    try:
        done = subprocess.run(  # noqa: S603  # our own module, and no word of the submission on the command line
            [sys.executable, "-m", CHILD],
            input=question,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return -1, b""
    return done.returncode, done.stdout
