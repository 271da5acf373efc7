"""The process that opens one submission: `python -m crowdalpha.release.sealed.opener`, asked and answering by pipe.

It ends with status 0 and the predictions, 8 bytes each, or with another status and nothing.
"""

import json
import math
import resource
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crowdalpha.errors import CrowdalphaError
from crowdalpha.release.sealed.errors import SealedError
from crowdalpha.release.sealed.keys import EpochKeys, load_secret
from crowdalpha.release.sealed.opening import SECRET_UNUSABLE
from crowdalpha.release.sealed.parameters import PROFILES, Layout, Profile, Scheme
from crowdalpha.release.sealed.submissions import Expected, check_submission, load_results
from crowdalpha.release.sealed.tiles import TILE_ROWS, WIDTH

__all__ = ["decrypted", "main", "ranks", "row_slots"]

LEAST_BUDGET_BITS = 4
# Numbers of CKKS are as fine as this when they are ranked; more digits would be noise.
NUMBER_BITS = 20
REFUSED = 1


def main() -> int:
    """Answer the question on standard input."""
    question = json.load(sys.stdin)
    limits = question["limits"]
    resource.setrlimit(resource.RLIMIT_AS, (limits["memory_bytes"],) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (limits["seconds"],) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold the secret
    fields = question["expected"]
    expected = Expected(profile=PROFILES[fields.pop("profile")], **fields)
    try:
        keys = load_secret(Path(question["secret"]))
    except CrowdalphaError:
        return SECRET_UNUSABLE
    if keys.key_id != expected.key_id or keys.profile is not expected.profile:
        return SECRET_UNUSABLE
    try:
        predictions = decrypted(keys, Path(question["submission"]), expected)
    except CrowdalphaError:
        return REFUSED
    sys.stdout.buffer.write(predictions.astype("<i8").tobytes())
    return 0


def decrypted(keys: EpochKeys, path: Path, expected: Expected) -> NDArray[np.int64]:
    """Check, load and decrypt a submission.

    Parameters
    ----------
    keys : EpochKeys
        The secret.
    path : Path
        The submission.
    expected : Expected
        What it has to belong to.

    Returns
    -------
    ndarray of shape (n_rows,), dtype=int64
        Predictions in the order of the era's rows.

    Raises
    ------
    SealedError
        If it cannot be used. The message must not leave the process.
    """
    results = load_results(check_submission(path, expected), keys.ring)
    slots = row_slots(expected.profile, expected.n_rows)
    if keys.profile.scheme is Scheme.BFV:
        if any(keys.noise_budget(result) < LEAST_BUDGET_BITS for result in results):
            raise SealedError("too much noise is left in a result")
        found = np.concatenate([keys.decrypt_integers(result) for result in results])[slots].astype(np.int64)
    else:
        found = ranks(np.concatenate([keys.decrypt_numbers(result) for result in results])[slots])
    if found.min() == found.max():
        raise SealedError("all predictions are the same, which ranks nothing")
    return np.asarray(found, dtype=np.int64)


def row_slots(profile: Profile, n_rows: int) -> NDArray[np.int64]:
    """Say which slot holds which row: in order for columns, a column of squares a tile otherwise."""
    rows = np.arange(n_rows, dtype=np.int64)
    if profile.layout is Layout.COLUMNS:
        return rows
    tile, place = rows // TILE_ROWS, rows % TILE_ROWS
    return profile.slots * (tile // WIDTH) + place * WIDTH + tile % WIDTH


def ranks(numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    """Turn numbers of CKKS into ranks, and forget them: kept to many digits they would tell the secret key.

    Parameters
    ----------
    numbers : ndarray of shape (n,), dtype=float64
        Decrypted.

    Returns
    -------
    ndarray of shape (n,), dtype=int64
        Ranks from 0 on; numbers within a millionth of the largest are equal.

    Raises
    ------
    SealedError
        If one is not finite, or all are zero.
    """
    largest = float(np.abs(numbers).max())
    if not math.isfinite(largest) or largest == 0.0:
        raise SealedError("results are not finite, or all zero")
    return np.unique(np.rint(numbers / largest * 2.0**NUMBER_BITS), return_inverse=True)[1].astype(np.int64)


if __name__ == "__main__":
    sys.exit(main())
