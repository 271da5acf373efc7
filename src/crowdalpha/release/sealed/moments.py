"""Encrypted second moments: all that ridge regression needs to know of any number of rows."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crowdalpha.release.sealed.container import Container, Description, Kind, read_container
from crowdalpha.release.sealed.eras import centred_bins, row_order
from crowdalpha.release.sealed.errors import SealedError, SealedFileError
from crowdalpha.release.sealed.keys import EpochKeys, PublicKeys
from crowdalpha.release.sealed.library import library_version
from crowdalpha.release.sealed.parameters import Layout
from crowdalpha.release.sealed.tiles import WIDTH, two_squares

__all__ = ["GRAM_RANGE", "moment_member", "n_sets", "open_moments", "write_moments"]

# Moments are scaled so that the pooled matrix has its eigenvalues in [0, 4], where the Chebyshev nodes are.
GRAM_RANGE = 4.0
# The pooled vector has at most this length: results of training then stay below what the last modulus holds.
VECTOR_LENGTH = 1.0 / 2.0
TARGET_CENTRE = 0.5
KINDS = ("gram", "rows", "columns")


def write_moments(
    keys: EpochKeys,
    sets: Sequence[pl.DataFrame],
    path: Path,
    *,
    features: Sequence[str],
    target: str,
    round_number: int,
) -> Container:
    """Encrypt second moments of past eras, one set a frame.

    Parameters
    ----------
    keys : EpochKeys
        Of `ckks-train-1`.
    sets : sequence of DataFrame
        Rows with `id`, features in bins 0 to 4 and the target, 0 to 1; a set may be an era or a period. Rows without a
        target are left out.
    path : Path
        Where to.
    features : sequence of str
        At most 64.
    target : str
        Its column.
    round_number : int
        The round it is published with.

    Returns
    -------
    Container
        Three ciphertexts a set: the matrix of moments, and the vector in two layouts. In the clear: names, the number
        of sets, and a bound on the largest eigenvalue, rounded up to two digits.

    Raises
    ------
    SealedError
        If the parameter set is another, a column cannot be used, or nothing is left to learn from.
    SealedFileError
        If the file cannot be written.

    Notes
    -----
    Cost: 3 MB and 30 ms a set, whatever its number of rows.
    """
    if keys.profile.layout is not Layout.TILES:
        raise SealedError(f"moments need keys of ckks-train-1, not of {keys.profile.name}")
    if not sets or len(features) > WIDTH:
        raise SealedError(f"moments are of 1 to {WIDTH} features and at least one set of rows")
    known = [_with_target(frame, target) for frame in sets]
    found = [_moments(frame, features, target) for frame in known]
    bound = _rounded_up(max(float(np.linalg.eigvalsh(gram)[-1]) for gram, _ in found))
    longest = max(float(np.linalg.norm(vector)) for _, vector in found)
    if longest == 0.0:
        raise SealedError(f"target {target} has no relation to any feature, so there is nothing to learn")
    members: dict[str, bytes] = {}
    for at, (gram, vector) in enumerate(found):
        squares = _squares(gram * (GRAM_RANGE / bound / len(found)), vector * (VECTOR_LENGTH / longest / len(found)))
        for kind, square in zip(KINDS, squares, strict=True):
            members[moment_member(kind, at)] = keys.encrypt(two_squares(square))
    content = Description(
        kind=Kind.MOMENTS,
        profile=keys.profile.name,
        library=library_version(),
        key_id=keys.key_id,
        round=round_number,
        n_rows=sum(frame.height for frame in known),
        row_order=row_order([]),
        features=tuple(features),
        target=target,
        bound=bound,
    )
    return Container.write(path, content, members)


def open_moments(path: Path, public: PublicKeys) -> Container:
    """Open encrypted moments and check that they belong to a public bundle.

    Parameters
    ----------
    path : Path
        The file.
    public : PublicKeys
        The bundle.

    Returns
    -------
    Container
        The moments.

    Raises
    ------
    SealedFileError
        If it is not a whole file of moments, or was made with other keys.
    """
    moments = read_container(path, Kind.MOMENTS)
    if moments.content.key_id != public.key_id or moments.profile is not public.profile:
        raise SealedFileError(
            path.name, "was encrypted with other keys than this public bundle; fetch both of one round"
        )
    wanted = [moment_member(kind, at) for at in range(n_sets(moments)) for kind in KINDS]
    if not wanted or list(moments.names) != wanted:
        raise SealedFileError(path.name, "does not hold three ciphertexts a set")
    return moments


def n_sets(moments: Container) -> int:
    """Count the sets of a container of moments."""
    return len(moments.names) // len(KINDS)


def moment_member(kind: str, at: int) -> str:
    """Name the member of a set: `gram`, or the vector along `rows` or `columns`."""
    return f"ct/{kind}/{at}.bin"


def _with_target(frame: pl.DataFrame, target: str) -> pl.DataFrame:
    if target not in frame.columns:
        raise SealedError(f"the rows have no target column {target}")
    known = frame.filter(pl.col(target).is_not_null() & pl.col(target).cast(pl.Float64).is_finite())
    if known.height == 0:
        raise SealedError(f"a set has no row with target {target}")
    return known


def _moments(
    frame: pl.DataFrame, features: Sequence[str], target: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    bins = centred_bins(frame, features).astype(np.float64)
    y = frame[target].cast(pl.Float64).to_numpy() - TARGET_CENTRE
    return bins.T @ bins / len(bins), bins.T @ y / len(bins)


def _squares(gram: NDArray[np.float64], vector: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    padded = np.zeros(WIDTH)
    padded[: len(vector)] = vector
    return gram, np.repeat(padded[:, None], WIDTH, axis=1), np.repeat(padded[None, :], WIDTH, axis=0)


def _rounded_up(value: float) -> float:
    if value <= 0.0:
        raise SealedError("all features are constant, so there is nothing to learn")
    digit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return math.ceil(value / digit) * digit
